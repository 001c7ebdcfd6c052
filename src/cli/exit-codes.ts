/** Exit codes after BSD's sysexits, which init systems and scripts know. */
export const EXIT = { done: 0, failed: 1, usage: 64, unavailable: 69, fault: 70, config: 78 } as const;

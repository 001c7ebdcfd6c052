/**
 * The port of counters that only grow until their window has passed. The caller names the window in the key
 * (from the storage's clock), so a counter decays with that clock and with nothing else.
 */
export interface Counters {
  /** Adds to a counter and answers what it holds then; of two callers at once each sees the other's or is seen. */
  add(key: string, windowSeconds: number, amount?: number): Promise<number>;
  /** What a counter holds, without adding. */
  current(key: string, windowSeconds: number): Promise<number>;
}

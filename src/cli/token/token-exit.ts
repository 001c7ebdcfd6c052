/** As `gatehouse login` has them, and what is away as all commands. */
export const TOKEN_EXIT = { printed: 0, error: 1, denied: 3, needsPerson: 4, away: 69, interrupted: 130 } as const;

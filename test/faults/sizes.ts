/** How often each fault is done: by default, and with `FAULTS=full`. */
const SIZES = {
  /** SIGKILL at each point, and cuts of the way to Redis. */
  FAULT_TIMES: [3, 100],
  /** Masters that die with writes which nobody else has. */
  LOSSY_FAILOVERS: [20, 500],
  SENTINEL_FAILOVERS: [2, 10],
  ROLLING_TIMES: [2, 10],
  REDEMPTION_ROUNDS: [50, 1000],
  REDEMPTION_POLLS: [300, 1000],
  DECISION_RACES: [500, 10_000],
  /** Bursts of tries, and the tries of each. */
  BURST_ROUNDS: [20, 100],
  BURST_GUESSES: [100, 1000],
  /** Bursts of forms that people send. */
  PAGE_BURST_ROUNDS: [5, 20],
  /** Of a command that refreshes, in whole rounds over all of its calls. */
  TOKEN_KILLS: [1, 100],
  IDLE_CONNECTIONS: [15_000, 100_000],
} as const;

/** A variable of that name wins over both. */
export function sizeOf(name: keyof typeof SIZES): number {
  const [usual, full] = SIZES[name];
  const said = process.env[name];
  const size = said === undefined ? (process.env['FAULTS'] === 'full' ? full : usual) : Number(said);
  if (!Number.isInteger(size) || size < 1) throw new Error(`${name} is ${said}, and should be a whole number`);
  return size;
}

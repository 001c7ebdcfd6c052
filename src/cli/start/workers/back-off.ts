const SECOND = 1000;
const FIRST_MS = SECOND;
const MOST_MS = 30 * SECOND;
/** One that served for so long was all right: whatever ended it, the next one may do as well. */
const STEADY_MS = 60 * SECOND;

/**
 * How long to wait before a worker that ended takes its place again: not at all the first time, then twice as long each
 * time, so that one that cannot live takes no processor time from those that do.
 */
export function createBackOff(): { next(livedMs: number): number } {
  let inARow = 0;
  return {
    next(livedMs) {
      inARow = livedMs >= STEADY_MS ? 0 : inARow + 1;
      return inARow <= 1 ? 0 : Math.min(MOST_MS, FIRST_MS * 2 ** (inARow - 2));
    },
  };
}

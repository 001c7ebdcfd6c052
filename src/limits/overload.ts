/** A turn of the event loop that takes longer than this is one in which polls wait for something. */
const MAX_TURN_MS = 100;
/** A burst is over before that, and is served; what lasts longer is more than this process can do. */
const BURST_MS = 1000;
/** After as long a silence nobody knows any more. */
const FORGOTTEN_MS = 5000;

/**
 * Whether this process has had more to do than it can for a while, seen by how long the turns of its event loop take.
 * Only starts ask: one costs as much as twenty polls, and who already waits for a person comes first.
 */
export function createOverload(): { isLasting(): Promise<boolean> } {
  let since: number | undefined;
  let seenAt = 0;
  return {
    async isLasting() {
      // The first turn has begun already; the second is measured whole.
      await turn();
      const began = performance.now();
      await turn();
      const now = performance.now();
      const isForgotten = now - seenAt > FORGOTTEN_MS;
      seenAt = now;
      if (now - began <= MAX_TURN_MS) since = undefined;
      else if (since === undefined || isForgotten) since = now;
      return since !== undefined && now - since > BURST_MS;
    },
  };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

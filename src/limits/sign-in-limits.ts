import type { Counters } from './counters.ts';
import type { Networks } from './networks.ts';
import { sourcePrefixes, WIDER_FACTOR } from './source-prefixes.ts';
import { addTo, countIn, type Window, windowAt } from './window.ts';

/**
 * How often a way to the upstream may be begun. Each keeps a browser session and a trip for half an hour, and takes no
 * more than a request: without a limit one person with one code, or with none, could fill the storage.
 */
export interface SignInLimits {
  /** Counts one step towards a sign-in: for a grant, or else (`manage`, `enter`) for the source. */
  mayBegin(step: SignInStep): Promise<SignInStepVerdict>;
}

export interface SignInStep {
  grantId?: string | undefined;
  /** The address, as `sourceAddress` gives it. */
  source: string;
  /** By the ledger's clock. */
  nowMs: number;
}

export type SignInStepVerdict =
  | { verdict: 'allowed' }
  | { verdict: 'refused'; limit: 'sign_ins_per_grant' | 'sign_ins_per_source'; retryAfterSeconds: number };

const WINDOW_SECONDS = 10 * 60;
/** A person needs two, and two more for each try that fails; how many grants there are is limited at their start. */
const PER_GRANT = 50;
/** Of an office where all sign in at once, each with two. */
const PER_SOURCE = 500;

export function createSignInLimits({ counters, networks }: { counters: Counters; networks: Networks }): SignInLimits {
  return {
    async mayBegin({ grantId, source: address, nowMs }) {
      const window = windowAt(nowMs, WINDOW_SECONDS);
      if (grantId !== undefined) {
        const isOver = await take(`sign-ins:grant:${grantId}`, PER_GRANT, window);
        return isOver ? refused('sign_ins_per_grant', window) : { verdict: 'allowed' };
      }
      const { source, wider } = sourcePrefixes(address);
      const allows = PER_SOURCE * networks.factorOf(address);
      const isOver =
        (await take(`sign-ins:${source}`, allows, window)) ||
        (await take(`sign-ins:${wider}`, allows * WIDER_FACTOR, window));
      return isOver ? refused('sign_ins_per_source', window) : { verdict: 'allowed' };
    },
  };

  /** Whether it is over the limit. Who was already is not counted further, so that a flood writes nothing. */
  async function take(name: string, allows: number, window: Window): Promise<boolean> {
    return (await countIn(counters, name, window)) >= allows || (await addTo(counters, name, window)) > allows;
  }
}

function refused(limit: 'sign_ins_per_grant' | 'sign_ins_per_source', { secondsLeft }: Window): SignInStepVerdict {
  return { verdict: 'refused', limit, retryAfterSeconds: secondsLeft };
}

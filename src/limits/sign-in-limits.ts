import type { Networks } from '../network/networks.ts';
import { sourcePrefixes, WIDER_FACTOR } from '../network/source-prefixes.ts';
import type { Counters } from './counters.ts';
import type { LimitSettings } from './limit-settings.ts';
import { takeIn, windowAt } from './window.ts';

/**
 * How often a way to the upstream may be begun. Each keeps a browser session and a trip for half an hour, and takes no
 * more than a request: without a limit one person with one code, or with none, could fill the storage.
 */
export interface SignInLimits {
  /** Counts one step towards a sign-in, for its grant where it has one, and for the source. */
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

const WINDOW_MINUTES = 10;
/** A person needs two, and two more for each try that fails. */
const PER_GRANT = 50;
/** Of what one source may start it may sign in for all, with one try that fails for each. */
const PER_START = 4;
/** Of an office where all want to see their devices at once, each with two. */
const PER_SOURCE = 500;

/** All in one part of a cluster, so that a step takes its places in one step. */
const placeOf = (name: string) => `{sign-ins}:${name}`;

export function createSignInLimits(deps: {
  counters: Counters;
  networks: Networks;
  limits: Pick<LimitSettings, 'startsPerSource'>;
}): SignInLimits {
  const { counters, networks, limits } = deps;
  const perSourceForGrants = limits.startsPerSource * WINDOW_MINUTES * PER_START;

  return {
    async mayBegin({ grantId, source: address, nowMs }) {
      const window = windowAt(nowMs, WINDOW_MINUTES * 60);
      const { source, wider } = sourcePrefixes(address);
      const kind = grantId === undefined ? '' : 'grants:';
      const most = (grantId === undefined ? PER_SOURCE : perSourceForGrants) * networks.factorOf(address);
      const places = [
        { key: placeOf(kind + source), most },
        { key: placeOf(kind + wider), most: most * WIDER_FACTOR },
      ].filter((place) => place.most > 0);
      if (grantId !== undefined) places.unshift({ key: placeOf(`grant:${grantId}`), most: PER_GRANT });
      const full = await takeIn(counters, places, window);
      if (full === undefined) return { verdict: 'allowed' };
      const limit = grantId !== undefined && full.index === 0 ? 'sign_ins_per_grant' : 'sign_ins_per_source';
      return { verdict: 'refused', limit, retryAfterSeconds: window.secondsLeft };
    },
  };
}

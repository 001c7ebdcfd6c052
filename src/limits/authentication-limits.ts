import { createHash } from 'node:crypto';
import type { Networks } from '../network/networks.ts';
import { sourcePrefixes, WIDER_FACTOR } from '../network/source-prefixes.ts';
import type { Counters, FullPlace, Place } from './counters.ts';
import { createLatelyFailed } from './lately-failed.ts';
import type { LimitSettings } from './limit-settings.ts';

/** How often somebody may fail to be a client or a resource server (RFC 6749 §2.3.1). */
export interface AuthenticationLimits {
  /**
   * To be asked before anybody hears what became of an attempt. A failed one takes its places now, and a good one is
   * admitted only while there is room for another failure: so of a burst no more guesses are told apart than one after
   * another would be. A good one takes nothing, and so nothing is kept of honest clients.
   */
  admit(attempt: AuthenticationAttempt): Promise<AuthenticationVerdict>;
  /**
   * Whether somebody near there failed at this process. A caller who may be guessing is answered before anything else is done:
   * what a right secret sets going could be told by its time.
   */
  hasFailedLately(attempt: Pick<AuthenticationAttempt, 'name' | 'source'>): boolean;
}

export interface AuthenticationAttempt {
  /** What the request claims to be, whether there is such a client or not. */
  name: string;
  /** The address, as `sourceAddress` gives it. */
  source: string;
  hasFailed: boolean;
}

export type AuthenticationVerdict =
  | { verdict: 'admitted' }
  | { verdict: 'refused'; limit: AuthenticationLimit; retryAfterSeconds: number };

export type AuthenticationLimit = 'failed_authentications_per_source' | 'failed_authentications_per_client';

const WINDOW_SECONDS = 10 * 60;
/** Names that nobody has share so many counters: each by itself would let anybody fill the storage with names. */
const UNKNOWN_NAMES = 64;

export function createAuthenticationLimits(deps: {
  counters: Counters;
  networks: Networks;
  limits: LimitSettings;
  isKnown: (name: string) => boolean;
  /** Milliseconds since the epoch. */
  clock: () => number;
}): AuthenticationLimits {
  const { counters, networks, limits, isKnown, clock } = deps;
  const latelyFailed = createLatelyFailed(clock, WINDOW_SECONDS * 1000);

  return {
    hasFailedLately: ({ name, source }) => latelyFailed.has(name, source),
    async admit({ name, source: address, hasFailed }) {
      // Before anybody waits: of a burst even the second is known to come after a failure.
      if (hasFailed) latelyFailed.note(name, address);
      const { source, wider } = sourcePrefixes(address);
      const at = (what: string) => `{failed:${isKnown(name) ? encodeURIComponent(name) : unknown(name)}}:${what}`;
      const perSource = limits.failedAuthenticationsPerSource * networks.factorOf(address);
      const isFull = (places: readonly Place[]) =>
        counters.takePlaces({
          places: places.filter(({ most }) => most > 0),
          windowSeconds: WINDOW_SECONDS,
          isLook: !hasFailed,
        });

      const ofWider = { key: at(wider), most: perSource * WIDER_FACTOR };
      const ofSource = [{ key: at(source), most: perSource }, ofWider];
      const ofAll = { key: at('all'), most: limits.failedAuthenticationsPerClient };
      const full = await isFull([...ofSource, ofAll]);
      if (full === undefined) return { verdict: 'admitted' };
      const isOfAll = full.index === ofSource.filter(({ most }) => most > 0).length;
      if (!isOfAll) return refused('failed_authentications_per_source', full);
      // Somebody guesses from many addresses. Refused are those that fail there now: one failure each, and no more.
      const again = await isFull([{ key: at(source), most: 1 }, ofWider]);
      return again === undefined ? { verdict: 'admitted' } : refused('failed_authentications_per_client', again);
    },
  };
}

function refused(limit: AuthenticationLimit, { secondsLeft }: FullPlace): AuthenticationVerdict {
  return { verdict: 'refused', limit, retryAfterSeconds: secondsLeft };
}

function unknown(name: string): string {
  return `?${createHash('sha256').update(name).digest().readUInt8() % UNKNOWN_NAMES}`;
}

import type { Networks } from '../network/networks.ts';
import { sourcePrefixes, WIDER_FACTOR } from '../network/source-prefixes.ts';
import type { Sealing } from '../sealing/sealing.ts';
import type { Counters, Place } from './counters.ts';
import type { LimitSettings } from './limit-settings.ts';
import { addTo, countIn, giveBackIn, takeIn, windowAt } from './window.ts';

export interface CodeEntryLimits {
  /**
   * To be asked before a typed code, or the end of one, is looked at. `allowed` has taken a place in every counter, which stays taken
   * unless `wasRight` is called: a code that was looked up and not found has been counted already.
   */
  mayEnter(attempt: EntryAttempt): Promise<EntryVerdict>;
}

export interface EntryAttempt {
  /** The address, as `sourceAddress` gives it. */
  source: string;
  /** A fingerprint of the browser (`browserTag`). */
  browser: string;
  /** The person who signed in to enter a code (a trip of purpose `enter`), where somebody did. */
  person?: { upstream: string; subject: string } | undefined;
  /** By the ledger's clock. */
  nowMs: number;
}

export type EntryVerdict =
  /** Look the code up, and call `wasRight` if it was found. */
  | { verdict: 'allowed'; wasRight(): Promise<void> }
  | { verdict: 'refused'; limit: EntryLimit; retryAfterSeconds: number }
  /** Too many wrong codes in all: nobody is refused, but each now answers for their own. `isNews` for one caller a window. */
  | { verdict: 'sign_in_first'; limit: 'wrong_codes_total'; isNews: boolean; retryAfterSeconds: number };

export type EntryLimit = 'wrong_codes_per_source' | 'wrong_codes_per_browser' | 'wrong_codes_per_subject';

export interface CodeEntryLimitsDeps {
  counters: Counters;
  sealing: Pick<Sealing, 'tag'>;
  networks: Networks;
  limits: LimitSettings;
}

const WINDOW_SECONDS = 10 * 60;
/** All in one part of a cluster, so that an entry takes its places in one step. */
const placeOf = (name: string) => `{wrong-codes}:${name}`;
const TOTAL = placeOf('total');

/** One of the counters that an attempt is held against. */
interface LimitedPlace extends Place {
  limit: EntryLimit | 'wrong_codes_total';
}

/**
 * Only wrong codes shall count, but whether a code is wrong is known after it was looked up; and a limit that is read
 * before and counted after lets a thousand guesses through that arrive together. So each entry takes its places before
 * the look-up and a code that was found gives them back: what is wrong, or is still being looked up, holds them.
 *
 * All places are taken in one step or none is: a browser that has used up its own tries takes none of its office's, a
 * source none of its network's, and a flood of made-up browsers writes nothing once its source is full.
 */
export function createCodeEntryLimits(deps: CodeEntryLimitsDeps): CodeEntryLimits {
  const { counters, sealing, networks, limits } = deps;

  return {
    async mayEnter(attempt) {
      const window = windowAt(attempt.nowMs, WINDOW_SECONDS);
      const { secondsLeft: retryAfterSeconds } = window;
      const places = placesOf(attempt);
      const full = await takeIn(counters, places, window);
      const limit = full === undefined ? undefined : places[full.index]?.limit;
      switch (limit) {
        case undefined:
          return { verdict: 'allowed', wasRight: () => giveBackIn(counters, places, window) };
        case 'wrong_codes_total': {
          const isNews = (await addTo(counters, 'wrong total reached', window)) === 1;
          return { verdict: 'sign_in_first', limit, isNews, retryAfterSeconds };
        }
        default:
          return { verdict: 'refused', limit, retryAfterSeconds };
      }
    },
  };

  /** The counters of an attempt from narrow to wide. The total is counted even where nobody is asked to sign in for it. */
  function placesOf({ source: address, browser, person }: EntryAttempt): LimitedPlace[] {
    const { source, wider } = sourcePrefixes(address);
    const perSource = limits.wrongCodesPerSource * networks.factorOf(address);
    const mayAskForSignIn = person === undefined && limits.wrongCodesTotal > 0;
    const limited: LimitedPlace[] = [
      { key: placeOf(`browser:${browser}`), limit: 'wrong_codes_per_browser', most: limits.wrongCodesPerBrowser },
      { key: placeOf(source), limit: 'wrong_codes_per_source', most: perSource },
      { key: placeOf(wider), limit: 'wrong_codes_per_source', most: perSource * WIDER_FACTOR },
    ];
    if (person !== undefined) {
      const tag = sealing.tag('limited subject', JSON.stringify([person.upstream, person.subject]));
      const most = limits.wrongCodesPerSubject;
      limited.splice(1, 0, { key: placeOf(`subject:${tag}`), limit: 'wrong_codes_per_subject', most });
    }
    return [
      ...limited.filter(({ most }) => most > 0),
      {
        key: TOTAL,
        limit: 'wrong_codes_total',
        most: mayAskForSignIn ? limits.wrongCodesTotal : Number.MAX_SAFE_INTEGER,
      },
    ];
  }
}

/** Wrong entries of the current window, those being looked up among them: the `w` of the length rule. */
export async function countWrongEntries(counters: Counters, nowMs: number): Promise<number> {
  return countIn(counters, TOTAL, windowAt(nowMs, WINDOW_SECONDS));
}

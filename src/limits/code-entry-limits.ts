import type { Sealing } from '../sealing/sealing.ts';
import type { Counters } from './counters.ts';
import type { LimitSettings } from './limit-settings.ts';
import type { Networks } from './networks.ts';
import { sourcePrefixes, WIDER_FACTOR } from './source-prefixes.ts';
import { addTo, countIn, type Window, windowAt } from './window.ts';

export interface CodeEntryLimits {
  /**
   * To be asked before a typed code is looked up. `allowed` has taken a place in every counter, which stays taken
   * unless `wasRight` is called: a code that was looked up and not found has been counted already.
   */
  mayEnter(attempt: EntryAttempt): Promise<EntryVerdict>;
  /** Whether the form should ask for the upstream sign-in before it takes a code. */
  asksForSignIn(nowMs: number): Promise<boolean>;
}

export interface EntryAttempt {
  /** The address, as `sourceAddress` gives it. */
  source: string;
  /** A fingerprint of the browser (`browserTag`). */
  browser: string;
  /** Who signed in to enter a code (a trip of purpose `enter`), where somebody did. */
  person?: { upstream: string; subject: string } | undefined;
  /** By the ledger's clock. */
  nowMs: number;
}

export type EntryVerdict =
  /** Look the code up, and call `wasRight` if it was found. */
  | { verdict: 'allowed'; wasRight(): Promise<void> }
  | { verdict: 'refused'; limit: EntryLimit; retryAfterSeconds: number }
  /** Too many wrong codes in all: nobody is refused, but each now answers for their own. `isNews` for one caller a window. */
  | { verdict: 'sign_in_first'; limit: 'wrong_codes_total'; isNews: boolean };

export type EntryLimit = 'wrong_codes_per_source' | 'wrong_codes_per_browser' | 'wrong_codes_per_subject';

export interface CodeEntryLimitsGround {
  counters: Counters;
  sealing: Pick<Sealing, 'tag'>;
  networks: Networks;
  limits: LimitSettings;
}

const WINDOW_SECONDS = 10 * 60;
const TOTAL = 'total';

/** One of the counters that an attempt is held against. */
interface Place {
  name: string;
  limit: EntryLimit;
  allows: number;
}

/**
 * Only wrong codes shall count, but whether a code is wrong is known after it was looked up; and a limit that is read
 * before and counted after lets a thousand guesses through that arrive together. Taking one off again would need a
 * counter that shrinks. So there are two counters that only grow: `tried` takes a place before the look-up, `right`
 * gives it back after one that found its code. What is wrong, or still being looked up, is `tried` − `right`.
 *
 * `right` is read before `tried` is added to. It is then never more than what belongs to the places that were taken
 * before, so the difference is never too small: right codes that others enter meanwhile make no room for a guess. A
 * success gives its own place back and no other one.
 */
export function createCodeEntryLimits(ground: CodeEntryLimitsGround): CodeEntryLimits {
  const { counters, sealing, networks, limits } = ground;

  return {
    async mayEnter(attempt) {
      const { person, nowMs } = attempt;
      const window = windowAt(nowMs, WINDOW_SECONDS);
      const places = placesOf(attempt);
      const refused = ({ limit }: Place): EntryVerdict => ({
        verdict: 'refused',
        limit,
        retryAfterSeconds: window.secondsLeft,
      });

      // Once a limit is reached nothing more is written: else a flood of made-up browsers would fill the storage, and a
      // stubborn one would use up what its whole office may try.
      const open = await Promise.all(places.map(({ name }) => countOpen(counters, name, window)));
      const full = places.find(({ allows }, index) => (open[index] ?? 0) >= allows);
      if (full !== undefined) return refused(full);
      const mayAskForSignIn = person === undefined && limits.wrongCodesTotal > 0;
      if (mayAskForSignIn && (await isTotalReached(window))) return askForSignIn(window);

      const taken: string[] = [];
      const giveBack = async () => {
        await Promise.all(taken.map((name) => addTo(counters, `right:${name}`, window)));
      };
      // From narrow to wide, and a guess that one of them refuses is not counted in the next: one source cannot use up
      // what its whole network may try, nor one network what all may.
      for (const place of places) {
        taken.push(place.name);
        if ((await take(place.name, window)) > place.allows) return refused(place);
      }
      taken.push(TOTAL);
      if ((await take(TOTAL, window)) > limits.wrongCodesTotal && mayAskForSignIn) {
        await giveBack();
        return askForSignIn(window);
      }
      return { verdict: 'allowed', wasRight: giveBack };
    },

    async asksForSignIn(nowMs) {
      return limits.wrongCodesTotal > 0 && isTotalReached(windowAt(nowMs, WINDOW_SECONDS));
    },
  };

  /** The counters of an attempt whose limit is not switched off. */
  function placesOf({ source: address, browser, person }: EntryAttempt): Place[] {
    const { source, wider } = sourcePrefixes(address);
    const perSource = limits.wrongCodesPerSource * networks.factorOf(address);
    const places: Place[] = [
      { name: source, limit: 'wrong_codes_per_source', allows: perSource },
      { name: wider, limit: 'wrong_codes_per_source', allows: perSource * WIDER_FACTOR },
      { name: `browser:${browser}`, limit: 'wrong_codes_per_browser', allows: limits.wrongCodesPerBrowser },
    ];
    if (person !== undefined) {
      const tag = sealing.tag('limited subject', JSON.stringify([person.upstream, person.subject]));
      places.push({ name: `subject:${tag}`, limit: 'wrong_codes_per_subject', allows: limits.wrongCodesPerSubject });
    }
    return places.filter(({ allows }) => allows > 0);
  }

  /** Takes a place; answers how many are wrong or still open, this one included. */
  async function take(name: string, window: Window): Promise<number> {
    const right = await countIn(counters, `right:${name}`, window);
    return (await addTo(counters, `tried:${name}`, window)) - right;
  }

  async function isTotalReached(window: Window): Promise<boolean> {
    return (await countOpen(counters, TOTAL, window)) >= limits.wrongCodesTotal;
  }

  async function askForSignIn(window: Window): Promise<EntryVerdict> {
    const isNews = (await addTo(counters, 'wrong total reached', window)) === 1;
    return { verdict: 'sign_in_first', limit: 'wrong_codes_total', isNews };
  }
}

/** Wrong entries of the current window, those being looked up among them: the `w` of the length rule. */
export async function countWrongEntries(counters: Counters, nowMs: number): Promise<number> {
  return countOpen(counters, TOTAL, windowAt(nowMs, WINDOW_SECONDS));
}

/** `right` first: beside entries that are being judged the answer may then be too high, never too low. */
async function countOpen(counters: Counters, name: string, window: Window): Promise<number> {
  const right = await countIn(counters, `right:${name}`, window);
  return (await countIn(counters, `tried:${name}`, window)) - right;
}

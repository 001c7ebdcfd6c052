import { createHash } from 'node:crypto';
import { afterAttempt, newAttempt } from '../../ledger/attempt.ts';
import { answeredEntry, arrivalEntry, tripEntry, visitEntry } from '../../ledger/entry-keys.ts';
import { type Form, openVersioned, sealVersioned } from '../../ledger/versioned-seal.ts';
import { SealBrokenError } from '../../sealing/sealing.ts';
import type { Secret } from '../../sealing/secret.ts';
import type { GrantDeps } from '../start/start-grant.ts';

/**
 * One way to the upstream and back. It serves one purpose, one browser, one upstream and (to approve) one grant; its
 * answer counts once.
 */
export interface Trip {
  purpose: 'approve' | 'manage' | 'enter';
  upstream: string;
  /** To approve: the grant, and the code as the person entered it. */
  grant?: { id: string; userCode: string; codePrefilled: boolean; followedLink?: boolean };
  /** To enter: what the pages go on with when the person is back. */
  resume?: string;
  nonce: string;
  codeVerifier: string;
  /** What was asked of the upstream, to be checked against what comes back. */
  prompt?: string | undefined;
  maxAgeSeconds?: number | undefined;
  acrValues?: readonly string[] | undefined;
  scopes?: readonly string[] | undefined;
}

/** The value that a browser session holds: it opens that browser's trips and arrivals, and nothing else does. */
export type BrowserValue = Secret;

export type TakenTrip =
  | { outcome: 'taken'; trip: Trip; tag: string }
  /** The very answer that it was taken with has come once more, to the browser that it belongs to. */
  | { outcome: 'repeated'; trip: Trip; tag: string; takenAtMs: number }
  /** Unknown, run out, or it was taken with another answer. */
  | { outcome: 'gone' }
  /** It began in another browser; nothing was taken, so that it still ends there. */
  | { outcome: 'other_browser' };

const TRIP: Form = { kind: 'trip', format: 1 };
const ARRIVAL: Form = { kind: 'arrival', format: 1 };
const TAG_BYTES = 16;
const MINUTE = 60 * 1000;
/** A person may take this long at the upstream; a code that runs out on the way gets its own page. */
export const TRIP_MS = 30 * MINUTE;
/** What a `manage` or `enter` sign-in is good for. */
export const VISIT_MS = 10 * MINUTE;

/**
 * Fingerprint of a browser, as stored beside what it did. A plain hash: the value has too much entropy to be searched
 * for, and under a key each rotation would make everybody another browser.
 */
export function browserTag(browser: BrowserValue): string {
  const hash = createHash('sha256').update('gatehouse browser\n').update(browser.reveal()).digest();
  return hash.subarray(0, TAG_BYTES).toString('base64url');
}

/** @returns `state` for the authorization request (256 random bits) */
export async function beginTrip(deps: GrantDeps, browser: BrowserValue, trip: Trip): Promise<string> {
  const { ledger, sealing, randomBytes } = deps;
  const state = randomBytes(32).toString('base64url');
  const tag = sealing.tag('trip', state);
  const attempt = newAttempt(randomBytes);
  const value = `${attempt}|${await sealVersioned(sealing, TRIP, trip, `trip ${tag}`, browser)}`;
  await ledger.commit({
    attempt,
    writes: [{ key: tripEntry(tag), value, expiresAtMs: (await ledger.now()) + TRIP_MS }],
  });
  return state;
}

/**
 * Takes a trip once: of any number of answers that come at once, the first. A browser that it does not belong to takes
 * nothing.
 *
 * An answer may come several times in one browser, which loads pages in advance or again. The browser that brings the very answer
 * that it was taken with is told so; nobody else has it, so an id of the browser session that somebody planted before
 * does not lead them anywhere.
 *
 * @param answer what the upstream sent with the state
 */
export async function takeTrip(deps: GrantDeps, browser: BrowserValue, state: string, answer = ''): Promise<TakenTrip> {
  const { ledger, sealing } = deps;
  for (const tag of sealing.tags('trip', state)) {
    const { values, nowMs } = await ledger.read([tripEntry(tag)]);
    const [stored] = values;
    if (stored === undefined) continue;
    let trip: Trip;
    try {
      trip = await openVersioned(sealing, TRIP, afterAttempt(stored), `trip ${tag}`, browser);
    } catch (error) {
      if (error instanceof SealBrokenError) return { outcome: 'other_browser' };
      throw error;
    }
    const attempt = newAttempt(deps.randomBytes);
    const taking: Taking = { answer: fingerprint(answer), atMs: nowMs };
    const value = `${attempt}|${writeTaking(taking)}`;
    const taken = await ledger.commit({
      attempt,
      writes: [{ key: answeredEntry(tag), value, expiresAtMs: nowMs + TRIP_MS }],
    });
    if (taken.outcome === 'won') return { outcome: 'taken', trip, tag };
    const first = taken.outcome === 'lost' ? readTaking(afterAttempt(taken.existing)) : undefined;
    if (first?.answer !== taking.answer) return { outcome: 'gone' };
    return { outcome: 'repeated', trip, tag, takenAtMs: first.atMs };
  }
  return { outcome: 'gone' };
}

interface Taking {
  /** A fingerprint. */
  answer: string;
  atMs: number;
}

function writeTaking({ answer, atMs }: Taking): string {
  return `${answer}|${atMs}`;
}

function readTaking(text: string): Taking {
  const [answer = '', atMs] = text.split('|');
  return { answer, atMs: Number(atMs) };
}

function fingerprint(text: string): string {
  return createHash('sha256')
    .update('gatehouse answer\n')
    .update(text)
    .digest()
    .subarray(0, TAG_BYTES)
    .toString('base64url');
}

/**
 * Keeps what a trip brought back, sealed so that it opens in its browser only.
 *
 * @param tag of the trip; pages name the arrival by it
 * @param expiresAtMs the grant's end of keeping, or `VISIT_MS` from now
 */
export async function keepArrival(
  deps: GrantDeps,
  browser: BrowserValue,
  arrival: { tag: string; grantId?: string | undefined; content: unknown; expiresAtMs: number },
): Promise<void> {
  const key = entryOf(arrival.tag, arrival.grantId);
  const attempt = newAttempt(deps.randomBytes);
  const value = `${attempt}|${await sealVersioned(deps.sealing, ARRIVAL, arrival.content, key, browser)}`;
  await deps.ledger.commit({ attempt, writes: [{ key, value, expiresAtMs: arrival.expiresAtMs }] });
}

/** What an arrival brought, or `undefined` where there is none or where it belongs to another browser. */
export async function openArrival(
  deps: GrantDeps,
  browser: BrowserValue,
  tag: string,
  grantId?: string,
): Promise<unknown> {
  const key = entryOf(tag, grantId);
  const stored = (await deps.ledger.read([key])).values[0];
  if (stored === undefined) return undefined;
  try {
    return await openVersioned(deps.sealing, ARRIVAL, afterAttempt(stored), key, browser);
  } catch (error) {
    if (error instanceof SealBrokenError) return undefined;
    throw error;
  }
}

function entryOf(tag: string, grantId: string | undefined): string {
  return grantId === undefined ? visitEntry(tag) : arrivalEntry(grantId, tag);
}

import { endedEntry, presentedEntry, refreshEntry, sessionEntry } from '../../ledger/entry-keys.ts';
import type { AttemptAt, Ledger } from '../../ledger/ledger.ts';
import { SealBrokenError, type Sealing } from '../../sealing/sealing.ts';
import { type DeviceSession, openSession } from '../device-session.ts';
import { chainedEntries, judgeChainedToken } from './chained-tokens.ts';
import {
  type Answered,
  decodeRefreshState,
  openRefreshState,
  type RefreshState,
  type SessionSecrets,
} from './refresh-state.ts';
import { isAuthentic, type RefreshToken } from './refresh-token.ts';

export type FoundToken = { session: DeviceSession; nowMs: number; hasEnded: boolean } & TokenPlace;

export type TokenPlace =
  | CurrentToken
  | ParentToken
  /** It was right once. Nothing opens with it any more. */
  | { place: 'spent' }
  /** A broker made it, and the storage does not know it: it lost the refreshes in which it was made. */
  | { place: 'stray' };

/** To be exchanged for its successor. */
export interface CurrentToken {
  place: 'current';
  carried: SessionSecrets;
  /** What its exchange replaces. */
  stands: AttemptAt;
  /** The salt of its successor, where that was drawn with it. */
  nextSalt?: string | undefined;
  /** `undefined` where its parent is not known any more. */
  madeAtMs?: number | undefined;
  /** The state as it is, where this token is the newest in it. */
  state?: (Pick<RefreshState, 'madeAtMs' | 'salt' | 'nextSalt'> & { answered: Answered | undefined }) | undefined;
}

/** Exchanged already, and its successor is the newest: perhaps the answer was lost. */
export interface ParentToken {
  place: 'parent';
  carried: SessionSecrets;
  answered: Answered | undefined;
  successor: RefreshToken;
  /** When it was exchanged. */
  madeAtMs: number;
  /** The successor has arrived, so no answer was lost. */
  isSuccessorKnown: boolean;
}

/**
 * The session that a refresh token was made for, and how the token stands to it, in one read. Knowing a session's id is
 * not enough: the token itself must be one that a broker made.
 */
export async function findRefreshToken(
  { ledger, sealing }: { ledger: Ledger; sealing: Sealing },
  token: RefreshToken,
): Promise<FoundToken | undefined> {
  const { sessionId: id, n, mac } = token;
  const chained = mac === undefined ? chainedEntries(token) : [];
  const { nowMs, values } = await ledger.read([
    ...[sessionEntry(id), endedEntry(id), refreshEntry(id), presentedEntry(id, n + 1)],
    ...chained,
  ]);
  const [stored, ended, refresh, presented, ...others] = values;
  if (stored === undefined) return undefined;
  try {
    const session = await openSession(id, stored, sealing);
    const state = refresh === undefined ? undefined : decodeRefreshState(id, refresh, sealing);
    const isSuccessorKnown = presented !== undefined;
    const place =
      mac === undefined
        ? await placeChained(token, session.keyName, state, others, isSuccessorKnown, sealing)
        : await placeNumbered(token, session.keyName, state, isSuccessorKnown, sealing);
    return place && { session, nowMs, hasEnded: ended !== undefined, ...place };
  } catch (error) {
    if (error instanceof SealBrokenError) return undefined;
    throw error;
  }
}

async function placeNumbered(
  token: RefreshToken,
  keyName: string,
  state: RefreshState | undefined,
  isSuccessorKnown: boolean,
  sealing: Sealing,
): Promise<TokenPlace | undefined> {
  // Without a state the session was idle for too long, or has ended.
  if (state === undefined || !isAuthentic(token, keyName, sealing)) return undefined;
  const opened = await openRefreshState(token, state, keyName, sealing);
  // Two tokens of one number are made by a storage that lost the first: of two lines none can be trusted.
  if (opened === undefined) return { place: token.n > state.n ? 'stray' : 'spent' };
  return placeOpened(opened, state, token, isSuccessorKnown);
}

async function placeChained(
  token: RefreshToken,
  keyName: string,
  state: RefreshState | undefined,
  entries: readonly (string | undefined)[],
  isSuccessorKnown: boolean,
  sealing: Sealing,
): Promise<TokenPlace | undefined> {
  const judged = await judgeChainedToken(token, entries, keyName, sealing);
  if (judged?.place === 'parent') return { ...judged, answered: undefined, isSuccessorKnown };
  if (judged?.place !== 'spent' || state === undefined) return judged;
  const opened = await openRefreshState(token, state, keyName, sealing);
  return opened === undefined ? judged : placeOpened(opened, state, token, isSuccessorKnown);
}

function placeOpened(
  { place, carried, answered, newest }: NonNullable<Awaited<ReturnType<typeof openRefreshState>>>,
  { attempt, salt, nextSalt, madeAtMs }: RefreshState,
  { sessionId }: RefreshToken,
  isSuccessorKnown: boolean,
): TokenPlace {
  const stands = { key: refreshEntry(sessionId), attempt };
  switch (place) {
    case 'current':
      return { place, carried, stands, nextSalt, madeAtMs, state: { madeAtMs, salt, nextSalt, answered } };
    case 'ahead':
      return { place: 'current', carried, stands };
    case 'parent':
      return { place, carried, answered, successor: newest, madeAtMs, isSuccessorKnown };
  }
}

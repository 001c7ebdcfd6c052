import type { Approval } from '../../ledger/approval.ts';
import { refreshEntry } from '../../ledger/entry-keys.ts';
import { type Form, openVersioned, sealVersioned } from '../../ledger/versioned-seal.ts';
import { SealBrokenError, type Sealing } from '../../sealing/sealing.ts';
import type { RandomBytes, Secret } from '../../sealing/secret.ts';
import { formatRefreshToken, type RefreshToken, successorOf } from './refresh-token.ts';

/** What a session carries from refresh to refresh besides what management sees: claims and the upstream's tokens. */
export interface SessionSecrets {
  approval: Approval;
  /** When the upstream last answered a refresh; the tolerance counts from here. */
  upstreamAnsweredAtMs: number;
}

/** The answer that token n came with, as far as a repetition must know it. */
export interface Answered {
  /** `wishOf` what was granted. */
  wish: string;
  /** The address that it went to. */
  source: string;
}

/**
 * Where a session's chain of refresh tokens stands: `<attempt>|2.<n>.<made>|<salt>|<next salt>|<sealed>|<key name>|<mac>`,
 * of one size whatever the session's age. `salt` made token n out of token n−1, `next salt` will make token n+1 out of
 * token n, and what the session carries is sealed to token n+1. So it opens for who brings
 *
 * - token n, which is to be exchanged;
 * - token n−1, whose answer was lost;
 * - token n+1, where the storage has lost the last exchange;
 *
 * and for nobody else: neither the storage nor the sealing key nor a token that was spent earlier gives it away.
 */
export interface RefreshState {
  attempt: string;
  n: number;
  /** When token n was made, in milliseconds by the storage's clock. */
  madeAtMs: number;
  salt: string;
  nextSalt: string;
  sealed: string;
}

const FORMAT = '2';
const FORM: Form = { kind: 'refresh state', format: 2 };
const SALT_BYTES = 16;

export function newSalt(randomBytes: RandomBytes): string {
  return randomBytes(SALT_BYTES).toString('base64url');
}

/** The one salt that is not drawn: a redemption that is repeated after lost writes makes the same first successor too. */
export function firstSalt(deviceCode: Secret, keyName: string, sealing: Sealing): string {
  return sealing.derive(keyName, 'first refresh salt', deviceCode, SALT_BYTES).toString('base64url');
}

/** @param token token n */
export async function encodeRefreshState(
  token: RefreshToken,
  { attempt, madeAtMs, salt, nextSalt }: Omit<RefreshState, 'n' | 'sealed'>,
  carried: SessionSecrets,
  answered: Answered | undefined,
  keyName: string,
  sealing: Sealing,
): Promise<string> {
  const key = refreshEntry(token.sessionId);
  const capability = formatRefreshToken(successorOf(token, nextSalt, keyName, sealing));
  const sealed = await sealVersioned(sealing, FORM, [carried, answered ?? null], key, capability);
  return sealing.vouch(key, [attempt, `${FORMAT}.${token.n}.${madeAtMs}`, salt, nextSalt, sealed].join('|'));
}

/** @throws {SealBrokenError} when no broker wrote it for this session */
export function decodeRefreshState(sessionId: string, stored: string, sealing: Sealing): RefreshState {
  const parts = sealing.check(refreshEntry(sessionId), stored).split('|');
  const [attempt = '', numbers = '', salt = '', nextSalt = '', sealed = ''] = parts;
  const [, n, madeAtMs] = numbers.split('.').map(Number);
  return { attempt, n: n ?? 0, madeAtMs: madeAtMs ?? 0, salt, nextSalt, sealed };
}

/** How a token stands to the state that it opens, and what is in there. */
export interface OpenedState {
  place: 'current' | 'parent' | 'ahead';
  carried: SessionSecrets;
  answered: Answered | undefined;
  /** Token n. */
  newest: RefreshToken;
}

/** `undefined` where the token opens nothing: it was spent earlier, or belongs to another line. */
export async function openRefreshState(
  token: RefreshToken,
  state: RefreshState,
  keyName: string,
  sealing: Sealing,
): Promise<OpenedState | undefined> {
  const next = (from: RefreshToken, salt: string) => successorOf(from, salt, keyName, sealing);
  const open = async (place: OpenedState['place'], newest: RefreshToken, capability: RefreshToken) => {
    try {
      const opened = await openVersioned<[SessionSecrets, Answered | null]>(
        ...([sealing, FORM, state.sealed, refreshEntry(token.sessionId), formatRefreshToken(capability)] as const),
      );
      const [carried, answered] = opened;
      return { place, carried, answered: answered ?? undefined, newest };
    } catch (error) {
      if (error instanceof SealBrokenError) return undefined;
      throw error;
    }
  };
  switch (token.n) {
    case state.n:
      return open('current', token, next(token, state.nextSalt));
    case state.n - 1: {
      const newest = next(token, state.salt);
      return open('parent', newest, next(newest, state.nextSalt));
    }
    case state.n + 1:
      return open('ahead', token, token);
    default:
      return undefined;
  }
}

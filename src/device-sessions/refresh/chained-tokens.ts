import { createHash } from 'node:crypto';
import { chainedRefreshEntry, usedEntry } from '../../ledger/entry-keys.ts';
import type { AttemptAt, Change, Entry } from '../../ledger/ledger.ts';
import { type Form, openVersioned } from '../../ledger/versioned-seal.ts';
import { equalTexts, type Sealing } from '../../sealing/sealing.ts';
import { Secret } from '../../sealing/secret.ts';
import type { SessionSecrets } from './refresh-state.ts';
import { formatRefreshToken, type RefreshToken } from './refresh-token.ts';

/**
 * Refresh tokens of release 0.1.0, whose sessions live for up to `refresh_absolute` after an upgrade. There each token
 * was computed from the one before and had an entry of its own. Their first refresh here moves the session to the one
 * entry of `refresh-state.ts`; this file goes when no such session can be alive any more.
 */
export type ChainedToken =
  | { place: 'current'; carried: SessionSecrets; stands: AttemptAt }
  /** Exchanged by 0.1.0 itself, with a successor of the old kind. */
  | { place: 'parent'; carried: SessionSecrets; successor: RefreshToken; madeAtMs: number }
  /** It was handed out once, and used. */
  | { place: 'spent' };

const FORM: Form = { kind: 'refresh token', format: 1 };

/** What must be read to judge one. */
export function chainedEntries({ sessionId: id, n }: RefreshToken): string[] {
  return [chainedRefreshEntry(id, n), usedEntry(id, n), chainedRefreshEntry(id, n + 1)];
}

/**
 * @param entries what stands at `chainedEntries`
 * @throws {SealBrokenError} when no broker wrote them
 */
export async function judgeChainedToken(
  token: RefreshToken,
  [stored, used, next]: readonly (string | undefined)[],
  keyName: string,
  sealing: Sealing,
): Promise<ChainedToken | undefined> {
  const { sessionId: id, n } = token;
  if (used !== undefined) {
    const [, hash = '', usedAtMs] = sealing.check(usedEntry(id, n), used).split('|');
    if (!equalTexts(hashOf(token), hash)) return undefined;
    const secret = sealing.derive(keyName, 'next refresh token', token.secret).toString('base64url');
    const successor = { sessionId: id, n: n + 1, secret: new Secret(secret) };
    const carried = next === undefined ? undefined : await open(successor, next, sealing);
    return carried === undefined
      ? { place: 'spent' }
      : { place: 'parent', carried, successor, madeAtMs: Number(usedAtMs) };
  }
  const carried = stored === undefined ? undefined : await open(token, stored, sealing);
  if (stored === undefined || carried === undefined) return undefined;
  const attempt = stored.slice(0, stored.indexOf('|'));
  return { place: 'current', carried, stands: { key: chainedRefreshEntry(id, n), attempt } };
}

/** What its last refresh writes beside the state: it decides, and reuse is told by it. */
export function spendChainedToken(
  token: RefreshToken,
  attempt: string,
  { nowMs, expiresAtMs }: { nowMs: number; expiresAtMs: number },
  sealing: Sealing,
): { first: Entry; removes: NonNullable<Change['removes']> } {
  const key = usedEntry(token.sessionId, token.n);
  const value = sealing.vouch(key, `${attempt}|${hashOf(token)}|${nowMs}`);
  return { first: { key, value, expiresAtMs }, removes: [chainedRefreshEntry(token.sessionId, token.n)] };
}

async function open(token: RefreshToken, stored: string, sealing: Sealing): Promise<SessionSecrets | undefined> {
  const [, hash = '', sealed = ''] = stored.split('|');
  if (!equalTexts(hashOf(token), hash)) return undefined;
  const key = chainedRefreshEntry(token.sessionId, token.n);
  return openVersioned(sealing, FORM, sealed, key, formatRefreshToken(token));
}

function hashOf(token: RefreshToken): string {
  return createHash('sha256').update('gatehouse refresh token\n').update(token.secret.reveal()).digest('base64url');
}

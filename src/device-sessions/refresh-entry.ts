import type { Approval } from '../grants/approval.ts';
import { refreshEntry } from '../grants/entry-names.ts';
import { type Form, openNumbered, sealNumbered } from '../grants/numbered-seal.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { formatRefreshToken, isRefreshToken, type RefreshToken, refreshTokenHash } from './refresh-token.ts';

/** What a session carries from refresh to refresh besides what management sees: claims and the upstream's tokens. */
export interface Carried {
  approval: Approval;
  /** When the upstream last answered a refresh; the tolerance counts from here. */
  upstreamAnsweredAtMs: number;
}

const FORM: Form = { kind: 'refresh token', format: 1 };

/**
 * A refresh token's entry: `<attempt>|<hash>|<sealed>`. The sealed part opens only with the token itself, so neither the
 * storage nor the sealing key gives claims or the upstream's refresh token away; each rotation seals it anew.
 */
export async function sealRefreshEntry(
  attempt: string,
  token: RefreshToken,
  carried: Carried,
  sealing: Sealing,
): Promise<string> {
  const key = refreshEntry(token.sessionId, token.n);
  const sealed = await sealNumbered(sealing, FORM, carried, key, formatRefreshToken(token));
  return `${attempt}|${refreshTokenHash(token)}|${sealed}`;
}

/**
 * What the entry carries, or `undefined` where the token is not the one that it was written for.
 *
 * @throws {SealBrokenError} when no broker wrote it
 */
export async function openRefreshEntry(
  token: RefreshToken,
  stored: string,
  sealing: Sealing,
): Promise<Carried | undefined> {
  const [, hash = '', sealed = ''] = stored.split('|');
  if (!isRefreshToken(token, hash)) return undefined;
  const key = refreshEntry(token.sessionId, token.n);
  return openNumbered(sealing, FORM, sealed, key, formatRefreshToken(token));
}

import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import { Secret } from '../sealing/secret.ts';
import { userinfoEntry } from './entry-names.ts';
import type { Entry, Ledger } from './ledger.ts';
import { type Form, openNumbered, sealNumbered } from './numbered-seal.ts';
import type { IssuedAnswer } from './redeem-grant.ts';

const FORM: Form = { kind: 'userinfo', format: 1 };

/**
 * The entry beside an access token whose client has claims in its ID token that the access token lacks; none where it
 * has them all. It opens only with the access token, so neither the storage nor the sealing key gives the claims away.
 */
export async function userinfoEntries(
  sealing: Sealing,
  { id, jti, atMs, endsAtMs }: { id: string; jti: string; atMs: number; endsAtMs: number },
  { answer, userinfo }: IssuedAnswer,
): Promise<Entry[]> {
  if (userinfo === undefined) return [];
  const key = userinfoEntry(id, jti);
  const value = await sealNumbered(sealing, FORM, userinfo, key, new Secret(String(answer['access_token'])));
  return [{ key, value, expiresAtMs: Math.min(endsAtMs, atMs + Number(answer['expires_in']) * 1000) }];
}

export async function readUserinfo(
  { ledger, sealing }: { ledger: Ledger; sealing: Sealing },
  id: string,
  jti: string,
  accessToken: Secret,
): Promise<Readonly<Record<string, unknown>>> {
  const key = userinfoEntry(id, jti);
  const [stored] = (await ledger.read([key])).values;
  if (stored === undefined) return {};
  try {
    return await openNumbered(sealing, FORM, stored, key, accessToken);
  } catch (error) {
    // Who writes to the storage can take claims away, and no more.
    if (error instanceof SealBrokenError) return {};
    throw error;
  }
}

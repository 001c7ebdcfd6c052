import { userinfoEntry } from '../../ledger/entry-keys.ts';
import type { Entry, Ledger } from '../../ledger/ledger.ts';
import { type Form, openVersioned, sealVersioned } from '../../ledger/versioned-seal.ts';
import { SealBrokenError, type Sealing } from '../../sealing/sealing.ts';
import { Secret } from '../../sealing/secret.ts';
import type { IssuedAnswer } from './redemption.ts';

const FORM: Form = { kind: 'userinfo', format: 1 };

/**
 * The entry beside an access token whose client has claims in its ID token that the access token lacks; none where it
 * has them all. It opens only with the access token, so neither the storage nor the sealing key gives the claims away; with
 * what was signed of it, since ES256 signs the same token differently when its answer is given again.
 */
export async function userinfoEntries(
  sealing: Sealing,
  { id, jti, atMs, endsAtMs }: { id: string; jti: string; atMs: number; endsAtMs: number },
  { answer, userinfo }: IssuedAnswer,
): Promise<Entry[]> {
  if (userinfo === undefined) return [];
  const key = userinfoEntry(id, jti);
  const capability = signedPart(new Secret(String(answer['access_token'])));
  const value = await sealVersioned(sealing, FORM, userinfo, key, capability);
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
  // Release 0.1.0 sealed it to the whole token.
  for (const capability of [signedPart(accessToken), accessToken]) {
    try {
      return await openVersioned(sealing, FORM, stored, key, capability);
    } catch (error) {
      if (!(error instanceof SealBrokenError)) throw error;
    }
  }
  // A writer to the storage can take claims away, and no more.
  return {};
}

/** A JWT without its signature (RFC 7515 §3.1). */
function signedPart(token: Secret): Secret {
  const text = token.reveal();
  return new Secret(text.slice(0, text.lastIndexOf('.')));
}

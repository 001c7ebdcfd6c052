import { type CryptoKey, importJWK, type JWK } from 'jose';
import { UpstreamError } from '../upstream.ts';
import type { UpstreamSettings } from '../upstream-settings.ts';

/**
 * RFC 6749 §2.3.1, encoded as little as it allows. openid-client's own also encodes `-`, `_` and `.`, which fails at
 * servers that compare what they get as it is; most secrets consist of these and of letters and digits.
 */
export function basicCredentials(clientId: string, clientSecret: string): string {
  return `Basic ${Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64')}`;
}

function formEncoded(word: string): string {
  return new URLSearchParams([['', word]]).toString().slice(1);
}

/** The private key of `private_key_jwt` (RFC 7523), ready to sign. */
export async function assertionKey(settings: UpstreamSettings): Promise<{ key: CryptoKey; kid?: string }> {
  const jwk = parseKey(settings);
  const key = await importJWK(jwk, jwk.alg ?? usualAlgorithm(jwk)).catch(() => undefined);
  if (key === undefined || key instanceof Uint8Array || key.type !== 'private') throw unusable(settings);
  return { key, ...(jwk.kid !== undefined && { kid: jwk.kid }) };
}

function parseKey(settings: UpstreamSettings): JWK {
  try {
    return JSON.parse(settings.assertionKey?.jwk.reveal() ?? '') as JWK;
  } catch {
    throw unusable(settings);
  }
}

function usualAlgorithm(jwk: JWK): string {
  if (jwk.kty === 'EC') return jwk.crv === 'P-521' ? 'ES512' : jwk.crv === 'P-384' ? 'ES384' : 'ES256';
  return jwk.kty === 'OKP' ? 'Ed25519' : 'RS256';
}

function unusable(settings: UpstreamSettings): UpstreamError {
  return new UpstreamError(
    'client_rejected',
    `private_key of upstream ${settings.id} is not a private key (RSA, EC or Ed25519) that can sign`,
  );
}

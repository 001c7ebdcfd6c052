import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** RFC 7518 §6.2.1, §6.3.1 and RFC 8037 §2: what the others see of a key. */
const PUBLIC_MEMBERS = ['kty', 'crv', 'x', 'y', 'n', 'e'];
const PROBE = Buffer.from('signed with one half, verified with the other');

/**
 * The private key of a JWK that signs what its own public half verifies; `undefined` for anything else.
 *
 * What Node itself refuses changes from release to release: 24.22.1 and 26 compare the halves of most keys, earlier ones
 * take a private key with somebody else's public half, and nobody could verify what it signs.
 */
export function readPrivateJwk(jwk: Readonly<Record<string, unknown>>): KeyObject | undefined {
  try {
    const privateKey = createPrivateKey({ key: { ...jwk }, format: 'jwk' });
    const publicHalf = Object.fromEntries(
      PUBLIC_MEMBERS.filter((name) => name in jwk).map((name) => [name, jwk[name]]),
    );
    const publicKey = createPublicKey({ key: publicHalf, format: 'jwk' });
    const digest = privateKey.asymmetricKeyType?.startsWith('ed') === true ? null : 'sha256';
    return verify(digest, PROBE, publicKey, sign(digest, PROBE, privateKey)) ? privateKey : undefined;
  } catch {
    return undefined;
  }
}

import { createHash, type X509Certificate } from 'node:crypto';
import { Secret } from '../../sealing/secret.ts';
import type { AssertionKey } from '../../upstream/upstream-settings.ts';
import type { UpstreamSection } from '../schema/upstream-schema.ts';
import { readPrivateKeys } from './read-private-keys.ts';
import type { Reading } from './reading.ts';

const EXPECTED =
  'expected a private key (RSA, EC or Ed25519) as PEM without a passphrase, or as JWK with its own public part';

/** The key of `private_key_jwt`: PEM, a private JWK, or the first of a set, as `gatehouse keys generate signing` writes. */
export function readAssertionKey(
  path: string[],
  section: NonNullable<UpstreamSection['private_key']>,
  reading: Reading,
): AssertionKey | undefined {
  const text = reading.secret(path, section)?.reveal();
  if (text === undefined) return undefined;
  const [read] = readPrivateKeys(text);
  if (read === undefined || !['rsa', 'ec', 'ed25519'].includes(read.key.asymmetricKeyType ?? '')) {
    reading.problem(path, `is not a private key, ${EXPECTED}`);
    return undefined;
  }
  const jwk = new Secret(JSON.stringify({ ...read.key.export({ format: 'jwk' }), ...read.named }));
  if (!section.x5t) return { jwk, audience: section.audience };
  const certificate = read.certificates.find((one) => one.checkPrivateKey(read.key));
  if (certificate === undefined) {
    const what = read.certificates.length === 0 ? 'there is no certificate beside' : 'no certificate belongs to';
    const text = `is true and ${what} the key, expected it in the same file: -----BEGIN CERTIFICATE-----, or x5c in a JWK`;
    reading.problem([...path, 'x5t'], text);
    return undefined;
  }
  return { jwk, audience: section.audience, thumbprints: thumbprintsOf(certificate) };
}

/** RFC 7515 §4.1.7 and §4.1.8: the first is what Entra ID has always read, the second what it asks for now. */
function thumbprintsOf({ raw }: X509Certificate): Record<string, string> {
  const thumbprint = (algorithm: string) => createHash(algorithm).update(raw).digest('base64url');
  return { x5t: thumbprint('sha1'), 'x5t#S256': thumbprint('sha256') };
}

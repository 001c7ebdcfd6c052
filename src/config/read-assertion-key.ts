import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Secret } from '../sealing/secret.ts';
import { readPrivateJwk } from '../tokens/private-jwk.ts';
import type { AssertionKey } from '../upstream/upstream-settings.ts';
import type { Reading } from './reading.ts';
import type { UpstreamSection } from './upstream-schema.ts';

/** What a file with a private key says: the key, its names, and the certificates beside it. */
interface ReadKey {
  key: KeyObject;
  /** Of the JWK's other members these go with the key. */
  named: Readonly<Record<string, unknown>>;
  certificates: readonly X509Certificate[];
}

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
  const read = text.includes('-----BEGIN ') ? readPem(text) : readJwk(text);
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

function readPem(text: string): ReadKey | undefined {
  const [block] = /-----BEGIN (?:\w+ )?PRIVATE KEY-----[^-]+-----END (?:\w+ )?PRIVATE KEY-----/.exec(text) ?? [];
  const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return { key: createPrivateKey(block ?? ''), named: {}, certificates: pems.map((pem) => new X509Certificate(pem)) };
  } catch {
    // No key, or one with a passphrase; the parser's own message could quote it.
    return undefined;
  }
}

function readJwk(text: string): ReadKey | undefined {
  try {
    const parsed = JSON.parse(text) as { keys?: Record<string, unknown>[] } & Record<string, unknown>;
    const jwk = parsed.keys?.[0] ?? parsed;
    const key = readPrivateJwk(jwk);
    if (key === undefined) return undefined;
    // As itself, with its name: a `key_ops` and the like would be judged once more where it signs.
    const { kid, alg, use, x5c } = jwk;
    const ders = Array.isArray(x5c) ? x5c.map((one) => Buffer.from(String(one), 'base64')) : [];
    return { key, named: { kid, alg, use }, certificates: ders.map((der) => new X509Certificate(der)) };
  } catch {
    return undefined;
  }
}

/** RFC 7515 §4.1.7 and §4.1.8: the first is what Entra ID has always read, the second what it asks for now. */
function thumbprintsOf({ raw }: X509Certificate): Record<string, string> {
  const thumbprint = (algorithm: string) => createHash(algorithm).update(raw).digest('base64url');
  return { x5t: thumbprint('sha1'), 'x5t#S256': thumbprint('sha256') };
}

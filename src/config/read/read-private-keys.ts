import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readPrivateJwk } from '../../tokens/private-jwk.ts';

/** What a file with a private key says: the key, its names, and the certificates beside it. */
export interface PrivateKeyFile {
  key: KeyObject;
  /** Of the JWK's other members these go with the key. */
  named: Readonly<{ kid?: unknown; alg?: unknown; use?: unknown }>;
  certificates: readonly X509Certificate[];
}

/** Private keys as PEM, as a JWK or as a set of JWKs; `undefined` in the place of each that is none. */
export function readPrivateKeys(text: string): (PrivateKeyFile | undefined)[] {
  return text.includes('-----BEGIN ') ? readPem(text) : readJwks(text);
}

function readPem(text: string): (PrivateKeyFile | undefined)[] {
  const keys = text.match(/-----BEGIN (?:\w+ )?PRIVATE KEY-----[^-]+-----END (?:\w+ )?PRIVATE KEY-----/g) ?? [''];
  const pems = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return keys.map((pem) => {
    try {
      return { key: createPrivateKey(pem), named: {}, certificates: pems.map((one) => new X509Certificate(one)) };
    } catch {
      // No key, or one with a passphrase; the parser's own message could quote it.
      return undefined;
    }
  });
}

function readJwks(text: string): (PrivateKeyFile | undefined)[] {
  try {
    const parsed = JSON.parse(text) as { keys?: Record<string, unknown>[] } & Record<string, unknown>;
    return (parsed.keys ?? [parsed]).map(readJwk);
  } catch {
    return [undefined];
  }
}

function readJwk(jwk: Record<string, unknown>): PrivateKeyFile | undefined {
  try {
    const key = jwk['crv'] === 'X25519' ? readX25519(jwk) : readPrivateJwk(jwk);
    if (key === undefined) return undefined;
    // As itself, with its name: a `key_ops` and the like would be judged once more where it signs.
    const { kid, alg, use, x5c } = jwk;
    const ders = Array.isArray(x5c) ? x5c.map((one) => Buffer.from(String(one), 'base64')) : [];
    return { key, named: { kid, alg, use }, certificates: ders.map((der) => new X509Certificate(der)) };
  } catch {
    return undefined;
  }
}

/** It cannot sign, so its halves are held against each other. */
function readX25519(jwk: Record<string, unknown>): KeyObject | undefined {
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  return createPublicKey(key).export({ format: 'jwk' }).x === jwk['x'] ? key : undefined;
}

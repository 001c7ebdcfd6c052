import { createPublicKey } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import type { ClientSection } from '../schema/client-schema.ts';
import type { Path } from '../yaml/yaml-source.ts';
import type { Reading } from './reading.ts';

/** RFC 7518 §6: what only the owner of a key has. */
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'];

/** The public keys of a client, from a file or from the YAML itself. */
export function readClientKeys(
  path: Path,
  section: ClientSection['jwks'],
  reading: Reading,
): JSONWebKeySet | undefined {
  if (section === undefined) return undefined;
  if ((section.file === undefined) === (section.keys === undefined)) {
    reading.problem(path, 'expected exactly one of file and keys: { file: PATH } or { keys: [ … ] }');
    return undefined;
  }
  const keys = section.keys ?? keysOfFile(path, section.file ?? '', reading);
  if (keys?.length === 0) reading.problem(path, 'has no keys, expected at least one public JWK');
  const kids = new Set<unknown>();
  const read: JWK[] = [];
  keys?.forEach((key, index) => {
    const jwk = readKey(key);
    const fault = typeof jwk === 'string' ? jwk : keys.length > 1 ? faultOfKid(key['kid'], kids) : undefined;
    if (typeof jwk !== 'string') read.push(jwk);
    if (fault === undefined) return;
    if (section.keys === undefined) reading.problem(path, `file ${section.file}: key ${index + 1} ${fault}`);
    else reading.problem([...path, 'keys', index], fault);
  });
  return keys === undefined ? undefined : { keys: read };
}

function keysOfFile(path: Path, name: string, reading: Reading): Record<string, unknown>[] | undefined {
  const text = reading.file(path, name);
  if (text === undefined) return undefined;
  try {
    const { keys } = JSON.parse(text) as { keys?: unknown };
    if (Array.isArray(keys)) return keys as Record<string, unknown>[];
  } catch {
    // The parser's own message would quote the file.
  }
  reading.problem(path, `file ${name} is not a JWKS, expected JSON such as { "keys": [ … ] }`);
  return undefined;
}

/**
 * What is wrong with a key, or the key as itself: of what else its JWK says only the name and the algorithm are kept. A
 * `key_ops` that Web Crypto does not know, for one, is an error there, at each request of the client.
 */
function readKey(key: Record<string, unknown>): JWK | string {
  if (typeof key !== 'object' || key === null) return 'is not a JWK';
  const secret = PRIVATE_MEMBERS.find((member) => member in key);
  if (secret !== undefined) return `has a private part ("${secret}"), expected the public key only`;
  const { kid, use, alg } = key;
  if (use !== undefined && use !== 'sig') return 'has another "use" than "sig"';
  if (alg !== undefined && typeof alg !== 'string') return 'has an "alg" that is not a text';
  try {
    const publicKey = createPublicKey({ key, format: 'jwk' });
    const { asymmetricKeyType: type = '', asymmetricKeyDetails: details } = publicKey;
    if (type === 'rsa' && Number(details?.modulusLength) < 2048) return 'has fewer than 2048 bits';
    if (!['rsa', 'ec', 'ed25519'].includes(type)) return 'is not an RSA, EC or Ed25519 key';
    return {
      ...(publicKey.export({ format: 'jwk' }) as JWK),
      ...(typeof kid === 'string' && { kid }),
      ...(alg !== undefined && { alg }),
      ...(use !== undefined && { use }),
    };
  } catch {
    return 'is not a public JWK that can be read';
  }
}

function faultOfKid(kid: unknown, kids: Set<unknown>): string | undefined {
  if (typeof kid !== 'string' || kid === '') return 'has no "kid", expected one where there are several keys';
  if (kids.has(kid)) return `has the "kid" of another one: ${kid}`;
  kids.add(kid);
  return undefined;
}

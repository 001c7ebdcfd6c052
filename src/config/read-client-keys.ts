import { createPublicKey } from 'node:crypto';
import type { JSONWebKeySet, JWK } from 'jose';
import type { ClientSection } from './client-schema.ts';
import type { Reading } from './reading.ts';
import type { Path } from './yaml-source.ts';

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
  keys?.forEach((key, index) => {
    const fault = faultOf(key) ?? (keys.length > 1 ? faultOfKid(key['kid'], kids) : undefined);
    if (fault === undefined) return;
    if (section.keys === undefined) reading.problem(path, `file ${section.file}: key ${index + 1} ${fault}`);
    else reading.problem([...path, 'keys', index], fault);
  });
  return keys === undefined ? undefined : { keys: keys as unknown as JWK[] };
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

function faultOf(key: Record<string, unknown>): string | undefined {
  if (typeof key !== 'object' || key === null) return 'is not a JWK';
  const secret = PRIVATE_MEMBERS.find((member) => member in key);
  if (secret !== undefined) return `has a private part ("${secret}"), expected the public key only`;
  const { use, alg } = key;
  if (use !== undefined && use !== 'sig') return 'has another "use" than "sig"';
  if (alg !== undefined && typeof alg !== 'string') return 'has an "alg" that is not a text';
  try {
    const { asymmetricKeyType: type, asymmetricKeyDetails: details } = createPublicKey({ key, format: 'jwk' });
    if (type === 'rsa' && Number(details?.modulusLength) < 2048) return 'has fewer than 2048 bits';
    return type === 'rsa' || type === 'ec' || type === 'ed25519' ? undefined : 'is not an RSA, EC or Ed25519 key';
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

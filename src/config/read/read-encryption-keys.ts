import type { KeyObject } from 'node:crypto';
import { isKeyAlgorithm, KEY_ALGORITHMS } from '../../oauth/encryption-algorithms.ts';
import { Secret } from '../../sealing/secret.ts';
import type { SecretRef } from '../schema/secret-schemas.ts';
import { type PrivateKeyFile, readPrivateKeys } from './read-private-keys.ts';
import type { Reading } from './reading.ts';

/** While one is replaced there are two; each costs an attempt at a token that names none. */
const MAX_KEYS = 4;
const MIN_RSA_BITS = 2048;
const CURVES = ['prime256v1', 'secp384r1', 'secp521r1'];
const EXPECTED =
  'expected a private key (RSA, EC or X25519) as PEM without a passphrase, or as JWK with its own public part';

/** The keys of `encryption_key`, each as a private JWK: what an upstream encrypted for one of them is ours to read. */
export function readEncryptionKeys(path: string[], ref: SecretRef, reading: Reading): Secret[] | undefined {
  const text = reading.secret(path, ref)?.reveal();
  if (text === undefined) return undefined;
  const found = readPrivateKeys(text);
  if (found.length > MAX_KEYS) {
    reading.problem(path, `found ${found.length} keys, expected at most ${MAX_KEYS}`);
    return undefined;
  }
  if (found.length === 0) reading.problem(path, `found no key, ${EXPECTED}`);
  const faults = found.map(faultOf).filter((fault) => fault !== undefined);
  if (faults[0] !== undefined) reading.problem(path, faults[0]);
  return found.flatMap((read) =>
    read === undefined ? [] : new Secret(JSON.stringify({ ...read.key.export({ format: 'jwk' }), ...read.named })),
  );
}

function faultOf(read: PrivateKeyFile | undefined): string | undefined {
  if (read === undefined) return `is not a private key, ${EXPECTED}`;
  const { key, named } = read;
  const { alg, use } = named;
  const kind = key.asymmetricKeyType ?? '';
  if (!canDecrypt(key)) return `found a key (${kind}) that cannot decrypt here, ${EXPECTED}`;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? MIN_RSA_BITS;
  if (bits < MIN_RSA_BITS) return `found an RSA key of ${bits} bits, expected ${MIN_RSA_BITS} or more`;
  if (use !== undefined && use !== 'enc') {
    return 'found a key that is not for encryption (use), expected one of its own';
  }
  if (alg === undefined) return undefined;
  return isKeyAlgorithm(alg, kind === 'rsa')
    ? undefined
    : `found a key for another alg, expected one of ${KEY_ALGORITHMS.join(', ')}`;
}

function canDecrypt({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  return type === 'rsa' || type === 'x25519' || (type === 'ec' && CURVES.includes(details?.namedCurve ?? ''));
}

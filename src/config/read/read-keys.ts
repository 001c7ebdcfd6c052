import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { SealingSettings } from '../../sealing/sealing-keys.ts';
import type { Secret } from '../../sealing/secret.ts';
import type { StorageSettings } from '../../storage/storage.ts';
import { parseSigningKeySet, SigningKeySetError } from '../../tokens/signing-key-set.ts';
import type { SigningSettings } from '../../tokens/signing-keys.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import type { Reading } from './reading.ts';

type Driver = StorageSettings['driver'];

/** A process that forgets everything at its end may make its keys at its start; nobody else can read what it seals. */
const MADE_AT_START = 'is left out: made at start, and gone at the end (driver memory)';

export function readSealing(file: ConfigFile, driver: Driver, reading: Reading): SealingSettings | undefined {
  const path = ['keys', 'sealing'];
  const refs = file.keys.sealing;
  if (refs === undefined) {
    missing(path, '[{ env: NAME }] or [{ file: PATH }]', driver, reading);
    return undefined;
  }
  const keys: Secret[] = [];
  refs.forEach((ref, index) => {
    const key = reading.secret([...path, index], ref);
    if (key === undefined) return;
    if (!isKey(key.reveal())) {
      const text = 'is not a sealing key, expected 32 bytes in base64url (gatehouse keys generate sealing makes one)';
      reading.problem([...path, index], text);
    } else if (keys.some((other) => bytesOf(other.reveal()).equals(bytesOf(key.reveal())))) {
      reading.problem([...path, index], 'is the same key as one before it, expected each once');
    } else keys.push(key);
  });
  return { keys };
}

function isKey(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}=?$/.test(text);
}

function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'base64url');
}

export function readSigning(file: ConfigFile, driver: Driver, reading: Reading): SigningSettings | undefined {
  const path = ['keys', 'signing'];
  if (file.keys.signing === undefined) {
    missing(path, '{ file: PATH }', driver, reading);
    return undefined;
  }
  const text = reading.secret(path, file.keys.signing);
  if (text === undefined) return undefined;
  try {
    return { keys: parseSigningKeySet(text.reveal()) };
  } catch (error) {
    if (!(error instanceof SigningKeySetError)) throw error;
    reading.problem(path, `the key set ${error.message}`);
    return undefined;
  }
}

function missing(path: string[], expected: string, driver: Driver, reading: Reading): void {
  if (driver === 'memory') reading.warning(path, MADE_AT_START);
  else reading.problem(path, `is missing, expected ${expected} with storage.driver ${driver}`, ['storage', 'driver']);
}

/** Every algorithm that somebody is promised must have a key. */
export function checkAlgorithms(
  signing: SigningSettings | undefined,
  clients: readonly RegisteredClient[],
  file: ConfigFile,
  reading: Reading,
): void {
  if (signing === undefined) return;
  const has = (alg: string) => signing.keys.some((key) => key.alg === alg);
  for (const { id, signingAlg } of clients) {
    if (has(signingAlg)) continue;
    const text = `${signingAlg} has no key in keys.signing, expected one there or another signing_alg here`;
    reading.problem(['clients', id, 'signing_alg'], text);
  }
  if (file.compatibility.keycloak !== undefined && !has('RS256')) {
    const text = 'keys.signing has no RS256 key, expected one: its clients know nothing else';
    reading.problem(['compatibility', 'keycloak'], text);
  }
}

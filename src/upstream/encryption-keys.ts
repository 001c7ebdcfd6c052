import { createPrivateKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { compactDecrypt, decodeProtectedHeader, errors, type ProtectedHeaderParameters } from 'jose';
import { CONTENT_ALGORITHMS, isEncrypted, isKeyAlgorithm, KEY_ALGORITHMS } from '../oauth/encryption-algorithms.ts';
import { printable } from './requests/foreign-text.ts';
import { UpstreamError } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

/** Ten times of what a token with a thousand groups has. */
const MAX_LENGTH = 256 * 1024;
const SIGNED_JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

interface EncryptionKey {
  key: KeyObject;
  kid?: unknown;
  alg?: unknown;
}

/**
 * What an upstream has encrypted for us (OpenID Connect Core §10.2). It keeps a token from being read on its way, and
 * says nothing of who wrote it, since our public key is for everybody: what is inside is verified like any other answer.
 */
export class EncryptionKeys {
  readonly #upstream: string;
  readonly #keys: readonly EncryptionKey[];

  constructor({ id, encryptionKeys = [] }: Pick<UpstreamSettings, 'id' | 'encryptionKeys'>) {
    this.#upstream = id;
    this.#keys = encryptionKeys.map((secret) => {
      const jwk = JSON.parse(secret.reveal()) as JsonWebKey & { kid?: unknown; alg?: unknown };
      return { key: createPrivateKey({ key: jwk, format: 'jwk' }), kid: jwk.kid, alg: jwk.alg };
    });
  }

  /**
   * The signed JWT that a token is or holds.
   *
   * @throws {UpstreamError} `invalid_answer`
   */
  async signedToken(what: string, token: string): Promise<string> {
    if (!isEncrypted(token)) return token;
    const held = await this.open(what, token);
    if (!SIGNED_JWT.test(held)) {
      throw refused(`${what} is encrypted and holds no signed JWT: let the provider sign it too, before it encrypts`);
    }
    return held;
  }

  /**
   * The text that is encrypted.
   *
   * @throws {UpstreamError} `invalid_answer`
   */
  async open(what: string, token: string): Promise<string> {
    const setting = `upstreams.${this.#upstream}.encryption_key`;
    if (this.#keys.length === 0) {
      const text = `${what} is encrypted, and there is no ${setting}: set it to the private key that the provider has the`;
      throw refused(`${text} public half of, or switch the encryption off for this client there`);
    }
    if (token.length > MAX_LENGTH) throw refused(`${what} is encrypted and longer than ${MAX_LENGTH} characters`);
    const header = decodeHeader(what, token);
    const alg = printable(String(header.alg));
    if (!KEY_ALGORITHMS.includes(alg)) {
      throw refused(`${what} is encrypted with ${alg}: let the provider use one of ${KEY_ALGORITHMS.join(', ')}`);
    }
    const fitting = this.#keys.filter(
      (one) => isKeyAlgorithm(alg, one.key.asymmetricKeyType === 'rsa') && (one.alg ?? alg) === alg,
    );
    if (fitting.length === 0) throw refused(`${what} is encrypted with ${alg}, and ${setting} has no key for that`);
    const named = fitting.filter(({ kid }) => kid !== undefined && kid === header.kid);
    let failure: unknown;
    for (const { key } of named.length > 0 ? named : fitting) {
      try {
        return await decrypt(token, key, alg);
      } catch (error) {
        failure = error;
      }
    }
    throw refused(`${what} cannot be decrypted with ${setting}: ${reasonOf(failure, header)}`);
  }
}

async function decrypt(token: string, key: KeyObject, alg: string): Promise<string> {
  const { plaintext } = await compactDecrypt(token, key, {
    keyManagementAlgorithms: [alg],
    contentEncryptionAlgorithms: CONTENT_ALGORITHMS,
    // A few bytes can be packed that become more than anybody wants to read.
    maxDecompressedLength: 0,
  });
  return new TextDecoder('utf-8', { fatal: true }).decode(plaintext);
}

function decodeHeader(what: string, token: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw refused(`${what} has five parts as if it were encrypted, and a header that cannot be read`);
  }
}

function reasonOf(failure: unknown, { enc, kid, zip }: ProtectedHeaderParameters & { zip?: unknown }): string {
  if (zip !== undefined) return 'it is compressed (zip), which is not accepted';
  if (failure instanceof errors.JOSEAlgNotAllowed) return `its enc ${printable(String(enc))} is not accepted`;
  const name =
    kid === undefined ? 'another key' : `another key, which it names ${JSON.stringify(printable(String(kid)))}`;
  return `it is damaged, or was encrypted for ${name}`;
}

function refused(why: string): UpstreamError {
  return new UpstreamError('invalid_answer', why);
}

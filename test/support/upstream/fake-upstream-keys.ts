import { base64url, CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import { changed } from './changed.ts';

interface SigningKey {
  privateKey: CryptoKey;
  publicJwk: JWK;
}

/** What an upstream may publish in place of its one key with its name. */
export type PublishedKeys =
  | 'one_without_kid'
  | 'two_alike_without_kid'
  | 'two_with_kid'
  | 'same_twice'
  /** Another key six times, before the right one. */
  | 'same_six_times'
  | 'four_others_first'
  | 'unreadable'
  | 'with_junk'
  | 'none';

export type BadSignature = 'none' | 'broken' | 'foreign_key' | 'client_secret';

/** The signing keys of a fake upstream, and every way to sign with them wrongly. */
export class FakeKeys {
  readonly #algorithm: string;
  #key: SigningKey;
  readonly #foreign: SigningKey;
  #count = 1;

  private constructor(algorithm: string, key: SigningKey, foreign: SigningKey) {
    this.#algorithm = algorithm;
    this.#key = key;
    this.#foreign = foreign;
  }

  static async make(algorithm: string): Promise<FakeKeys> {
    return new FakeKeys(algorithm, await makeKey(algorithm, 'key-1'), await makeKey(algorithm, 'key-1'));
  }

  /**
   * From now on another key signs, and only that one is published.
   *
   * @param kid in place of one that nobody had before
   */
  async rotate(kid?: string): Promise<void> {
    this.#count += 1;
    this.#key = await makeKey(this.#algorithm, kid ?? `key-${this.#count}`);
  }

  published(which?: PublishedKeys): { keys: unknown[] } {
    const bare = ({ publicJwk: { kid: _kid, ...jwk } }: SigningKey): JWK => jwk;
    const { publicJwk } = this.#key;
    const other = { ...this.#foreign.publicJwk, kid: 'another' };
    switch (which) {
      case undefined:
        return { keys: [publicJwk] };
      case 'none':
        return { keys: [] };
      case 'one_without_kid':
        return { keys: [bare(this.#key)] };
      case 'two_alike_without_kid':
        return { keys: [bare(this.#foreign), bare(this.#key)] };
      case 'two_with_kid':
        return { keys: [other, publicJwk] };
      case 'same_twice':
        return { keys: [publicJwk, { ...publicJwk }] };
      case 'same_six_times':
        return { keys: [...Array.from({ length: 6 }, () => bare(this.#foreign)), bare(this.#key)] };
      case 'four_others_first':
        return { keys: [...[1, 2, 3, 4].map((n) => ({ ...other, kid: `another-${n}` })), publicJwk] };
      case 'unreadable':
        // No point of the curve, and no modulus.
        return { keys: [{ ...publicJwk, x: 'AAAA', n: '' }] };
      case 'with_junk':
        return { keys: [null, 'key', {}, { kty: 'oct' }, { ...publicJwk, kid: null, x: '?' }, publicJwk] };
    }
  }

  async sign(
    claims: Record<string, unknown>,
    options: { header?: Record<string, unknown> | undefined; signature?: BadSignature | undefined; secret?: string },
  ): Promise<string> {
    const { signature, secret = '' } = options;
    const usual = { alg: this.#algorithm, kid: this.#key.publicJwk.kid };
    const payload = new TextEncoder().encode(JSON.stringify(claims));
    if (signature === 'none') {
      return `${encoded(changed({ alg: 'none' }, options.header))}.${base64url.encode(payload)}.`;
    }
    if (signature === 'client_secret') {
      const header = changed({ ...usual, alg: 'HS256' }, options.header) as { alg: string };
      return new CompactSign(payload).setProtectedHeader(header).sign(new TextEncoder().encode(secret.padEnd(32, '.')));
    }
    const header = changed(usual, options.header) as { alg: string; crit?: string[] };
    const { privateKey } = signature === 'foreign_key' ? this.#foreign : this.#key;
    const crit = Object.fromEntries((header.crit ?? []).map((name) => [name, true]));
    const token = await new CompactSign(payload).setProtectedHeader(header).sign(privateKey, { crit });
    return signature === 'broken' ? flipped(token) : token;
  }
}

async function makeKey(algorithm: string, kid: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(algorithm, { extractable: true });
  return { privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg: algorithm, use: 'sig' } };
}

function encoded(value: unknown): string {
  return base64url.encode(JSON.stringify(value));
}

/** The same token with one bit of its signature changed. */
function flipped(token: string): string {
  const [header, payload, signature = ''] = token.split('.');
  const bytes = base64url.decode(signature);
  bytes[8] = (bytes[8] ?? 0) ^ 1;
  return `${header}.${payload}.${base64url.encode(bytes)}`;
}

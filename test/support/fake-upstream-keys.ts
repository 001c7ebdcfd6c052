import { base64url, CompactSign, type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import { changed } from './fake-upstream-behaviour.ts';

interface SigningKey {
  privateKey: CryptoKey;
  publicJwk: JWK;
}

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

  /** From now on another key signs, and only that one is published. */
  async rotate(): Promise<void> {
    this.#count += 1;
    this.#key = await makeKey(this.#algorithm, `key-${this.#count}`);
  }

  published(which?: 'one_without_kid' | 'two_alike_without_kid' | 'unreadable' | 'none'): { keys: JWK[] } {
    const bare = ({ publicJwk: { kid: _kid, ...jwk } }: SigningKey): JWK => jwk;
    if (which === 'none') return { keys: [] };
    if (which === 'one_without_kid') return { keys: [bare(this.#key)] };
    if (which === 'two_alike_without_kid') return { keys: [bare(this.#foreign), bare(this.#key)] };
    // No point of the curve, and no modulus.
    if (which === 'unreadable') return { keys: [{ ...this.#key.publicJwk, x: 'AAAA', n: '' }] };
    return { keys: [this.#key.publicJwk] };
  }

  async sign(
    claims: Record<string, unknown>,
    options: { header?: Record<string, unknown> | undefined; signature?: BadSignature | undefined; secret?: string },
  ): Promise<string> {
    const { signature, secret = '' } = options;
    const usual = { alg: this.#algorithm, kid: this.#key.publicJwk.kid };
    const payload = new TextEncoder().encode(JSON.stringify(claims));
    if (signature === 'none')
      return `${encoded(changed({ alg: 'none' }, options.header))}.${base64url.encode(payload)}.`;
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

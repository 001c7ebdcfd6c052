import { isEncrypted } from '../oauth/encryption-algorithms.ts';
import type { EncryptionKeys } from './encryption-keys.ts';
import { BufferedResponse } from './requests/buffered-response.ts';

/** Userinfo's reply (OpenID Connect Core §5.3.2) on its way to openid-client, which neither decrypts nor verifies it. */
export class UserinfoReply {
  /** The JWT that the claims came in, where they came in one. */
  signed: string | undefined;
  readonly #keys: Pick<EncryptionKeys, 'open'>;

  constructor(keys: Pick<EncryptionKeys, 'open'>) {
    this.#keys = keys;
  }

  async read(response: BufferedResponse): Promise<BufferedResponse> {
    if (response.headers.get('content-type')?.startsWith('application/jwt') !== true) return response;
    const came = (await response.text()).trim();
    if (!isEncrypted(came)) {
      this.signed = came;
      return response;
    }
    const held = await this.#keys.open('userinfo', came);
    // It may be encrypted and not signed, and is then what it would be in plain text.
    const isPlain = held.startsWith('{');
    if (!isPlain) this.signed = held;
    const headers = { 'content-type': isPlain ? 'application/json' : 'application/jwt' };
    return new BufferedResponse(held, { status: response.status, headers });
  }
}

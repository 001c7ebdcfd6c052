import { isJsonObject } from '../../oauth/json-object.ts';
import { Secret } from '../../sealing/secret.ts';
import type { EncryptionKeys } from '../encryption-keys.ts';
import type { BufferedResponse } from './buffered-response.ts';
import { isEmpty, withoutEmpty } from './without-empty.ts';

/**
 * A token endpoint's reply (RFC 6749 §5.1, §5.2) on its way to openid-client, which refuses a whole answer for one
 * member that says nothing. Nothing is made up here: what is empty or cannot be read is left out, and what must be there
 * is missed by openid-client as before.
 */
export class TokenReply {
  /** Known even where the rest of the answer is refused: an upstream that rotates has spent the old one for it. */
  refreshToken: Secret | undefined;
  #idToken: string | undefined;
  readonly #keys: Pick<EncryptionKeys, 'signedToken'>;

  constructor(keys: Pick<EncryptionKeys, 'signedToken'>) {
    this.#keys = keys;
  }

  async read(response: BufferedResponse): Promise<BufferedResponse> {
    const body = await jsonObject(response);
    if (body === undefined) return response;
    const members = withoutEmpty(body);
    const { refresh_token: refreshToken, id_token: idToken } = members;
    const status = statusOf(response, members);
    if (status === 200) {
      if (typeof refreshToken === 'string') this.refreshToken = new Secret(refreshToken);
      else delete members['refresh_token'];
      if (typeof idToken === 'string') {
        const signed = await this.#keys.signedToken('ID token', idToken);
        this.#idToken = signed;
        members['id_token'] = withoutEmptyClaims(signed);
      }
      readMember(members, 'expires_in', readSeconds);
      readMember(members, 'scope', readScope);
    }
    // RFC 6749 §5.2 puts the error into the body; a challenge beside it is about the transport.
    const isRefusal = typeof members['error'] === 'string';
    const headers = { 'content-type': 'application/json', ...(isRefusal && { 'www-authenticate': undefined }) };
    return response.with({ body: members, status, headers });
  }

  /** The answer with the ID token as it came, or as it was encrypted: that is what is signed. */
  restored<Answer extends { id_token?: string }>(answer: Answer): Answer {
    return this.#idToken === undefined ? answer : { ...answer, id_token: this.#idToken };
  }
}

/** The error code decides, not the status: some refuse with 200, as if the words alone were the answer. */
function statusOf({ status }: BufferedResponse, { error, access_token: accessToken }: Record<string, unknown>): number {
  return status === 200 && typeof error === 'string' && accessToken === undefined ? 400 : status;
}

async function jsonObject(response: BufferedResponse): Promise<Record<string, unknown> | undefined> {
  try {
    const body: unknown = await response.json();
    return isJsonObject(body) ? body : undefined;
  } catch {
    return undefined;
  }
}

function readMember(members: Record<string, unknown>, name: string, read: (value: unknown) => unknown): void {
  const value = read(members[name]);
  if (value === undefined) delete members[name];
  else members[name] = value;
}

/** A number, or its digits as text. A life that cannot be read is one that was not told (RFC 6749 §5.1). */
function readSeconds(value: unknown): number | undefined {
  const seconds = typeof value === 'string' && /^\d{1,15}(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
  return typeof seconds === 'number' && Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
}

/** RFC 6749 §3.3, or the list that some make of it. */
function readScope(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  const isList = Array.isArray(value) && value.every((entry) => typeof entry === 'string');
  return isList ? value.join(' ') : undefined;
}

/**
 * The same claims for openid-client's checks, none of which an absent claim passes more easily than an empty one. It
 * verifies no signature; that is done over the token as it came.
 */
function withoutEmptyClaims(idToken: string): string {
  const [header = '', payload = '', ...signature] = idToken.split('.');
  if (signature.length !== 1) return idToken;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString());
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) return idToken;
    if (!Object.values(claims).some(isEmpty)) return idToken;
    const told = Buffer.from(JSON.stringify(withoutEmpty(claims as Record<string, unknown>))).toString('base64url');
    return [header, told, ...signature].join('.');
  } catch {
    return idToken;
  }
}

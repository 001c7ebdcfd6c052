import { JWT_BEARER_ASSERTION } from '../oauth/grant-types.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import { Secret } from '../sealing/secret.ts';

/**
 * Clients are the registered devices' applications and how they prove to be them. What a client may have is judged in
 * `grants/`; which endpoint asks is not known here.
 */
export type ClientCredentials =
  | { method: 'none'; clientId: string }
  /** Each a possible reading of the same header: clients send the two parts form-encoded or raw. */
  | { method: 'basic'; readings: readonly { clientId: string; secret: Secret }[] }
  | { method: 'body'; clientId: string; secret: Secret }
  | { method: 'assertion'; clientId: string | undefined; assertion: string };

/** The parameters that carry credentials; an empty one is as good as none. */
export interface CredentialParameters {
  client_id?: string | undefined;
  client_secret?: string | undefined;
  client_assertion?: string | undefined;
  client_assertion_type?: string | undefined;
}

/**
 * What a request says about its client.
 *
 * @throws {OAuthError} `invalid_request` when it says nothing, or two things at once (RFC 6749 §2.3); `invalid_client`
 *   for an Authorization header that is no credential of a client
 */
export function readClientCredentials(
  authorization: string | undefined,
  parameters: CredentialParameters,
): ClientCredentials {
  const { client_id: clientId, client_secret: secret, client_assertion: assertion } = parameters;
  const isBasic = authorization !== undefined && /^basic( |$)/i.test(authorization);
  if (Number(isBasic) + Number(secret !== undefined) + Number(assertion !== undefined) > 1) {
    throw new OAuthError('invalid_request', 'use one way of client authentication, not two');
  }
  if (isBasic) return readBasic(authorization, clientId);
  if (assertion !== undefined) {
    if (parameters.client_assertion_type !== JWT_BEARER_ASSERTION) {
      throw new OAuthError('invalid_request', 'client_assertion_type is missing or not known');
    }
    return { method: 'assertion', clientId, assertion };
  }
  if (clientId === undefined) throw new OAuthError('invalid_request', 'client_id is missing');
  return secret === undefined ? { method: 'none', clientId } : { method: 'body', clientId, secret: new Secret(secret) };
}

function readBasic(authorization: string, parameterId: string | undefined): ClientCredentials {
  const text = Buffer.from(authorization.slice('basic '.length).trim(), 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) {
    throw new OAuthError('invalid_client', 'the Basic credentials are not readable', { headers: basicChallenge() });
  }
  const raw = { clientId: text.slice(0, colon), secret: new Secret(text.slice(colon + 1)) };
  const readings = [raw];
  const decodedId = formDecode(raw.clientId);
  const decodedSecret = formDecode(raw.secret.reveal());
  const isOther = decodedId !== raw.clientId || decodedSecret !== raw.secret.reveal();
  if (isOther && decodedId !== undefined && decodedSecret !== undefined) {
    readings.push({ clientId: decodedId, secret: new Secret(decodedSecret) });
  }
  if (parameterId !== undefined && !readings.some((reading) => reading.clientId === parameterId)) {
    throw new OAuthError('invalid_request', 'client_id is not the client of the Authorization header');
  }
  return { method: 'basic', readings };
}

/** RFC 6749 §5.2: where Basic was tried, the answer says that it may be tried again. */
export function basicChallenge(): Record<string, string> {
  return { 'WWW-Authenticate': 'Basic realm="gatehouse", charset="UTF-8"' };
}

function formDecode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}

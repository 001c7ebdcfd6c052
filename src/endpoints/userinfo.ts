import type { RegisteredClient } from '../clients/registered-client.ts';
import { activeSession, type SessionsDeps } from '../device-sessions/active-session.ts';
import { readUserinfo } from '../grants/redeem/userinfo-entry.ts';
import { OAUTH_ERRORS, OAuthError, type OAuthErrorCode } from '../oauth/oauth-error.ts';
import { Secret } from '../sealing/secret.ts';
import { userinfoClaims } from '../tokens/userinfo-claims.ts';
import type { AccessTokens, ReadAccessToken } from './access-tokens.ts';
import type { DpopProofs } from './dpop-proofs.ts';
import type { DeviceRequest, Endpoint } from './http/endpoint.ts';
import { DPOP_ALGS } from './proof-signature.ts';

export interface UserinfoDeps {
  clients: ReadonlyMap<string, RegisteredClient>;
  sessions: SessionsDeps;
  accessTokens: AccessTokens;
  dpop: DpopProofs;
}

type Scheme = 'Bearer' | 'DPoP';

/** OpenID Connect Core §5.3, for tokens that we minted with `openid`. Errors as RFC 6750 §3 and RFC 9449 §7.1 want them. */
export function createUserinfo(deps: UserinfoDeps): Endpoint {
  return async (request) => {
    const { scheme, text } = presentedToken(request);
    try {
      return { status: 200, body: await claimsFor(deps, request, scheme, text) };
    } catch (error) {
      throw error instanceof OAuthError ? challenged(error, scheme) : error;
    }
  };
}

async function claimsFor(deps: UserinfoDeps, request: DeviceRequest, scheme: Scheme, text: string) {
  const token = await deps.accessTokens.read(text);
  if (token === undefined) throw new OAuthError('invalid_token', 'the access token is not valid here');
  await requireKey(deps.dpop, request, token, scheme, text);
  const client = deps.clients.get(token.clientId);
  const session = await activeSession(deps.sessions, token.sessionId);
  if (client === undefined || session === undefined) {
    throw new OAuthError('invalid_token', 'the device session of this token has ended');
  }
  request.clientId = client.id;
  if (!token.scopes.includes('openid')) {
    throw new OAuthError('insufficient_scope', 'the access token was not granted openid');
  }
  const kept = await readUserinfo(deps.sessions, session.id, token.jti, new Secret(text));
  const claims = { ...token.claims, ...kept };
  const { groups } = claims as { groups?: readonly string[] };
  return userinfoClaims(client, token.scopes, String(token.claims.sub), { claims, groups });
}

/** RFC 9449 §7: a token that is bound to a key is worth nothing without it, nor as a bearer token. */
async function requireKey(
  dpop: DpopProofs,
  request: DeviceRequest,
  { jkt, sessionId }: ReadAccessToken,
  scheme: Scheme,
  text: string,
): Promise<void> {
  if ((jkt !== undefined) !== (scheme === 'DPoP')) {
    throw new OAuthError('invalid_token', 'the access token belongs to the other authentication scheme');
  }
  if (jkt === undefined) return;
  const proof = await dpop.proofOf(request, text);
  if (proof.jkt === '') throw new OAuthError('invalid_dpop_proof', 'the DPoP header is missing');
  if (proof.jkt !== jkt) throw new OAuthError('invalid_token', 'the access token is bound to another key');
  await proof.spend(sessionId);
}

/** RFC 6750 §2.1 and §2.2; tokens in the query are not read (§2.3, RFC 9700 §4.3.2). */
function presentedToken({ headers, form }: DeviceRequest): { scheme: Scheme; text: string } {
  const { authorization } = headers;
  const inBody = form.get('access_token');
  if (authorization !== undefined && inBody !== undefined) {
    throw challenged(new OAuthError('invalid_request', 'the access token is there twice'), 'Bearer');
  }
  if (inBody !== undefined) return { scheme: 'Bearer', text: inBody };
  const [, name = '', text = ''] = /^(Bearer|DPoP) +([\w.~+/-]+=*) *$/i.exec(authorization ?? '') ?? [];
  if (name !== '') return { scheme: name.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', text };
  if (authorization !== undefined && /^(Bearer|DPoP)\b/i.test(authorization)) {
    throw challenged(new OAuthError('invalid_request', 'the Authorization header is malformed'), 'Bearer');
  }
  // RFC 6750 §3.1: who brought no token is told how to bring one, and nothing else.
  throw new OAuthError('invalid_token', 'an access token is missing', { headers: challenges(undefined, 'Bearer') });
}

/** The same refusal with the challenge that belongs to it. Trouble of ours is no matter of the token's. */
function challenged(error: OAuthError, scheme: Scheme): OAuthError {
  if (error.status >= 500 || error.status === 429) return error;
  // At a resource, unlike at the token endpoint, a proof that does not do is a 401 (RFC 9449 §7.1 and §9).
  const isProof = error.code === 'invalid_dpop_proof' || error.code === 'use_dpop_nonce';
  return new OAuthError(error.code, error.description, {
    status: isProof ? 401 : OAUTH_ERRORS[error.code].status,
    headers: { ...error.headers, ...challenges(error, scheme) },
    cause: error,
  });
}

function challenges(
  error: { code: OAuthErrorCode; description: string } | undefined,
  scheme: Scheme,
): Record<string, string> {
  const why = error === undefined ? '' : `, error="${error.code}", error_description="${error.description}"`;
  const scope = error?.code === 'insufficient_scope' ? ', scope="openid"' : '';
  const bearer = `Bearer realm="gatehouse"${scheme === 'Bearer' ? why + scope : ''}`;
  const dpop = `DPoP realm="gatehouse"${scheme === 'DPoP' ? why + scope : ''}, algs="${DPOP_ALGS.join(' ')}"`;
  return { 'WWW-Authenticate': scheme === 'Bearer' ? `${bearer}, ${dpop}` : `${dpop}, ${bearer}` };
}

import { decodeJwt } from 'jose';
import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { SigningKeys } from '../../tokens/signing-keys.ts';
import { PUBLISHED } from '../documents.ts';
import type { Endpoint } from '../http/endpoint.ts';

/** `GET /realms/{realm}`: what clients of Keycloak's fetch first, to check tokens with. */
export function createKeycloakRealm(signingKeys: SigningKeys, issuer: string): Endpoint {
  const realm = decodeURIComponent(issuer.slice(issuer.lastIndexOf('/') + 1));
  return async () => ({
    ...PUBLISHED,
    body: {
      realm,
      public_key: await signingKeys.publicKeyBase64(),
      'token-service': `${issuer}/protocol/openid-connect`,
      'account-service': `${issuer}/account`,
      'tokens-not-before': 0,
    },
  });
}

/** Keycloak's logout with a refresh token is a revocation; it is answered with 204. */
export function createKeycloakLogout(revocation: Endpoint): Endpoint {
  return async (request) => {
    const refreshToken = request.form.need('refresh_token');
    const form = request.form.with('token', refreshToken);
    const reply = await revocation({ ...request, form });
    return reply.status === 200 ? { status: 204 } : reply;
  };
}

/** The members that Keycloak's clients read beside the standard ones. */
export function withKeycloakMembers(token: Endpoint, clients: ReadonlyMap<string, RegisteredClient>): Endpoint {
  return async (request) => {
    const reply = await token(request);
    const { body } = reply;
    const client = clients.get(request.clientId ?? '');
    if (reply.status !== 200 || typeof body !== 'object' || client === undefined) return reply;
    const { access_token: accessToken, refresh_token: refreshToken } = body as Record<string, unknown>;
    const sessionId = client.tokens === 'mint' ? decodeJwt(String(accessToken))['sid'] : undefined;
    return {
      ...reply,
      body: {
        'not-before-policy': 0,
        ...(sessionId !== undefined && { session_state: sessionId }),
        ...(refreshToken !== undefined && { refresh_expires_in: client.lifetimes.refreshIdleSeconds }),
        ...body,
      },
    };
  };
}

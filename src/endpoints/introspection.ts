import {
  authenticateClient,
  type ClientRegistry,
  guessesIn,
  isSameSecret,
  requireAdmitted,
} from '../clients/authenticate-client.ts';
import { basicChallenge, type ClientCredentials } from '../clients/client-credentials.ts';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { subjectOf } from '../clients/subject.ts';
import { activeSession, type SessionsDeps } from '../device-sessions/active-session.ts';
import { findRefreshToken } from '../device-sessions/refresh/find-refresh-token.ts';
import { parseRefreshToken } from '../device-sessions/refresh/refresh-token.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import { isSameResource } from '../oauth/resource.ts';
import { formatScope } from '../oauth/scope.ts';
import type { Secret } from '../sealing/secret.ts';
import type { AccessTokens } from './access-tokens.ts';
import { credentialsOf, type DeviceReply, type DeviceRequest, type Endpoint } from './http/endpoint.ts';

export interface IntrospectionDeps {
  registry: ClientRegistry;
  resourceServers: ReadonlyMap<string, ResourceServer>;
  sessions: SessionsDeps;
  accessTokens: AccessTokens;
  /** As tokens call it. */
  issuer: string;
}

type Asker = { kind: 'resource_server'; server: ResourceServer } | { kind: 'client'; client: RegisteredClient };

/** Ready-made: RFC 7662 §2.2 wants nothing beside it, so that nobody learns why. */
const INACTIVE: DeviceReply = { status: 200, body: '{"active":false}' };

/**
 * RFC 7662. A resource server sees the access tokens for its own audience, a client its own tokens; everything else is
 * inactive to them. A caller that cannot prove to be one of these is told nothing (§4), so public clients cannot ask.
 */
export function createIntrospection(deps: IntrospectionDeps): Endpoint {
  return async (request) => {
    const text = request.form.need('token');
    const asker = await authenticateAsker(deps, request);
    const body = (await aboutAccessToken(deps, asker, text)) ?? (await aboutRefreshToken(deps, asker, text));
    return body === undefined ? INACTIVE : { status: 200, body };
  };
}

async function aboutAccessToken(
  { accessTokens, sessions }: IntrospectionDeps,
  asker: Asker,
  text: string,
): Promise<object | undefined> {
  const token = await accessTokens.read(text);
  if (token === undefined) return undefined;
  const isTheirs =
    asker.kind === 'client'
      ? token.clientId === asker.client.id
      : token.audiences.some((audience) => isSameResource(audience, asker.server.audience));
  if (!isTheirs || (await activeSession(sessions, token.sessionId)) === undefined) return undefined;
  return { ...token.claims, active: true, token_type: token.jkt === undefined ? 'Bearer' : 'DPoP' };
}

/** Of its own refresh token a client may learn whether it would still be taken; a resource server never sees one. */
async function aboutRefreshToken(
  { sessions, issuer }: IntrospectionDeps,
  asker: Asker,
  text: string,
): Promise<object | undefined> {
  const token = parseRefreshToken(text);
  if (asker.kind !== 'client' || token === undefined) return undefined;
  const found = await findRefreshToken(sessions, token);
  if (found?.place !== 'current' || found.hasEnded || found.session.clientId !== asker.client.id) return undefined;
  const session = await activeSession(sessions, found.session.id);
  if (session === undefined) return undefined;
  return {
    active: true,
    iss: session.issuer ?? issuer,
    sub: subjectOf(asker.client, session),
    client_id: asker.client.id,
    ...(session.scopes.length === 0 ? {} : { scope: formatScope(session.scopes) }),
    iat: Math.floor(session.startedAtMs / 1000),
    exp: Math.floor(session.endsAtMs / 1000),
    ...(session.jkt === undefined ? {} : { cnf: { jkt: session.jkt } }),
  };
}

/** @throws {OAuthError} `invalid_client` */
async function authenticateAsker(deps: IntrospectionDeps, request: DeviceRequest): Promise<Asker> {
  const credentials = credentialsOf(request);
  const server = resourceServerOf(deps.resourceServers, credentials);
  if (server !== undefined) {
    await requireAdmitted(deps.registry, [server.id], { source: request.source(), hasFailed: false });
    return { kind: 'resource_server', server };
  }
  // A wrong secret of a resource server is counted there, as one of a client of that name would be.
  const client = await authenticateClient(deps.registry, credentials, request.source());
  request.clientId = client.id;
  if (client.authentication === 'none') {
    throw new OAuthError('invalid_client', 'only resource servers and clients with credentials may ask here', {
      headers: credentials.method === 'basic' ? basicChallenge() : {},
      detail: 'a public client',
    });
  }
  return { kind: 'client', client };
}

function resourceServerOf(
  servers: ReadonlyMap<string, ResourceServer>,
  credentials: ClientCredentials,
): ResourceServer | undefined {
  for (const { clientId, secret } of guessesIn(credentials)) {
    const server = servers.get(clientId);
    if (server !== undefined && isSameSecret(secret, server.clientSecret)) return server;
  }
  return undefined;
}

/** An API that may ask about tokens (RFC 7662), those for its own audience only. */
export interface ResourceServer {
  /** Its `client_id` at the introspection endpoint; never that of a client. */
  id: string;
  audience: string;
  clientSecret: Secret;
}

import { authenticateClient, type ClientRegistry } from '../clients/authenticate-client.ts';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { activeSession, type SessionsDeps } from '../device-sessions/active-session.ts';
import type { DeviceSession } from '../device-sessions/device-session.ts';
import { type EndSessionDeps, endSession } from '../device-sessions/end-session.ts';
import { findRefreshToken } from '../device-sessions/refresh/find-refresh-token.ts';
import { parseRefreshToken } from '../device-sessions/refresh/refresh-token.ts';
import type { AccessTokens } from './access-tokens.ts';
import { credentialsOf, type DeviceRequest, type Endpoint } from './http/endpoint.ts';

export interface RevocationDeps {
  registry: ClientRegistry;
  sessions: SessionsDeps;
  end: EndSessionDeps;
  accessTokens: AccessTokens;
  onRevoked: (request: DeviceRequest, session: DeviceSession) => void;
}

/**
 * RFC 7009. A device that gives a token back is done, so its device session ends whichever of its tokens it was, and so
 * do all its other tokens. An access token alone could not be taken back: whoever checks its signature never asks us.
 * An unknown token and another client's get the same 200, and nothing happens to the latter.
 */
export function createRevocation(deps: RevocationDeps): Endpoint {
  return async (request) => {
    const token = request.form.need('token');
    const client = await authenticateClient(deps.registry, credentialsOf(request), request.source());
    request.clientId = client.id;
    const ended = (await endByRefreshToken(deps, client, token)) ?? (await endByAccessToken(deps, client, token));
    if (ended !== undefined) deps.onRevoked(request, ended);
    return { status: 200 };
  };
}

/** With it at hand the upstream's refresh token can be opened, and is revoked there too. */
async function endByRefreshToken(
  { end, sessions }: RevocationDeps,
  client: RegisteredClient,
  text: string,
): Promise<DeviceSession | undefined> {
  const token = parseRefreshToken(text);
  const found = token === undefined ? undefined : await findRefreshToken(sessions, token);
  if (token === undefined || found === undefined || found.hasEnded) return undefined;
  if (found.session.clientId !== client.id) return undefined;
  const brought = { token, carried: 'carried' in found ? found.carried : undefined };
  return (await endSession(end, found.session, 'revoked', brought)) ? found.session : undefined;
}

async function endByAccessToken(
  { end, sessions, accessTokens }: RevocationDeps,
  client: RegisteredClient,
  text: string,
): Promise<DeviceSession | undefined> {
  const token = await accessTokens.read(text);
  if (token === undefined) return undefined;
  const session = await activeSession(sessions, token.sessionId);
  if (session?.clientId !== client.id) return undefined;
  return (await endSession(end, session, 'revoked')) ? session : undefined;
}

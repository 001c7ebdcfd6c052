import type { RegisteredClient } from '../clients/registered-client.ts';
import type { RefreshDeps, RefreshOutcome, RefreshRequest } from '../device-sessions/refresh/refresh-request.ts';
import { refreshSession } from '../device-sessions/refresh/refresh-session.ts';
import { OAuthError, RETRY_LATER } from '../oauth/oauth-error.ts';
import { respelledResources } from '../oauth/resource.ts';
import { parseScope } from '../oauth/scope.ts';
import { Secret } from '../sealing/secret.ts';
import type { DpopProofs } from './dpop-proofs.ts';
import type { DeviceReply, DeviceRequest } from './http/endpoint.ts';
import { notApproved, oauthErrorReply } from './http/oauth-reply.ts';
import type { Issuer } from './profiles/path-profile.ts';

export interface RefreshEndpointDeps {
  issuer: Issuer;
  refresh: RefreshDeps;
  dpop: DpopProofs;
  onRefreshed: (request: DeviceRequest, client: RegisteredClient, outcome: RefreshOutcome) => void;
}

/** RFC 6749 §6: the refresh_token grant of the token endpoint. */
export function createRefresh(deps: RefreshEndpointDeps) {
  return async (request: DeviceRequest, client: RegisteredClient): Promise<DeviceReply> => {
    const { form } = request;
    const scope = form.get('scope');
    const scopes = scope === undefined ? undefined : parseScope(scope);
    const proof = await deps.dpop.proofOf(request);
    const outcome = await refreshSession(deps.refresh, {
      client,
      refreshToken: new Secret(form.need('refresh_token')),
      scopes,
      resources: respelledResources(form.resources, client.resources),
      jkt: proof.jkt,
      spendProof: proof.spend,
      issuer: deps.issuer.name,
      source: request.source(),
      requestId: request.requestId,
    });
    deps.onRefreshed(request, client, outcome);
    return reply(outcome, { scopes, resources: form.resources });
  };
}

function reply(outcome: RefreshOutcome, asked: Pick<RefreshRequest, 'scopes' | 'resources'>): DeviceReply {
  switch (outcome.outcome) {
    case 'tokens':
      return { status: 200, headers: { Pragma: 'no-cache' }, body: outcome.answer };
    case 'invalid_grant':
      return oauthErrorReply(new OAuthError('invalid_grant', 'the refresh token is not valid for this client'));
    case 'lost':
      return oauthErrorReply(
        new OAuthError('invalid_grant', 'the broker’s storage has lost this sign-in’s last refresh; sign in again'),
      );
    case 'invalid_scope':
      return oauthErrorReply(notApproved('invalid_scope', asked.scopes ?? []));
    case 'invalid_target':
      return oauthErrorReply(notApproved('invalid_target', asked.resources));
    case 'unavailable':
      return oauthErrorReply(
        new OAuthError('temporarily_unavailable', 'the token is still good; try again in a moment', {
          headers: RETRY_LATER,
        }),
      );
  }
}

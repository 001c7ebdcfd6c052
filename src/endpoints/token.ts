/**
 * Endpoints are what machines call. This one is the busiest: polls and refreshes come in here. What a grant or a session
 * makes of them is not here.
 */

import { createHash } from 'node:crypto';
import { type ClientRegistry, type IdentifiedClient, identifyClient } from '../clients/authenticate-client.ts';
import type { RegisteredClient } from '../clients/registered-client.ts';
import type { PollOutcome } from '../grants/redeem/poll.ts';
import { pollGrant } from '../grants/redeem/poll-grant.ts';
import type { RedeemDeps } from '../grants/redeem/redeem-deps.ts';
import { grantTypeOf } from '../oauth/grant-types.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import { respelledResources } from '../oauth/resource.ts';
import { Secret } from '../sealing/secret.ts';
import type { DpopProofs } from './dpop-proofs.ts';
import { credentialsOf, type DeviceReply, type DeviceRequest, type Endpoint } from './http/endpoint.ts';
import { notApproved, oauthErrorReply, PENDING_REPLY } from './http/oauth-reply.ts';
import type { Issuer } from './profiles/path-profile.ts';

export interface TokenDeps {
  issuer: Issuer;
  redeem: RedeemDeps;
  registry: ClientRegistry;
  dpop: DpopProofs;
  refresh: (request: DeviceRequest, client: RegisteredClient) => Promise<DeviceReply>;
  onPolled: (request: DeviceRequest, client: RegisteredClient, outcome: PollOutcome) => void;
  /** Told of what is thrown, before it becomes an answer. */
  onRefused: (request: DeviceRequest, error: unknown) => void;
}

const MAX_CODE = 128;

/**
 * RFC 6749 §3.2 with the grants of RFC 8628 §3.4 and RFC 6749 §6. On the way of a pending poll nothing is waited for that
 * is there already: each promise in between costs as much as a header.
 */
export function createToken(deps: TokenDeps): Endpoint {
  return async (request) => {
    try {
      const { form } = request;
      const named = form.need('grant_type');
      const grantType = grantTypeOf(named);
      if (grantType === 'device_code') form.need('device_code');
      if (grantType === 'refresh_token') form.need('refresh_token');
      const asked = identifyClient(deps.registry, credentialsOf(request), request.source);
      const identified = asked instanceof Promise ? await asked : asked;
      const { client, admitted } = identified;
      request.clientId = client.id;
      if (grantType === 'device_code' && client.grantTypes.includes(grantType)) {
        return await poll(deps, request, identified);
      }
      await admitted;
      if (grantType === undefined) throw new OAuthError('unsupported_grant_type', 'this grant type is not known here');
      if (!client.grantTypes.includes(grantType)) {
        throw new OAuthError('unauthorized_client', 'this client may not use this grant type');
      }
      return await deps.refresh(request, client);
    } catch (error) {
      deps.onRefused(request, error);
      throw error;
    }
  };
}

/** Asks for the grant while it is still asked whether the client is admitted: a poll is one round trip to the storage. */
async function poll(
  deps: TokenDeps,
  request: DeviceRequest,
  { client, admitted }: IdentifiedClient,
): Promise<DeviceReply> {
  const { form } = request;
  try {
    const deviceCode = form.need('device_code');
    const shown = deps.dpop.proofOf(request);
    const proof = shown instanceof Promise ? await shown : shown;
    const outcome: PollOutcome =
      deviceCode.length > MAX_CODE
        ? { outcome: 'invalid_grant' }
        : await pollGrant(deps.redeem, {
            client,
            admitted,
            deviceCode: new Secret(deviceCode),
            challenge: challengeOf(form.get('code_verifier')),
            jkt: proof.jkt,
            proof,
            reverseCode: form.get('confirmation_code'),
            resources: respelledResources(form.resources, client.resources),
            issuer: deps.issuer.name,
            asker: request,
          });
    deps.onPolled(request, client, outcome);
    return reply(outcome, form.resources);
  } finally {
    // Whatever became of it, an error too: who is refused hears nothing else.
    if (admitted !== undefined) await admitted;
  }
}

function reply(outcome: PollOutcome, resources: readonly string[]): DeviceReply {
  switch (outcome.outcome) {
    case 'authorization_pending':
      return PENDING_REPLY;
    case 'slow_down':
      return oauthErrorReply(new OAuthError('slow_down', 'polled too early; wait for the new interval'), {
        interval: outcome.intervalSeconds,
      });
    case 'access_denied':
      return oauthErrorReply(new OAuthError('access_denied', 'the sign-in was refused'));
    case 'expired_token':
      return oauthErrorReply(new OAuthError('expired_token', 'the device code has expired; start again'));
    case 'invalid_grant':
      return oauthErrorReply(new OAuthError('invalid_grant', 'the device code is not valid for this client'));
    case 'invalid_target':
      return oauthErrorReply(notApproved('invalid_target', resources));
    case 'invalid_dpop_proof':
      return oauthErrorReply(new OAuthError('invalid_dpop_proof', 'a newer proof was used for this code already'));
    case 'tokens':
      return { status: 200, headers: { Pragma: 'no-cache' }, body: outcome.answer };
  }
}

/** RFC 7636 §4.6. */
function challengeOf(verifier: string | undefined): string {
  return verifier === undefined ? '' : createHash('sha256').update(verifier).digest('base64url');
}

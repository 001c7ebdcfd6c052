import { createHash } from 'node:crypto';
import { formatScope, uniteScopes } from '../oauth/scope.ts';
import { offeredPrompt } from './offered-prompt.ts';
import { asksOfflineAccess, OFFLINE_ACCESS } from './offline-access.ts';
import type { ProviderMetadata } from './requests/upstream-requests.ts';
import type { TripParameters } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

/** The parameters of the authorization request (OpenID Connect Core §3.1.2.1, RFC 7636 §4.3). */
export function authorizationRequest(
  settings: UpstreamSettings,
  trip: TripParameters,
  metadata: ProviderMetadata,
): URLSearchParams {
  const request = new URLSearchParams(settings.authorizationParameters);
  const { maxAgeSeconds, acrValues } = strengthAsked(settings, trip);
  // What the configuration names is sent as it stands.
  const prompt = offeredPrompt(trip.prompt, metadata['prompt_values_supported']) ?? settings.prompt;
  if (prompt !== undefined) request.set('prompt', prompt);
  if (maxAgeSeconds !== undefined) request.set('max_age', String(maxAgeSeconds));
  if (acrValues.length > 0) request.set('acr_values', acrValues.join(' '));
  request.set('response_type', 'code');
  // Some refuse to be told what they do anyway.
  if (settings.responseMode !== 'query') request.set('response_mode', settings.responseMode);
  request.set('client_id', settings.clientId);
  request.set('redirect_uri', new URL(trip.redirectUri).href);
  request.set('scope', formatScope(askedScopes(settings, trip, metadata)));
  request.set('state', trip.state);
  request.set('nonce', trip.nonce);
  request.set('code_challenge', createHash('sha256').update(trip.codeVerifier).digest('base64url'));
  request.set('code_challenge_method', 'S256');
  return request;
}

function askedScopes(settings: UpstreamSettings, trip: TripParameters, metadata: ProviderMetadata): string[] {
  const scopes = (trip.scopes ?? settings.scopes).filter((scope) => scope !== OFFLINE_ACCESS);
  return uniteScopes(['openid'], scopes, asksOfflineAccess(settings, trip, metadata) ? [OFFLINE_ACCESS] : []);
}

export interface StrengthAsked {
  prompt: string | undefined;
  maxAgeSeconds: number | undefined;
  acrValues: readonly string[];
}

/** How strong and how recent a sign-in was asked for; it is judged again when the answer comes. */
export function strengthAsked(settings: UpstreamSettings, trip: TripParameters): StrengthAsked {
  return {
    prompt: trip.prompt ?? settings.prompt,
    maxAgeSeconds: trip.maxAgeSeconds ?? settings.maxAgeSeconds,
    acrValues: trip.acrValues?.length ? trip.acrValues : words(settings.acrValues),
  };
}

function words(text = ''): string[] {
  return text.split(' ').filter((word) => word !== '');
}

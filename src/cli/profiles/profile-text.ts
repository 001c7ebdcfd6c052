import { isJsonObject, type JsonObject, parseJsonObject } from '../../oauth/json-object.ts';
import { Secret } from '../../sealing/secret.ts';
import type { SecretPlace } from '../login/client-secret.ts';
import type { KeptToken, Profile } from './profile.ts';
import { isProfileName } from './profile-name.ts';

/** Of the form below. One that this program does not know is left alone. */
export const PROFILE_VERSION = 1;

/** A profile as its file has it. */
export function profileText(profile: Profile): string {
  return `${JSON.stringify(
    {
      version: PROFILE_VERSION,
      name: profile.name,
      issuer: profile.issuer,
      client_id: profile.clientId,
      client_secret: profile.clientSecret,
      device_authorization_endpoint: profile.deviceAuthorizationEndpoint,
      scopes: profile.scopes,
      resources: profile.resources,
      person: profile.person,
      refresh_token: profile.refreshToken?.reveal(),
      tokens: profile.tokens.map((token) => ({
        scopes: token.scopes,
        resources: token.resources,
        access_token: token.accessToken.reveal(),
        token_type: token.tokenType,
        scope: token.scope,
        id_token: token.idToken?.reveal(),
        asked_at_ms: token.askedAtMs,
        expires_at_ms: token.expiresAtMs,
        id_token_expires_at_ms: token.idTokenExpiresAtMs,
      })),
      ended: profile.ended,
      not_before_ms: profile.notBeforeMs,
    },
    undefined,
    1,
  )}\n`;
}

/** `'version'`: another program's or a later form. `undefined`: broken off, or changed by hand to something else. */
export function readProfileText(text: string, name: string): Profile | 'version' | undefined {
  const file = parseJsonObject(text);
  if (file === undefined) return undefined;
  if (file['version'] !== PROFILE_VERSION) return 'version';
  const issuer = textIn(file, 'issuer');
  const clientId = textIn(file, 'client_id');
  const tokens = Array.isArray(file['tokens']) ? file['tokens'].map(readToken) : [undefined];
  if (issuer === undefined || clientId === undefined || !URL.canParse(issuer)) return undefined;
  if (file['name'] !== name || !isProfileName(name) || !tokens.every((token) => token !== undefined)) return undefined;
  return {
    name,
    issuer,
    clientId,
    clientSecret: secretPlaceIn(file['client_secret']),
    deviceAuthorizationEndpoint: textIn(file, 'device_authorization_endpoint'),
    scopes: textsIn(file['scopes']),
    resources: textsIn(file['resources']),
    person: textIn(file, 'person'),
    refreshToken: secretIn(file, 'refresh_token'),
    tokens,
    ended: textIn(file, 'ended'),
    notBeforeMs: numberIn(file, 'not_before_ms'),
  };
}

function readToken(value: unknown): KeptToken | undefined {
  const token = isJsonObject(value) ? value : undefined;
  if (token === undefined) return undefined;
  const accessToken = secretIn(token, 'access_token');
  const askedAtMs = numberIn(token, 'asked_at_ms');
  if (accessToken === undefined || askedAtMs === undefined) return undefined;
  return {
    scopes: textsIn(token['scopes']),
    resources: textsIn(token['resources']),
    accessToken,
    tokenType: textIn(token, 'token_type') ?? 'Bearer',
    scope: textIn(token, 'scope'),
    idToken: secretIn(token, 'id_token'),
    askedAtMs,
    expiresAtMs: numberIn(token, 'expires_at_ms'),
    idTokenExpiresAtMs: numberIn(token, 'id_token_expires_at_ms'),
  };
}

function secretPlaceIn(value: unknown): SecretPlace | undefined {
  const place: JsonObject = isJsonObject(value) ? value : {};
  const env = textIn(place, 'env');
  const file = textIn(place, 'file');
  return env !== undefined ? { env } : file !== undefined ? { file } : undefined;
}

function secretIn(object: Record<string, unknown>, name: string): Secret | undefined {
  const text = textIn(object, name);
  return text === undefined ? undefined : new Secret(text);
}

function textIn(object: Record<string, unknown>, name: string): string | undefined {
  const value = object[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberIn(object: Record<string, unknown>, name: string): number | undefined {
  const value = object[name];
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function textsIn(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : [];
}

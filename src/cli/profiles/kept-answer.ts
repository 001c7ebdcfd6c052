import type { JsonObject } from '../../oauth/json-object.ts';
import { Secret } from '../../sealing/secret.ts';
import { type KeptToken, keptFor, type Profile, type Wish, withToken } from './profile.ts';

/** A header, a shell and a line of JSON carry these as they are (RFC 6750 §2.1 has fewer). */
const FIT = /^[\x21-\x7e]{1,65536}$/;

/** Whether its access token is one that can be kept and shown. */
export function hasFitToken(response: JsonObject): boolean {
  return FIT.test(textOf(response['access_token']) ?? '');
}

/** The profile with a token response in it (RFC 6749 §5.1). */
export function withAnswer(
  profile: Profile,
  response: JsonObject,
  wish: Wish,
  askedAtMs: number,
  nowMs: number,
): Profile {
  const refreshToken = textOf(response['refresh_token']);
  const token = carriedOver(keptFor(profile, wish), keptToken(response, wish, askedAtMs), nowMs);
  const kept = withToken(profile, token, nowMs);
  // RFC 6749 §6: without a new one, the old one goes on.
  return refreshToken === undefined ? kept : { ...kept, refreshToken: new Secret(refreshToken) };
}

/** OIDC Core §12.2: a refresh need not bring an ID token. The one that is there is good until its own end. */
function carriedOver(before: KeptToken | undefined, token: KeptToken, nowMs: number): KeptToken {
  const { idToken, idTokenExpiresAtMs = 0 } = before ?? {};
  return token.idToken !== undefined || idTokenExpiresAtMs <= nowMs ? token : { ...token, idToken, idTokenExpiresAtMs };
}

function keptToken(response: JsonObject, { scopes, resources }: Wish, askedAtMs: number): KeptToken {
  const accessToken = textOf(response['access_token']);
  if (accessToken === undefined || !FIT.test(accessToken)) {
    throw new TypeError('The server sent an access token that no header can carry.');
  }
  const tokenType = textOf(response['token_type']) ?? 'Bearer';
  const idToken = textOf(response['id_token']);
  const idLifeMs = idToken === undefined ? undefined : lifeOf(idToken);
  return {
    scopes,
    resources,
    accessToken: new Secret(accessToken),
    tokenType: FIT.test(tokenType) ? tokenType : 'Bearer',
    scope: textOf(response['scope']),
    idToken: idToken === undefined || !FIT.test(idToken) ? undefined : new Secret(idToken),
    askedAtMs,
    expiresAtMs: endAfter(askedAtMs, response['expires_in']),
    idTokenExpiresAtMs: idLifeMs === undefined ? undefined : askedAtMs + idLifeMs,
  };
}

function endAfter(askedAtMs: number, expiresIn: unknown): number | undefined {
  const isSaid = typeof expiresIn === 'number' || (typeof expiresIn === 'string' && expiresIn.trim() !== '');
  const seconds = isSaid ? Number(expiresIn) : Number.NaN;
  return seconds >= 0 && seconds < 1e10 ? askedAtMs + seconds * 1000 : undefined;
}

/** By its own two clock readings, so that neither clock has to be right. It was checked when it came. */
function lifeOf(idToken: string): number | undefined {
  try {
    const claims = JSON.parse(Buffer.from(idToken.split('.')[1] ?? '', 'base64url').toString()) as JsonObject;
    const seconds = Number(claims['exp']) - Number(claims['iat']);
    return seconds > 0 ? seconds * 1000 : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

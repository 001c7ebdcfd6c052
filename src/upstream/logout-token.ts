import { errors, type JWTPayload, jwtVerify } from 'jose';
import { isJsonObject, type JsonObject } from '../oauth/json-object.ts';
import { clockWords } from './clock-words.ts';
import type { EncryptionKeys } from './encryption-keys.ts';
import { printable } from './requests/foreign-text.ts';
import { withoutEmpty } from './requests/without-empty.ts';
import { type LogoutToken, UpstreamError } from './upstream.ts';
import type { UpstreamKeys } from './upstream-keys.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** Older ones are refused whatever their `exp`, so that nobody has to remember a `jti` for ever. */
const MAX_AGE_SECONDS = 10 * 60;

/** What a token is held against that somebody sent, and that we did not ask for. */
export interface SentTokenRule {
  settings: UpstreamSettings;
  algorithms: string[];
  keys: UpstreamKeys;
  encryptionKeys: EncryptionKeys;
  nowMs: number;
}

/**
 * Checks a logout token (OpenID Connect Back-Channel Logout §2.6), all but its replay, which needs a store.
 *
 * @throws {UpstreamError} `invalid_answer`, or what fetching the keys threw
 */
export async function checkLogoutToken(sent: string, rule: SentTokenRule): Promise<LogoutToken> {
  const { algorithms, settings } = rule;
  const token = await rule.encryptionKeys.signedToken('logout token', sent);
  const options = {
    issuer: settings.issuer,
    audience: settings.clientId,
    algorithms,
    currentDate: new Date(rule.nowMs),
    clockTolerance: settings.clockToleranceSeconds,
    maxTokenAge: MAX_AGE_SECONDS,
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'jti', 'events'],
  };
  const signed = { token, algorithms, isAskedFor: false };
  const { protectedHeader, payload: claims } = await rule.keys
    .verify(signed, (key) => jwtVerify(token, key, options))
    .catch((error: unknown) => {
      throw error instanceof errors.JOSEError ? refused(inWords(error, rule)) : error;
    });
  // An ID or access token must never pass for one: both are signed with the same keys for the same audience.
  const type = protectedHeader.typ?.toLowerCase();
  if (type !== undefined && type !== 'jwt' && type !== 'logout+jwt' && type !== 'application/logout+jwt') {
    throw refused('"typ" is not logout+jwt');
  }
  const payload: JWTPayload = withoutEmpty(claims);
  if (payload['nonce'] !== undefined) throw refused('it has a "nonce", which a logout token must not have');
  if (!hasLogoutEvent(payload)) throw refused('"events" does not have the back-channel logout event');
  const { jti, sub } = payload;
  const sid = payload['sid'];
  if (typeof jti !== 'string') throw refused('"jti" is not a text');
  if (sub !== undefined && typeof sub !== 'string') throw refused('"sub" is not a text');
  if (sid !== undefined && typeof sid !== 'string') throw refused('"sid" is not a text');
  if (sub === undefined && sid === undefined) throw refused('it has neither "sub" nor "sid"');
  return {
    jti,
    ...(sub !== undefined && { sub }),
    ...(sid !== undefined && { sid }),
  };
}

/** What jose found wrong; a time that does not fit says by how much. */
function inWords(error: errors.JOSEError, { nowMs, settings: { clockToleranceSeconds } }: SentTokenRule): string {
  const isOfTime = error instanceof errors.JWTExpired || error instanceof errors.JWTClaimValidationFailed;
  const atSeconds = isOfTime ? error.payload[error.claim] : undefined;
  if (!isOfTime || !['exp', 'nbf', 'iat'].includes(error.claim) || typeof atSeconds !== 'number') return error.message;
  const difference = { claim: error.claim, atSeconds, nowSeconds: nowMs / 1000 };
  return clockWords({ ...difference, toleranceSeconds: clockToleranceSeconds });
}

function hasLogoutEvent({ events }: JWTPayload): boolean {
  if (typeof events !== 'object' || events === null || !Object.hasOwn(events, LOGOUT_EVENT)) return false;
  return isJsonObject((events as JsonObject)[LOGOUT_EVENT]);
}

function refused(why: string): UpstreamError {
  return new UpstreamError('invalid_answer', `logout token: ${printable(why)}`);
}

import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { SentTokenRule } from '../logout-token.ts';
import { printable } from '../requests/foreign-text.ts';
import { withoutEmpty } from '../requests/without-empty.ts';
import { type OperatorSignIn, UpstreamError } from '../upstream.ts';
import { readSignIn } from './claim-mapping.ts';

/** A token that says it lives for a year is no credential of an operator: nobody could be taken out of a group. */
const MAX_AGE_SECONDS = 12 * 60 * 60;
const TYPES = new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt']);

/**
 * Checks an access or ID token that an operator brings (RFC 9068 §4, OpenID Connect Core §3.1.3.7).
 *
 * Everybody whom an upstream gives tokens for is shown them: each application that somebody signs in at, and with relay
 * each device. So the audience decides who could bring one of a help desk's people: it must be the admin API's, and no
 * other beside it, or the others that it names could bring it here. Nor may it be bound to a key that nobody showed.
 *
 * @param audience of the admin API alone
 * @throws {UpstreamError} `invalid_answer`, or what fetching the keys threw
 */
export async function checkOperatorToken(
  sent: string,
  audience: string,
  { settings, algorithms, keys, encryptionKeys, nowMs }: SentTokenRule,
): Promise<OperatorSignIn> {
  const token = await encryptionKeys.signedToken('operator token', sent);
  const options = {
    ...{ issuer: settings.issuer, audience, algorithms },
    currentDate: new Date(nowMs),
    clockTolerance: settings.clockToleranceSeconds,
    maxTokenAge: MAX_AGE_SECONDS,
    requiredClaims: ['iss', 'aud', 'iat', 'exp', 'sub'],
  };
  // Anybody can send one.
  const signed = { token, algorithms, isAskedFor: false };
  const { protectedHeader, payload } = await keys
    .verify(signed, (key) => jwtVerify(token, key, options))
    .catch((error: unknown) => {
      throw error instanceof errors.JOSEError ? refused(error.message) : error;
    });
  if (!TYPES.has(protectedHeader.typ?.toLowerCase())) throw refused('"typ" is not that of an access or ID token');
  const claims: JWTPayload = withoutEmpty(payload);
  if (claims['events'] !== undefined) throw refused('it has "events": it is no access or ID token');
  if (claims['cnf'] !== undefined) throw refused('it is bound to a key ("cnf"), which a bearer cannot show');
  if ([claims.aud].flat().length !== 1) throw refused(`"aud" names others besides ${audience}, who could have sent it`);
  const { subject, groups, sid, authTimeSeconds } = readSignIn(claims, {}, settings);
  const { sub, iat } = claims;
  return {
    subject,
    groups,
    ...(sub !== undefined && { sub }),
    ...(sid !== undefined && { sid }),
    signedInAtMs: (authTimeSeconds ?? iat ?? 0) * 1000,
  };
}

function refused(why: string): UpstreamError {
  return new UpstreamError('invalid_answer', `operator's token: ${printable(why)}`);
}

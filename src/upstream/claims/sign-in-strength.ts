import { WAY_BACK_SECONDS } from '../../safeguards/strong-sign-in.ts';
import type { StrengthAsked } from '../authorization-request.ts';
import { type SignIn, UpstreamError } from '../upstream.ts';

/**
 * An upstream may ignore what it was asked for, so the answer is judged again: a `max_age` needs an `auth_time` that
 * is recent enough (OpenID Connect Core §3.1.2.1), asked `acr_values` need one of them as `acr`.
 */
export function checkStrength(
  signIn: Omit<SignIn, 'tokens'>,
  asked: StrengthAsked,
  { nowMs, clockToleranceSeconds }: { nowMs: number; clockToleranceSeconds: number },
): void {
  const { authTimeSeconds, acr } = signIn;
  if (asked.maxAgeSeconds !== undefined) {
    if (authTimeSeconds === undefined) {
      throw new UpstreamError('too_weak', 'max_age was asked for and the ID token has no auth_time');
    }
    const latestSeconds = authTimeSeconds + asked.maxAgeSeconds + WAY_BACK_SECONDS + clockToleranceSeconds;
    if (latestSeconds < nowMs / 1000) {
      throw new UpstreamError('too_weak', 'the sign-in is older than the max_age that was asked for');
    }
  }
  if (asked.acrValues.length > 0 && (acr === undefined || !asked.acrValues.includes(acr))) {
    throw new UpstreamError('too_weak', `acr is "${acr ?? ''}", asked for was "${asked.acrValues.join(' ')}"`);
  }
}

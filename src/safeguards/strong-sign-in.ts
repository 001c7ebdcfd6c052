import type { Safeguards } from '../clients/registered-client.ts';
import type { Approval } from '../ledger/approval.ts';
import type { TripParameters } from '../upstream/upstream.ts';

/** From the password to our callback: consent, a second step, a slow network. */
export const WAY_BACK_SECONDS = 30;

type SignInDemands = Pick<Safeguards, 'prompt' | 'maxAgeSeconds' | 'acr' | 'amr'>;

export interface SignInTimes {
  /** The sign-in that a grant is approved by cannot be older than the grant. */
  grantStartedAtMs: number;
  nowMs: number;
  /** How far the upstream's clock may be from ours. */
  clockToleranceSeconds: number;
}

export type SignInVerdict =
  | { verdict: 'strong_enough' }
  | { verdict: 'too_weak'; missing: 'auth_time' | 'recent_sign_in' | 'acr' | 'amr' };

/**
 * What a trip asks of the upstream for this client.
 *
 * @param prompt what the person's own wish needs ("use another account"); the client's `login` includes it
 */
export function signInDemands(
  safeguards: SignInDemands,
  prompt?: string,
): Pick<TripParameters, 'prompt' | 'maxAgeSeconds' | 'acrValues'> {
  return {
    prompt: safeguards.prompt === 'login' ? 'login' : (prompt ?? safeguards.prompt),
    maxAgeSeconds: safeguards.maxAgeSeconds,
    acrValues: safeguards.acr.length === 0 ? undefined : safeguards.acr,
  };
}

/**
 * Judges what came back, since an upstream may ignore what it was asked for. `max_age` needs an `auth_time` that is
 * recent enough (OpenID Connect Core §3.1.2.1). `prompt=login` has no claim of its own; but an `auth_time` from before
 * the grant was started shows that nobody signed in again, and a live session at the upstream approved by itself.
 * One of `acr` must have come, and all of `amr`; an entry `hwk|fido` of `amr` is met by either.
 */
export function judgeSignIn(
  safeguards: SignInDemands,
  signIn: Pick<Approval, 'authTimeSeconds' | 'acr' | 'amr'>,
  { grantStartedAtMs, nowMs, clockToleranceSeconds }: SignInTimes,
): SignInVerdict {
  const { prompt, maxAgeSeconds, acr, amr } = safeguards;
  const { authTimeSeconds } = signIn;
  if (maxAgeSeconds !== undefined) {
    if (authTimeSeconds === undefined) return tooWeak('auth_time');
    if (authTimeSeconds + maxAgeSeconds + WAY_BACK_SECONDS + clockToleranceSeconds < nowMs / 1000) {
      return tooWeak('recent_sign_in');
    }
  }
  const isAskedAgain = prompt?.split(' ').includes('login') ?? false;
  if (
    isAskedAgain &&
    authTimeSeconds !== undefined &&
    authTimeSeconds + clockToleranceSeconds < grantStartedAtMs / 1000
  ) {
    return tooWeak('recent_sign_in');
  }
  if (acr.length > 0 && (signIn.acr === undefined || !acr.includes(signIn.acr))) return tooWeak('acr');
  const methods = signIn.amr ?? [];
  const hasAll = amr.every((wanted) => wanted.split('|').some((method) => methods.includes(method)));
  return hasAll ? { verdict: 'strong_enough' } : tooWeak('amr');
}

function tooWeak(missing: 'auth_time' | 'recent_sign_in' | 'acr' | 'amr'): SignInVerdict {
  return { verdict: 'too_weak', missing };
}

import type { Claims } from '../grants/claim-at.ts';
import { claimPath, missingClaims } from './claim-mapping.ts';
import type { NeededClaims } from './upstream.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

export interface UserinfoQuestion {
  isAsked: boolean;
  /** The ID token has all that is mapped or wanted. */
  isComplete: boolean;
  /** It lacks a claim without which nothing can be decided. */
  isRequired: boolean;
}

/** Whether userinfo is asked beside an ID token (OpenID Connect Core §5.3), and what depends on its answer. */
export function userinfoQuestion(
  settings: UpstreamSettings,
  claims: Claims,
  { wanted, required }: NeededClaims = { wanted: [], required: [] },
): UserinfoQuestion {
  const missing = missingClaims(claims, settings, wanted);
  const decisive = [settings.claims.subject, ...required.map((name) => claimPath(settings, name))];
  const isComplete = missing.length === 0;
  return {
    isAsked: settings.userinfo === 'always' || (settings.userinfo === 'auto' && !isComplete),
    isComplete,
    isRequired: missing.some((path) => decisive.includes(path)),
  };
}

const LONGEST_WAIT_MS = 3000;

/** What can be done without must not use up the time of the whole sign-in. */
export function impatient(deadline: AbortSignal, timeoutMs: number): AbortSignal {
  return AbortSignal.any([deadline, AbortSignal.timeout(Math.min(LONGEST_WAIT_MS, timeoutMs / 2))]);
}

import { UnusableAddressError } from '../requests/request-failure.ts';
import { UpstreamError } from '../upstream.ts';
import type { Finding } from './metadata-findings.ts';

/** An upstream that does not answer now is not called wrong: nothing in the configuration would mend it. */
export function failedFinding(error: unknown, what = ''): Finding {
  const isUnanswered = error instanceof UpstreamError && error.fault === 'unavailable';
  const isAway = isUnanswered && !(error instanceof UnusableAddressError);
  return { level: isAway ? 'away' : 'wrong', text: `${what}${reasonOf(error)}` };
}

export function reasonOf(error: unknown): string {
  if (error instanceof UpstreamError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

import { domainToASCII } from 'node:url';
import type { ApproverCondition } from '../../clients/registered-client.ts';
import type { JudgedClaims } from '../../ledger/approval.ts';

/** The claim that says whether the address in `email` is really this person's. */
export const EMAIL_VERIFIED = 'email_verified';

export type ConditionVerdict = 'holds' | 'fails' | 'claim_missing' | 'claim_unreadable';

/** Whether a condition on a claim holds. A claim that is not there, or cannot be told, is never a yes. */
export function judgeCondition({ claim, holds, values }: ApproverCondition, claims: JudgedClaims): ConditionVerdict {
  const reading = Object.hasOwn(claims, claim) ? claims[claim] : undefined;
  if (reading === undefined) return 'claim_missing';
  if (reading === 'unreadable') return 'claim_unreadable';
  if (claim === 'email' && isUnverified(claims)) return 'fails';
  switch (holds) {
    case 'any_of':
      return reading.some((text) => values.includes(text)) ? 'holds' : 'fails';
    case 'is':
      return reading.length === 1 && reading.every((text) => values.includes(text)) ? 'holds' : 'fails';
    case 'matches_domain':
      return matchesDomain(reading, values);
  }
}

/** An address that the upstream itself calls unverified is what its owner typed there. */
function isUnverified(claims: JudgedClaims): boolean {
  const verified = Object.hasOwn(claims, EMAIL_VERIFIED) ? claims[EMAIL_VERIFIED] : undefined;
  return verified !== undefined && (verified === 'unreadable' || verified.join() !== 'true');
}

function matchesDomain(addresses: readonly string[], domains: readonly string[]): ConditionVerdict {
  const found = addresses.map(domainOf);
  if (found.length === 0 || found.some((domain) => domain === undefined)) return 'claim_unreadable';
  return found.every((domain) => domains.some((wanted) => domainToASCII(wanted) === domain)) ? 'holds' : 'fails';
}

/** With one `@` only: of `a@evil.example@example.com` two programs read two domains. */
function domainOf(address: string): string | undefined {
  const [, domain] = /^[^\s@]+@([^\s@]+)$/.exec(address) ?? [];
  return domain === undefined ? undefined : domainToASCII(domain.toLowerCase()) || undefined;
}

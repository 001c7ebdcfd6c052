import type { Sealing } from '../sealing/sealing.ts';
import type { Counters } from './counters.ts';
import type { LimitSettings } from './limit-settings.ts';
import { takeIn, windowAt } from './window.ts';

export interface ApprovalLimits {
  /** Counts one approval; to be asked when nothing else stands against it any more. */
  mayApprove(approval: CountedApproval): Promise<ApprovalVerdict>;
}

export interface CountedApproval {
  grantId: string;
  upstream: string;
  subject: string;
  /** By the ledger's clock. */
  nowMs: number;
}

export type ApprovalVerdict =
  | { verdict: 'allowed' }
  | { verdict: 'refused'; limit: 'approvals_per_subject'; retryAfterSeconds: number };

const HOUR_SECONDS = 60 * 60;

/** How many devices one person may let in within an hour: a stolen session at the upstream gives an attacker no more. */
export function createApprovalLimits(deps: {
  counters: Counters;
  sealing: Pick<Sealing, 'tag'>;
  limits: LimitSettings;
}): ApprovalLimits {
  const { counters, sealing, limits } = deps;
  return {
    async mayApprove({ grantId, upstream, subject, nowMs }) {
      const limit = limits.approvalsPerSubject;
      if (limit === 0) return { verdict: 'allowed' };
      const hour = windowAt(nowMs, HOUR_SECONDS);
      const person = sealing.tag('limited subject', JSON.stringify([upstream, subject]));
      // A form that is sent twice is one approval, and two at once must not be told two things.
      const place = { key: `{${person}}:approvals`, most: limit };
      const full = await takeIn(counters, [place], hour, `{${person}}:approving:${grantId}`);
      return full === undefined
        ? { verdict: 'allowed' }
        : { verdict: 'refused', limit: 'approvals_per_subject', retryAfterSeconds: hour.secondsLeft };
    },
  };
}

import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { Approval } from '../../ledger/approval.ts';
import type { Grant } from '../../ledger/grant.ts';
import type { GrantDeps } from '../start/start-grant.ts';
import type { Asker } from './poll.ts';
import type { BeginSession, IssueTokens } from './redemption.ts';

export interface RedeemDeps extends GrantDeps {
  beginSession: BeginSession;
  issueTokens: IssueTokens;
  /** A device code came again long after it was redeemed: the session that it made has been ended. */
  onReplayed: (grant: Grant, asker: Asker | undefined) => void;
  /** What was approved is no longer allowed today, or the device did not know its code; it hears `access_denied`. */
  onRefused: (grant: Grant, approval: Approval, reason: RefusedBecause, asker: Asker | undefined) => void;
  /** Digits or a proof came that settle nothing. */
  onUnconfirmed: (grant: Grant, reason: UnconfirmedBecause, asker: Asker | undefined) => void;
  /** Whether today's safeguards would have let this person approve it. */
  areSafeguardsStillMet: (client: RegisteredClient, grant: Grant, approval: Approval) => boolean;
  /** Somebody without a sealing key wrote to the storage. */
  onForgery: (grantId: string, error: Error) => void;
}

/** `wrong` is not what was approved with; the others come too late for any code. */
export type UnconfirmedBecause = 'wrong' | 'spent' | 'denied' | 'ended';

export type RefusedBecause =
  | 'approver'
  | 'scopes'
  | 'resources'
  | 'ended'
  | 'confirmation_code'
  | 'pkce'
  | 'dpop'
  | 'safeguards';

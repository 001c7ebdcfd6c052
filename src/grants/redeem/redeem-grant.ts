import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { Approval } from '../../ledger/approval.ts';
import {
  confirmationDeniedEntry,
  decisionEntry,
  deliveredEntry,
  endedEntry,
  grantEntry,
  spentEntry,
} from '../../ledger/entry-keys.ts';
import type { Grant } from '../../ledger/grant.ts';
import { type Entry, StorageUnavailableError } from '../../ledger/ledger.ts';
import { subjectIndexOf } from '../../ledger/subject-index.ts';
import type { Secret } from '../../sealing/secret.ts';
import { judgeApprover, missingProof, stillAllowed } from '../decide/policy.ts';
import { newAttempt } from '../device-code.ts';
import { isMarkedEnded, type SignedIn } from '../revocation-marks.ts';
import type { GrantDeps } from '../start/start-grant.ts';
import type { Asker, Poll, PollOutcome } from './poll-grant.ts';
import { sealDelivered } from './redeliver-grant.ts';
import { userinfoEntries } from './userinfo-entry.ts';

export interface RedeemDeps extends GrantDeps {
  /** The prefixes of an address, for the kill switch. */
  sourcePrefixes: (address: string) => readonly string[];
  beginSession: BeginSession;
  issueTokens: IssueTokens;
  /** A device code came again long after it was redeemed: the session that it made has been ended. */
  onReplayed: (grant: Grant, asker: Asker | undefined) => void;
  /** What was approved is no longer allowed today, or the device did not know its code; it hears `access_denied`. */
  onRefused: (grant: Grant, approval: Approval, reason: RefusedBecause, asker: Asker | undefined) => void;
  /** Whether today's safeguards would have let this person approve it. */
  areSafeguardsStillMet: (client: RegisteredClient, grant: Grant, approval: Approval) => boolean;
  /** Somebody without a sealing key wrote to the storage. */
  onForgery: (grantId: string, error: Error) => void;
}

export type RefusedBecause =
  | 'approver'
  | 'scopes'
  | 'resources'
  | 'ended'
  | 'confirmation_code'
  | 'pkce'
  | 'dpop'
  | 'safeguards';

/** What is about to be handed out, by today's configuration. */
export interface Redemption {
  client: RegisteredClient;
  grant: Grant;
  approval: Approval;
  scopes: readonly string[];
  resources: readonly string[];
  /** Of these, the ones that this access token is for. */
  tokenResources: readonly string[];
  /** The DPoP key that the tokens are bound to. */
  jkt?: string | undefined;
  atMs: number;
}

/** Makes the entries of the device session that a redemption starts; writes nothing by itself. */
export type BeginSession = (redemption: Redemption, deviceCode: Secret, attempt: string) => Promise<BegunSession>;

export interface BegunSession {
  entries: readonly Entry[];
  endsAtMs: number;
  refreshToken?: Secret | undefined;
}

/**
 * Makes the token answer, in memory and by itself: what can fail must fail before anything is written.
 * `expired` is a relayed token that is no longer worth handing out.
 */
export type IssueTokens = (
  redemption: Redemption,
  facts: { jti: string; refreshToken?: Secret | undefined; sessionEndsAtMs?: number | undefined },
) => Promise<({ outcome: 'issued' } & IssuedAnswer) | { outcome: 'expired' }>;

export interface IssuedAnswer {
  answer: TokenAnswer;
  /** What userinfo says besides the access token's own claims. */
  userinfo?: Readonly<Record<string, unknown>> | undefined;
}

/** The members of a successful token answer, as they go over the wire. */
export type TokenAnswer = Readonly<Record<string, unknown>>;

/**
 * How long after it is sent a redemption, or a refresh, may still be written. Less than a device waits for us: a
 * command that sat out an outage in a queue must not spend a code whose poll was told to come again.
 */
export const COMMIT_WITHIN_MS = 2500;

/**
 * Validate, then claim, then issue: policy by today's configuration (I5, I6), before-marks and signing come first; then
 * one script writes `spent`, session and first refresh token, for one caller only (I1); then the answer goes out.
 */
export async function redeemGrant(
  deps: RedeemDeps,
  poll: Poll,
  grant: Grant,
  approval: Approval,
  nowMs: number,
): Promise<PollOutcome> {
  const { client, deviceCode } = poll;
  const { ledger, sealing } = deps;

  const judged = await judgeRedemption(deps, poll, grant, approval);
  if (judged.verdict === 'invalid_target') return { outcome: 'invalid_target' };
  if (judged.verdict === 'refused') {
    deps.onRefused(grant, approval, judged.reason, poll.asker);
    return { outcome: 'access_denied' };
  }

  const attempt = newAttempt(deps.randomBytes);
  const jkt = poll.jkt === '' ? undefined : poll.jkt;
  const redemption = { client, grant, approval, ...judged.granted, jkt, atMs: nowMs };
  const session = await deps.beginSession(redemption, deviceCode, attempt);
  // Derived: a redemption that is repeated makes the same token.
  const jti = sealing.derive(grant.keyName, 'jti', deviceCode, 16).toString('base64url');
  const { refreshToken, endsAtMs: sessionEndsAtMs } = session;
  const issued = await deps.issueTokens(redemption, { jti, refreshToken, sessionEndsAtMs });
  if (issued.outcome === 'expired') return { outcome: 'expired_token' };

  const writes: [Entry, ...Entry[]] = [
    {
      key: spentEntry(grant.id),
      value: sealing.vouch(spentEntry(grant.id), `${attempt}|1|${nowMs}`),
      expiresAtMs: grant.keptUntilMs,
    },
    ...session.entries,
    ...(await userinfoEntries(sealing, { id: grant.id, jti, atMs: nowMs, endsAtMs: session.endsAtMs }, issued)),
  ];
  if (client.redeliverySeconds > 0) {
    writes.push({
      key: deliveredEntry(grant.id),
      value: await sealDelivered(sealing, poll, grant, issued, judged.granted),
      expiresAtMs: nowMs + client.redeliverySeconds * 1000,
    });
  }
  await poll.proof.spend(grant.id);
  // Before the redemption: a session that no index names could not be shown to the person, nor be ended by them.
  const index = subjectIndexOf(sealing, approval);
  const [readyAtMs] = await Promise.all([ledger.now(), ledger.enlist(index, grant.id, session.endsAtMs)]);
  const denials = [endedEntry(grant.id), confirmationDeniedEntry(grant.id)];
  const committed = await ledger.commit({
    attempt,
    writes,
    requires: [grantEntry(grant.id), decisionEntry(grant.id)],
    unless: denials,
    notAfterMs: readyAtMs + COMMIT_WITHIN_MS,
  });
  switch (committed.outcome) {
    case 'won':
      return {
        ...{ outcome: 'tokens', answer: issued.answer, grantId: grant.id, redelivered: false },
        person: { upstream: approval.upstream, subject: approval.subject },
      };
    case 'lost':
      return { outcome: 'invalid_grant' };
    case 'refused':
      if (committed.because === 'late') throw new StorageUnavailableError('the redemption came too late to be written');
      return { outcome: denials.includes(committed.because) ? 'access_denied' : 'invalid_grant' };
  }
}

export interface Granted {
  scopes: readonly string[];
  resources: readonly string[];
  tokenResources: readonly string[];
}

/** What may be handed out by today's configuration (I5, I6), for this poll's wish. */
export async function judgeRedemption(
  deps: RedeemDeps,
  poll: Poll,
  grant: Grant,
  approval: Approval,
): Promise<
  | { verdict: 'allowed'; granted: Granted }
  | { verdict: 'refused'; reason: RefusedBecause }
  | { verdict: 'invalid_target' }
> {
  const { client } = poll;
  const refused = (reason: RefusedBecause) => ({ verdict: 'refused', reason }) as const;
  if (judgeApprover(client, approval).verdict !== 'allowed') return refused('approver');
  const missing = missingProof(client, grant);
  if (missing !== undefined) return refused(missing);
  if (!deps.areSafeguardsStillMet(client, grant, approval)) return refused('safeguards');
  const allowed = stillAllowed(client, approval);
  if (allowed.scopes.length === 0 && approval.scopes.length > 0) return refused('scopes');
  // A relayed token is as it is: what may not be in it any more cannot be left out.
  if (client.tokens === 'relay' && allowed.scopes.length < approval.scopes.length) return refused('scopes');
  if (allowed.resources.length === 0 && approval.resources.length > 0) return refused('resources');
  // Not consumed: the device may ask again for something that was approved (RFC 8707 §2.2).
  const approved = allowed.resources.length > 0 ? allowed.resources : client.resources.slice(0, 1);
  if (!poll.resources.every((resource) => approved.includes(resource))) return { verdict: 'invalid_target' };
  if (await isMarkedEnded(deps, signInOf(deps, client, grant, approval))) return refused('ended');
  const tokenResources = poll.resources.length > 0 ? poll.resources : allowed.resources;
  return { verdict: 'allowed', granted: { ...allowed, tokenResources } };
}

function signInOf(deps: RedeemDeps, client: RegisteredClient, grant: Grant, approval: Approval): SignedIn {
  return {
    ...approval,
    clientId: client.id,
    sourcePrefixes: deps.sourcePrefixes(grant.source),
    endsOnLogout: client.endOnLogout,
  };
}

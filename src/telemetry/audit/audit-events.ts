import type { LogEventName } from '../log-events.ts';

/**
 * What waits together for a target. Each line has a length of its own, so that what strangers can send without end
 * cannot take the place of what somebody decided, and routine not either.
 */
export const AUDIT_LINES = ['decisions', 'sessions', 'others'] as const;

export type AuditLine = (typeof AUDIT_LINES)[number];

export interface AuditClass {
  line: AuditLine;
  /** How many of one source go out one by one within a window; what more come are told as one event with their number. */
  singly: number;
  /** Of how many sources within a window; what comes from still more is told as one event without a source. */
  sources: number;
}

const ALL = Number.POSITIVE_INFINITY;
const DECISION: AuditClass = { line: 'decisions', singly: ALL, sources: ALL };
const ROUTINE: AuditClass = { line: 'sessions', singly: ALL, sources: ALL };
/** One step of a grant: of each there are as many as somebody starts grants. */
const STEP: AuditClass = { line: 'others', singly: 20, sources: 200 };
/** What anybody can cause with one request. */
const NOISE: AuditClass = { line: 'others', singly: 0, sources: 20 };
/** The same as lines of the log: whoever looks for one request's line finds it, unless somebody floods. */
const LOGGED_NOISE: AuditClass = { line: 'others', singly: 30, sources: 30 };

/** What somebody did or was refused, as opposed to how the process fares. Each is a log line too. */
const CLASSES: Partial<Record<LogEventName, AuditClass>> = {
  'admin.ended': DECISION,
  'admin.called': ROUTINE,
  'admin.refused': NOISE,
  'audit.chain_began': DECISION,
  'audit.chain_ended': DECISION,
  'config.reloaded': DECISION,
  'config.refused': DECISION,
  'config.restart_needed': DECISION,
  'campaign.noticed': DECISION,
  'grant.approved': DECISION,
  'grant.denied': DECISION,
  'grant.undone': DECISION,
  'grant.redeemed': DECISION,
  // A device is refused again with each poll.
  'grant.refused': { line: 'decisions', singly: 1, sources: 200 },
  'grant.replayed': DECISION,
  'session.ended': DECISION,
  // The holder of one token can cause it with each request.
  'session.shared': { line: 'decisions', singly: 3, sources: 200 },
  'logout.received': DECISION,
  // A writer to the storage could make one with every poll.
  'storage.rejected': { line: 'decisions', singly: 0, sources: 20 },
  'session.refreshed': ROUTINE,
  'grant.started': STEP,
  'grant.opened': STEP,
  'grant.opened_again': STEP,
  'sign_in.started': STEP,
  'sign_in.finished': STEP,
  'sign_in.failed': STEP,
  'account.refused': STEP,
  'account.undecided': STEP,
  'client.refused': NOISE,
  'request.refused': NOISE,
  'page.refused': NOISE,
  'code.wrong': NOISE,
  'confirmation.refused': NOISE,
  'link.followed': NOISE,
  'limit.reached': NOISE,
};

/** How an event is sent on; `undefined` where it is none of the audit. */
export function auditClass(name: LogEventName, fields: { reason?: unknown } = {}): AuditClass | undefined {
  // The upstream's `access_denied` comes from a browser that nobody signed in with: a stranger who starts grants can deny their own.
  if (name === 'grant.denied' && fields.reason === 'unauthenticated') return STEP;
  return CLASSES[name];
}

/** How a line of the log is told; `undefined` where each is written. */
export function logClass(name: LogEventName): AuditClass | undefined {
  // While the storage is away or full, each request of anybody fails.
  return CLASSES[name] === NOISE || name === 'request.failed' ? LOGGED_NOISE : undefined;
}

import type { LogEvent, LogLevel } from './log-event.ts';
import type { LogField } from './log-fields.ts';
import { PROCESS_EVENTS } from './process-events.ts';

/** Of what strangers can cause without end, beyond some of each source. */
const TOLD_TOGETHER = ['count', 'since'] as const;
const TRACED = ['requestId', 'grant', 'client'] as const;

/** Every line that Gatehouse logs: name → level, meaning, fields. */
export const LOG_EVENTS = {
  ...PROCESS_EVENTS,
  'storage.rejected': {
    level: 'error',
    meaning: 'A stored value does not authenticate: it was written or moved by somebody else, or its key is gone.',
    fields: [...TRACED, 'detail'],
  },
  'request.failed': {
    level: 'error',
    meaning: 'A request met an error that is ours to mend; the caller saw only the reference.',
    fields: [...TRACED, 'upstream', 'subject', 'method', 'route', 'status', 'error', ...TOLD_TOGETHER],
  },
  'request.refused': {
    level: 'debug',
    meaning: 'A device was answered with an error other than a pending poll’s.',
    fields: [...TRACED, 'route', 'status', 'oauthError', 'detail', 'source', 'error', ...TOLD_TOGETHER],
  },
  'client.refused': {
    level: 'info',
    meaning: 'A client is unknown, or its authentication failed.',
    fields: ['requestId', 'client', 'route', 'source', 'detail', ...TOLD_TOGETHER],
  },
  'limit.reached': {
    level: 'warn',
    meaning: 'A limit of the configuration was reached.',
    fields: [...TRACED, 'limit', 'source', 'upstream', 'subject', ...TOLD_TOGETHER],
  },
  'grant.started': {
    level: 'info',
    meaning: 'A device asked for codes.',
    fields: [...TRACED, 'code', 'source', 'scopes'],
  },
  'grant.polled': {
    level: 'trace',
    meaning: 'A device polled; at `trace` only, since nine tenths of all requests are this one.',
    fields: [...TRACED, 'outcome'],
  },
  'code.wrong': {
    level: 'info',
    meaning: 'A user code was typed that is unknown, expired or used.',
    fields: ['requestId', 'code', 'source', ...TOLD_TOGETHER],
  },
  'link.followed': {
    level: 'info',
    meaning: 'Somebody came to the code page by a link from another site and saw the stop page.',
    fields: ['requestId', 'detail', 'source', ...TOLD_TOGETHER],
  },
  'campaign.noticed': {
    level: 'warn',
    meaning: 'One source started codes that several people signed in for; `source` is where they were started.',
    fields: [...TRACED, 'upstream', 'source', 'outcome'],
  },
  'grant.opened': {
    level: 'info',
    meaning: 'A person entered the right code.',
    fields: [...TRACED, 'code', 'source', 'signal'],
  },
  'grant.opened_again': {
    level: 'warn',
    meaning: 'The code was entered in a second browser too.',
    fields: [...TRACED, 'code', 'source'],
  },
  'sign_in.started': {
    level: 'info',
    meaning: 'A browser was sent to an upstream.',
    fields: [...TRACED, 'upstream', 'purpose', 'source'],
  },
  'sign_in.finished': {
    level: 'info',
    meaning: 'A person came back signed in.',
    fields: [...TRACED, 'upstream', 'subject', 'purpose', 'source'],
  },
  'sign_in.failed': {
    level: 'warn',
    meaning: 'A way to the upstream or back failed; the person saw a page with the reference.',
    fields: [...TRACED, 'upstream', 'purpose', 'fault', 'reason', 'detail', 'error', 'source', 'status'],
  },
  'account.refused': {
    level: 'info',
    warnsWhere: ['reason', 'claims_too_large'],
    meaning: 'Somebody signed in who may not approve this client; the grant stays pending.',
    fields: [...TRACED, 'upstream', 'subject', 'reason', 'claim', 'source'],
  },
  'account.undecided': {
    level: 'warn',
    meaning:
      'Somebody signed in of whom the upstream did not say what the client’s `approvers` need: a claim is missing, or came and cannot be read. Nobody can approve so; the grant stays pending.',
    fields: [...TRACED, 'upstream', 'subject', 'reason', 'claim', 'source'],
  },
  'page.refused': {
    level: 'info',
    warnsWhere: ['reason', 'upstream_claim_missing', 'claims'],
    meaning: 'A page was refused: CSRF token or origin, session, grant or decision did not fit.',
    fields: [
      ...TRACED,
      'upstream',
      'subject',
      'claim',
      'route',
      'status',
      'reason',
      'detail',
      'source',
      ...TOLD_TOGETHER,
    ],
  },
  'grant.approved': {
    level: 'info',
    meaning: 'A person approved.',
    fields: [...TRACED, 'upstream', 'subject', 'account', 'scopes', 'source', 'place', 'requesterPlace', 'signal'],
  },
  'grant.denied': {
    level: 'info',
    meaning: 'A grant was denied, by a person or by the upstream’s `access_denied`.',
    fields: [...TRACED, 'upstream', 'subject', 'by', 'reason', 'source', 'place', 'requesterPlace', 'signal'],
  },
  'grant.undone': {
    level: 'info',
    meaning: 'A person took an approval back before the device got tokens.',
    fields: [...TRACED, 'upstream', 'subject', 'source'],
  },
  'grant.redeemed': {
    level: 'info',
    meaning: 'A device got its tokens.',
    fields: [...TRACED, 'upstream', 'subject', 'scopes', 'session', 'source', 'confirmation'],
  },
  'confirmation.refused': {
    level: 'info',
    meaning:
      'A device sent digits or a proof that settle nothing: `wrong` for this grant, or after it was `spent`, `denied` or `ended`.',
    fields: [...TRACED, 'reason', 'source', ...TOLD_TOGETHER],
  },
  'grant.refused': {
    level: 'warn',
    meaning: 'An approved grant was not redeemed: today’s policy, a mark or a limit stands against it.',
    fields: [...TRACED, 'upstream', 'subject', 'reason', 'source'],
  },
  'grant.replayed': {
    level: 'warn',
    meaning: 'A device code was used again after its redemption.',
    fields: [...TRACED, 'session', 'source'],
  },
  'session.refreshed': {
    level: 'info',
    meaning: 'A device session was refreshed, or a lost answer to a refresh given again.',
    fields: [...TRACED, 'session', 'upstream', 'subject', 'scopes', 'outcome', 'source', 'firstSource'],
  },
  'session.shared': {
    level: 'warn',
    meaning: 'The answer to a refresh was asked for again from another network: two may be using one refresh token.',
    fields: [...TRACED, 'session', 'upstream', 'subject', 'source', 'firstSource'],
  },
  'session.ended': {
    level: 'info',
    warnsWhere: ['by', 'reuse', 'replay', 'refused_wishes', 'other_network', 'lost'],
    meaning: 'A device session ended.',
    fields: [...TRACED, 'session', 'upstream', 'subject', 'by', 'reason', 'source'],
  },
  'upstream.unavailable': {
    level: 'warn',
    meaning: 'An upstream does not answer, or answers garbage.',
    fields: ['requestId', 'upstream', 'fault', 'detail', 'error'],
  },
  'upstream.claim': {
    level: 'warn',
    meaning: 'A claim of an upstream could not be taken as it came: it cannot be read, or it is too long.',
    fields: ['requestId', 'upstream', 'claim', 'detail'],
  },
  'upstream.rejected': {
    level: 'error',
    meaning: 'An upstream refuses Gatehouse’s own credentials or registration; an administrator must act.',
    fields: ['requestId', 'upstream', 'detail', 'error'],
  },
  'logout.received': {
    level: 'info',
    meaning: 'A logout at an upstream was told: by itself, or with a `source` by a browser (front-channel logout).',
    fields: ['requestId', 'upstream', 'subject', 'source'],
  },
} as const satisfies Record<string, LogEvent>;

export type LogEventName = keyof typeof LOG_EVENTS;

/** The fields of one event's line. */
export type LogFieldsOf<Name extends LogEventName> = {
  [Field in (typeof LOG_EVENTS)[Name]['fields'][number]]?: unknown;
};

/** How loud a line is: some of an event's lines are a warning. */
export function levelOf(name: LogEventName, fields: Partial<Record<LogField, unknown>> = {}): LogLevel {
  const { level, warnsWhere }: LogEvent = LOG_EVENTS[name];
  if (warnsWhere === undefined) return level;
  const [field, ...values] = warnsWhere;
  return values.some((value) => value === fields[field]) ? 'warn' : level;
}

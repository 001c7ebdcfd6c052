import { parseDuration } from '../../config/schema/duration.ts';
import type { DeviceSession } from '../../device-sessions/device-session.ts';
import type { ListedSession } from '../../device-sessions/list-sessions.ts';
import type { SessionOwner } from '../../ledger/subject-index.ts';
import { type Cidr, contains, parseCidr } from '../../network/cidr.ts';
import { parseIpAddress } from '../../network/ip-address.ts';
import { LOG_TAG_LENGTH } from '../../telemetry/logger.ts';
import { subjectOf } from '../../tokens/subject.ts';
import { type Arguments, readArguments, UsageError } from '../read-arguments.ts';
import type { endTable } from '../tables/end-table.ts';
import type { sessionsTable } from '../tables/sessions-table.ts';

/** What `sessions list`, `sessions end` and `end` are asked for. */
export interface SessionFilter {
  client: string | undefined;
  upstream: string | undefined;
  /** As the upstream says it, with `upstream`; or `upstream|subject`, as tokens and lists show it. */
  subject: string | undefined;
  /** What the person was shown as their account, most often an e-mail address. */
  account: string | undefined;
  /** The whole id, or what the log shows of it. */
  session: string | undefined;
  /** What the person, or else the device, called the device. */
  device: string | undefined;
  source: Cidr | undefined;
  /** As it was typed: a moment, or how long ago; `undefined` for now. */
  before: string | undefined;
  all: boolean;
}

type Table = typeof sessionsTable | typeof endTable;

export interface SessionArguments {
  filter: SessionFilter;
  json: boolean;
  /** Only those that go on. */
  active: boolean;
  /** Counts, and changes nothing. */
  dryRun: boolean;
  /** Nobody is asked. */
  yes: boolean;
  config: string | undefined;
}

/** @throws {UsageError} */
export function readSessionArguments<Of extends Table>(
  table: Of,
  argv: readonly string[],
): SessionArguments & Pick<Arguments<Of>, 'verb' | 'operands'> {
  const { values: said, verb, operands } = readArguments(table, argv);
  const values: Arguments<typeof sessionsTable>['values'] = said;
  const { client, upstream, subject, account, session, device, before, all = false } = values;
  if (subject !== undefined && upstream === undefined && !/^[^|]+\|./.test(subject)) {
    throw new UsageError(
      '--subject needs --upstream, or the form upstream|subject: it means nothing without the upstream that says it',
    );
  }
  if (session !== undefined) sessionId(session);
  const source = values.source === undefined ? undefined : parseCidr(values.source);
  if (values.source !== undefined && source === undefined) {
    throw new UsageError(`--source ${values.source} is no address or network, such as 192.0.2.7 or 192.0.2.0/24`);
  }
  if (before !== undefined && momentOf(before, 0) === undefined) {
    throw new UsageError(`--before ${before} is no moment (2026-03-01T12:00:00Z) and no duration (2h)`);
  }
  const filter = { client, upstream, subject, account, session, device, source, before, all };
  if (all && isNarrowed({ ...filter, all: false })) {
    throw new UsageError('--all is everything: leave it out, or the others');
  }
  return {
    ...{ verb, operands, filter },
    json: values.json === true,
    active: values.active === true,
    dryRun: values['dry-run'] === true,
    yes: values.yes === true,
    config: values.config,
  };
}

/** @throws {UsageError} where too little is typed to mean one */
export function sessionId(typed = ''): string {
  if (typed.length >= LOG_TAG_LENGTH) return typed;
  throw new UsageError(
    `a session is named by its id, or by at least the ${LOG_TAG_LENGTH} characters that the log has of it`,
  );
}

export function isNarrowed({
  client,
  upstream,
  subject,
  account,
  session,
  device,
  source,
  all,
}: SessionFilter): boolean {
  return all || [client, upstream, subject, account, session, device, source].some((one) => one !== undefined);
}

/** RFC 3339, with or without fractions; without a zone nobody knows which one was meant. */
const MOMENT = /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})$/;

/** Milliseconds since the epoch, or `undefined` where the text is neither a moment nor a duration ago. */
export function momentOf(text: string, nowMs: number): number | undefined {
  const seconds = parseDuration(text);
  if (seconds !== undefined) return nowMs - seconds * 1000;
  const parsed = MOMENT.test(text) ? Date.parse(text.replace(' ', 'T')) : Number.NaN;
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Whether a session is of what was asked for; when it began is not looked at. */
export function isAbout(filter: SessionFilter, { session, name }: ListedSession): boolean {
  const { client, upstream, subject, account, device, source } = filter;
  if (client !== undefined && session.clientId !== client) return false;
  if (upstream !== undefined && session.upstream !== upstream) return false;
  if (subject !== undefined && !isSubject(subject, session)) return false;
  if (account !== undefined && folded(session.account) !== folded(account)) return false;
  if (filter.session !== undefined && !session.id.startsWith(filter.session)) return false;
  if (
    device !== undefined &&
    ![name, session.deviceLabel].some((one) => one !== undefined && folded(one) === folded(device))
  ) {
    return false;
  }
  if (source === undefined) return true;
  const address = parseIpAddress(session.source);
  return address !== undefined && contains(source, address);
}

/** As the upstream says it, or as `sub` of our tokens. */
function isSubject(subject: string, session: DeviceSession): boolean {
  return session.subject === subject || subjectOf({ subject: 'prefixed' }, session) === subject;
}

/** Nobody types an address with the capitals that the upstream has. */
function folded(text: string): string {
  return text.normalize('NFC').toLowerCase();
}

/**
 * Who may be meant by a subject. `corp|eb23` at `corp` is most often how a token or a list has `eb23`, but an upstream
 * may have subjects with a bar in them.
 */
export function ownersMeant({ upstream, subject }: SessionFilter): SessionOwner[] {
  if (subject === undefined) return [];
  const bar = subject.indexOf('|');
  const split = { upstream: subject.slice(0, bar), subject: subject.slice(bar + 1) };
  if (upstream === undefined) return [split];
  return [{ upstream, subject }, ...(split.upstream === upstream && split.subject !== '' ? [split] : [])];
}

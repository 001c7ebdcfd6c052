import { parseDuration } from '../../config/schema/duration.ts';
import {
  lacksUpstream,
  type SessionFilter as MeantSessions,
  parseMoment,
} from '../../device-sessions/session-filter.ts';
import { parseCidr } from '../../network/cidr.ts';
import { LOG_TAG_LENGTH } from '../../telemetry/logger.ts';
import { type Arguments, readArguments, UsageError } from '../read-arguments.ts';
import type { endTable } from '../tables/end-table.ts';
import type { sessionsTable } from '../tables/sessions-table.ts';

/** What `sessions list`, `sessions end` and `end` are asked for. */
export interface SessionFilter extends MeantSessions {
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
  if (lacksUpstream({ subject, upstream })) {
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

/** Milliseconds since the epoch, or `undefined` where the text is neither a moment nor a duration ago. */
export function momentOf(text: string, nowMs: number): number | undefined {
  const seconds = parseDuration(text);
  return seconds === undefined ? parseMoment(text) : nowMs - seconds * 1000;
}

import { endSession } from '../../device-sessions/end-session.ts';
import { type ListedSession, listAllSessions } from '../../device-sessions/list-sessions.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../terminal/printable.ts';
import { type AdminContext, withAdminContext } from './admin-context.ts';
import {
  FILTER_USAGE,
  isAbout,
  isNarrowed,
  momentOf,
  readSessionArguments,
  type SessionFilter,
  UsageError,
} from './session-filter.ts';

const USAGE = `Usage: gatehouse sessions list [OPTIONS]
       gatehouse sessions end [OPTIONS]

Lists device sessions, or ends them. Several options mean all of them at once.
${FILTER_USAGE}
--before is about when a session began. What was approved and is not redeemed yet is no session:
gatehouse end ends that too.
Exit 0: done. 64: options. 69: Redis does not answer. 78: no Redis in the configuration.
`;

/** What no command of ours can end. Said wherever sessions are ended. */
export const WHAT_STAYS =
  'Access tokens that are out verify until they expire, except where an API asks /introspect. ' +
  'At the upstream nobody was signed out: its session goes on, and the token that was kept here was deleted and lapses there.';

/** `gatehouse sessions …`; answers the exit code. */
export async function run(argv: string[]): Promise<number> {
  const { positionals, filter, json, config, help } = readSessionArguments(argv);
  if (help) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  const [verb, ...more] = positionals;
  if ((verb !== 'list' && verb !== 'end') || more.length > 0) throw new UsageError('say `list` or `end`');
  if (verb === 'end' && !isNarrowed(filter)) throw new UsageError('say which sessions to end, or --all');
  return withAdminContext(config, async (admin) => {
    if (verb === 'list') await list(admin, filter, json);
    else await end(admin, filter, json);
    const unreadable = admin.unreadable();
    if (unreadable > 0) {
      process.stderr.write(`${unreadable} more cannot be read: their sealing key is not in the configuration, or\n`);
      process.stderr.write('somebody else wrote them\n');
    }
    return EXIT.done;
  });
}

async function list(admin: AdminContext, filter: SessionFilter, json: boolean): Promise<void> {
  let count = 0;
  for await (const listed of matching(admin, filter)) {
    if (json) process.stdout.write(`${count === 0 ? '[' : ','}\n${JSON.stringify(forPrograms(listed))}`);
    else process.stdout.write(`${forPeople(listed)}\n`);
    count += 1;
  }
  if (json) process.stdout.write(count === 0 ? '[]\n' : '\n]\n');
  else process.stderr.write(`${sessionCount(count)}\n`);
}

async function end(admin: AdminContext, filter: SessionFilter, json: boolean): Promise<void> {
  let count = 0;
  for await (const { session, ended } of matching(admin, filter)) {
    // One that was ended by a mark is ended here too: that deletes what it carried.
    const hasEnded = await endSession(admin.end, session, 'administrator');
    if (hasEnded && ended === undefined) count += 1;
  }
  if (json) process.stdout.write(`${JSON.stringify({ ended: count })}\n`);
  else process.stdout.write(`Ended ${sessionCount(count)}.\n${WHAT_STAYS}\n`);
}

async function* matching(admin: AdminContext, filter: SessionFilter): AsyncGenerator<ListedSession> {
  const nowMs = await admin.now();
  const beforeMs = filter.before === undefined ? Number.POSITIVE_INFINITY : (momentOf(filter.before, nowMs) ?? nowMs);
  for await (const listed of listAllSessions(admin.sessions)) {
    if (listed.session.startedAtMs < beforeMs && isAbout(filter, listed.session)) yield listed;
  }
}

export function sessionCount(count: number): string {
  return `${count} device session${count === 1 ? '' : 's'}`;
}

function forPrograms({ session, name, lastUsedAtMs, ended }: ListedSession): Record<string, unknown> {
  return {
    session: session.id,
    client: session.clientId,
    upstream: session.upstream,
    subject: session.subject,
    account: session.account,
    name: name ?? null,
    device_label: session.deviceLabel ?? null,
    user_agent: session.userAgent ?? null,
    source: session.source,
    scopes: session.scopes,
    resources: session.resources,
    signed_in_at: timeOf(session.signedInAtMs),
    started_at: timeOf(session.startedAtMs),
    last_used_at: timeOf(lastUsedAtMs),
    ends_at: timeOf(session.endsAtMs),
    ended: ended ?? null,
  };
}

/** One line; what the device or a person chose is quoted, and cannot move the cursor. */
function forPeople({ session, name, lastUsedAtMs, ended }: ListedSession): string {
  const label = name ?? session.deviceLabel;
  return [
    session.clientId,
    `${session.upstream}|${printable(session.subject)}`,
    printable(session.account),
    ...(label === undefined ? [] : [JSON.stringify(printable(label))]),
    `from ${session.source}`,
    `started ${timeOf(session.startedAtMs)}`,
    `last used ${timeOf(lastUsedAtMs)}`,
    ended === undefined ? `until ${timeOf(session.endsAtMs)}` : `ended (${ended})`,
  ].join('  ');
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString();
}

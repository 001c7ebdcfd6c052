import { announceCounts, announceEnd } from '../../device-sessions/announced-ends.ts';
import { endSession } from '../../device-sessions/end-session.ts';
import { findSessions } from '../../device-sessions/find-sessions.ts';
import type { ListedSession } from '../../device-sessions/list-sessions.ts';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import { sessionForPrograms } from '../../operations/admin/session-form.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { tooMuch, UsageError } from '../read-arguments.ts';
import { sessionsTable } from '../tables/sessions-table.ts';
import { type AdminContext, withAdminContext } from './admin-context.ts';
import { type AnswerInput, askYes, requireAnswerable } from './ask.ts';
import { namesOf } from './end-order.ts';
import { isConfigured, unknownName } from './name-of-sessions.ts';
import { operator } from './operator.ts';
import {
  isNarrowed,
  momentOf,
  readSessionArguments,
  type SessionArguments,
  type SessionFilter,
  sessionId,
} from './session-filter.ts';
import { sessionCount, sessionDetails, sessionTable, WHAT_STAYS } from './session-words.ts';

const VERBS = { list, show, end };

/** `gatehouse sessions …`; answers the exit code. */
export async function run(argv: string[], input: AnswerInput = process.stdin): Promise<number> {
  const args = readSessionArguments(sessionsTable, argv);
  const { filter, verb, operands } = args;
  if (verb === 'show') {
    if (filter.session === undefined && operands.length === 1) filter.session = sessionId(operands[0]);
    else if (filter.session === undefined || operands.length > 0) throw new UsageError('say which session: `show ID`');
  } else if (operands.length > 0) throw new UsageError(tooMuch(operands[0]));
  if (verb === 'end') {
    if (!isNarrowed(filter)) throw new UsageError('say which sessions to end, or --all');
    if (!args.dryRun) requireAnswerable(input, args.yes);
  }
  return withAdminContext('sessions', args.config, async (admin) => {
    const exitCode = await VERBS[verb](admin, args, input);
    const unreadable = admin.unreadable();
    if (unreadable > 0) {
      const why = 'their sealing key is not in the configuration, or somebody else wrote them';
      complain('sessions', `${unreadable} more cannot be read: ${why}`);
    }
    return exitCode;
  });
}

async function list(admin: AdminContext, { filter, json, active }: SessionArguments): Promise<number> {
  const rows: ListedSession[] = [];
  let count = 0;
  for await (const listed of matching(admin, filter)) {
    if (active && listed.ended !== undefined) continue;
    if (json) process.stdout.write(`${count === 0 ? '[' : ','}\n${JSON.stringify(sessionForPrograms(listed))}`);
    else rows.push(listed);
    count += 1;
  }
  if (json) process.stdout.write(count === 0 ? '[]\n' : '\n]\n');
  else {
    if (count > 0) process.stdout.write(sessionTable(rows));
    process.stderr.write(`${sessionCount(count)}\n`);
  }
  return EXIT.done;
}

async function show(admin: AdminContext, { filter, json }: SessionArguments): Promise<number> {
  const found: ListedSession[] = [];
  for await (const listed of findSessions(admin.sessions, filter)) found.push(listed);
  const [listed] = found;
  if (listed === undefined || found.length > 1) {
    const problem = listed === undefined ? unknownName(filter) : `${found.length} sessions begin so: give the whole id`;
    complain('sessions', problem);
    return EXIT.failed;
  }
  process.stdout.write(json ? `${JSON.stringify(sessionForPrograms(listed))}\n` : sessionDetails(listed));
  return EXIT.done;
}

async function end(admin: AdminContext, args: SessionArguments, input: AnswerInput): Promise<number> {
  const { filter, json, dryRun, yes } = args;
  if (dryRun || !yes) {
    let [alive, seen] = [0, 0];
    for await (const { ended } of matching(admin, filter)) {
      seen += 1;
      if (ended === undefined) alive += 1;
    }
    if (seen === 0 && isUnknown(admin, filter)) return sayUnknown(filter);
    if (dryRun && json) process.stdout.write(`${JSON.stringify({ would_end: alive })}\n`);
    else if (dryRun) process.stdout.write(`That would end ${sessionCount(alive)}. Nothing was changed.\n`);
    if (dryRun) return EXIT.done;
    if (!(await askYes(input, `End ${sessionCount(alive)}?`))) {
      process.stderr.write('Nothing was changed.\n');
      return EXIT.failed;
    }
  }
  const command = 'gatehouse sessions end';
  const beforeMs = await momentIn(admin, filter);
  let [count, seen] = [0, 0];
  const counts = new Map<string, number>();
  try {
    await endEach();
  } catch (error) {
    if (error instanceof StorageUnavailableError) {
      process.stderr.write(`${sessionCount(count)} ended so far. Run the same command again: it does what is left.\n`);
    }
    throw error;
  }
  await announceCounts(admin.end, counts);
  if (json) process.stdout.write(`${JSON.stringify({ ended: count })}\n`);
  if (seen === 0 && isUnknown(admin, filter)) return sayUnknown(filter);
  if (!json) process.stdout.write(`Ended ${sessionCount(count)}.\n${WHAT_STAYS}\n`);
  return EXIT.done;

  async function endEach(): Promise<void> {
    for await (const { session, ended } of matching(admin, filter)) {
      // Once there is something to tell, and before it is done: a command that is cut off has told it.
      if (seen === 0) await announceEnd(admin.end, { ...namesOf(filter), beforeMs, operator: operator(), command });
      seen += 1;
      // One that was ended by a mark is ended here too: that deletes what it carried.
      const hasEnded = await endSession(admin.end, session, 'administrator');
      if (hasEnded) counts.set(session.clientId, (counts.get(session.clientId) ?? 0) + 1);
      if (hasEnded && ended === undefined) count += 1;
    }
  }
}

/** With --before there may be sessions, only none that old. */
function isUnknown(admin: AdminContext, filter: SessionFilter): boolean {
  return filter.before === undefined && !isConfigured(admin, filter);
}

function sayUnknown(filter: SessionFilter): number {
  complain('sessions', unknownName(filter));
  return EXIT.failed;
}

async function* matching(admin: AdminContext, filter: SessionFilter): AsyncGenerator<ListedSession> {
  const beforeMs = filter.before === undefined ? Number.POSITIVE_INFINITY : await momentIn(admin, filter);
  for await (const listed of findSessions(admin.sessions, filter)) {
    if (listed.session.startedAtMs < beforeMs) yield listed;
  }
}

async function momentIn(admin: AdminContext, { before }: SessionFilter): Promise<number> {
  const nowMs = await admin.now();
  return before === undefined ? nowMs : (momentOf(before, nowMs) ?? nowMs);
}

import { announceCounts, announceEnd } from '../../device-sessions/announced-ends.ts';
import type { DeviceSession } from '../../device-sessions/device-session.ts';
import { endSession } from '../../device-sessions/end-session.ts';
import { findSessions } from '../../device-sessions/find-sessions.ts';
import { type KillMark, setKillMark } from '../../device-sessions/kill-marks.ts';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import type { SessionOwner } from '../../ledger/subject-index.ts';
import { EXIT } from '../exit-codes.ts';
import { UsageError } from '../read-arguments.ts';
import { endTable } from '../tables/end-table.ts';
import { type AdminContext, withAdminContext } from './admin-context.ts';
import { type AnswerInput, askYes, requireAnswerable } from './ask.ts';
import { type EndOrder, marksOf, namesIn, namesOf, wholeMark } from './end-order.ts';
import { aboutWhat, sayCount, sayEnded, sayInterrupted, sayUnknown } from './end-report.ts';
import { isConfigured } from './name-of-sessions.ts';
import { operator } from './operator.ts';
import { momentOf, readSessionArguments, type SessionFilter } from './session-filter.ts';
import { sessionCount } from './session-words.ts';

/** `gatehouse end`; answers the exit code. */
export async function run(argv: string[], input: AnswerInput = process.stdin): Promise<number> {
  const { filter, json, dryRun, yes, config } = readSessionArguments(endTable, argv);
  const whole = wholeMark(filter);
  if (!dryRun) requireAnswerable(input, yes);
  return withAdminContext('end', config, async (admin) => {
    const nowMs = await admin.now();
    const beforeMs = filter.before === undefined ? nowMs : (momentOf(filter.before, nowMs) ?? nowMs);
    if (beforeMs > nowMs) {
      throw new UsageError('--before is in the future: nobody could sign in until then');
    }
    // A mark of a client or of all needs no look at what there is, and with --yes does not wait for one.
    const found = whole === undefined || dryRun || !yes ? await count(admin, filter, beforeMs) : undefined;
    const order = { filter, beforeMs, marks: whole === undefined ? marksOf(filter, found?.owners ?? []) : [whole] };
    const isKnown = (seen: number) => seen > 0 || isConfigured(admin, filter);
    if (found !== undefined && !isKnown(found.seen) && order.marks.length === 0) return sayUnknown(order, json);
    if (dryRun) return sayCount(order, found?.alive ?? 0, isKnown(found?.seen ?? 0), json);
    if (!yes && !(await askYes(input, `End ${sessionCount(found?.alive ?? 0)}${aboutWhat(order)}?`))) {
      process.stderr.write('Nothing was changed.\n');
      return EXIT.failed;
    }
    const { ended, seen } = await carryOut(admin, order);
    if (!isKnown(seen)) return sayUnknown(order, json);
    sayEnded(order, ended, json);
    return EXIT.done;
  });
}

/** What is done is announced before, to whoever reads the audit: an outage in between must leave nothing done and untold. */
async function carryOut(admin: AdminContext, order: EndOrder): Promise<{ ended: number; seen: number }> {
  const { filter, beforeMs, marks } = order;
  const told = { beforeMs, operator: operator() };
  const inForce: KillMark[] = [];
  try {
    for (const named of marks.length > 0 ? marks.map(namesIn) : [{}]) {
      await announceEnd(admin.end, { ...namesOf(filter), ...named, ...told, command: 'gatehouse end' });
    }
    for (const mark of marks) {
      await setKillMark(admin.end, { mark, ...told });
      inForce.push(mark);
    }
    return await endOneByOne(admin, order);
  } catch (error) {
    if (error instanceof StorageUnavailableError) sayInterrupted(order, inForce);
    throw error;
  }
}

interface Found {
  /** Ended ones too. */
  seen: number;
  alive: number;
  owners: SessionOwner[];
}

async function count(admin: AdminContext, filter: SessionFilter, beforeMs: number): Promise<Found> {
  const owners = new Map<string, SessionOwner>();
  let [seen, alive] = [0, 0];
  for await (const { session, ended } of findSessions(admin.sessions, filter)) {
    const { upstream, subject } = session;
    // Of everybody at a client there may be a million.
    if (filter.subject !== undefined || filter.account !== undefined) {
      owners.set(JSON.stringify([upstream, subject]), { upstream, subject });
    }
    seen += 1;
    if (ended === undefined && isEarlier(session, filter, beforeMs)) alive += 1;
  }
  return { seen, alive, owners: [...owners.values()] };
}

/** One that was named is ended however short ago it began. */
function isEarlier({ signedInAtMs }: DeviceSession, filter: SessionFilter, beforeMs: number): boolean {
  const isNamed = filter.session !== undefined || filter.device !== undefined;
  return (isNamed && filter.before === undefined) || signedInAtMs < beforeMs;
}

/** The mark holds already; this deletes what the sessions carried, and shows them as ended for good. */
async function endOneByOne(
  admin: AdminContext,
  { filter, beforeMs }: EndOrder,
): Promise<{ ended: number; seen: number }> {
  let [ended, seen] = [0, 0];
  const counts = new Map<string, number>();
  try {
    for await (const { session } of findSessions(admin.sessions, filter)) {
      seen += 1;
      if (!isEarlier(session, filter, beforeMs)) continue;
      if (!(await endSession(admin.end, session, 'administrator'))) continue;
      ended += 1;
      counts.set(session.clientId, (counts.get(session.clientId) ?? 0) + 1);
    }
  } finally {
    // What was ended is ended, also where the rest could not be.
    await announceCounts(admin.end, counts);
  }
  return { ended, seen };
}

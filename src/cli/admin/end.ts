import { endSession } from '../../device-sessions/end-session.ts';
import { listAllSessions } from '../../device-sessions/list-sessions.ts';
import { MAX_RETENTION_MS } from '../../grants/retention.ts';
import { type Mark, setMark } from '../../grants/revocation-marks.ts';
import { networkText } from '../../network/cidr.ts';
import { EXIT } from '../exit-codes.ts';
import { type AdminContext, withAdminContext } from './admin-context.ts';
import {
  FILTER_USAGE,
  isAbout,
  momentOf,
  readSessionArguments,
  type SessionFilter,
  UsageError,
} from './session-filter.ts';
import { sessionCount, WHAT_STAYS } from './sessions.ts';

const USAGE = `Usage: gatehouse end OPTION

The kill switch: from now on nothing counts that was signed in before a moment. It holds at once on every replica, for
device sessions and for what was approved and is not redeemed yet. It cannot be taken back; people sign in again.
One of --client, --upstream, --upstream with --subject, --source or --all:
${FILTER_USAGE}
--source takes 192.0.2.7, 192.0.2.0/24, or a /64 or /48 of IPv6.
Exit 0: done. 64: options. 69: Redis does not answer. 78: no Redis in the configuration.
`;

/** `gatehouse end`; answers the exit code. */
export async function run(argv: string[]): Promise<number> {
  const { positionals, filter, json, config, help } = readSessionArguments(argv);
  if (help) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  if (positionals.length > 0) throw new UsageError(`${JSON.stringify(positionals[0])} is not an option`);
  const mark = markOf(filter);
  return withAdminContext(config, async (admin) => {
    const nowMs = await admin.now();
    const beforeMs = filter.before === undefined ? nowMs : (momentOf(filter.before, nowMs) ?? nowMs);
    if (beforeMs > nowMs) {
      process.stderr.write('--before is in the future: nobody could sign in until then\n');
      return EXIT.usage;
    }
    await setMark(admin.sessions, mark, beforeMs, nowMs + MAX_RETENTION_MS);
    warnOfUnknown(admin, filter);
    const before = new Date(beforeMs).toISOString();
    const what = `what was signed in before ${before}${aboutWhat(mark)}`;
    if (!json) process.stdout.write(`In force on every replica now: ${what} does not count any more.\n`);
    const ended = await endOneByOne(admin, filter, beforeMs);
    if (json) process.stdout.write(`${JSON.stringify({ ...mark, before, ended })}\n`);
    else process.stdout.write(`That ended ${sessionCount(ended)}.\n${WHAT_STAYS}\n`);
    return EXIT.done;
  });
}

/** A mark is about one thing. @throws {UsageError} */
function markOf({ client, upstream, subject, source, all }: SessionFilter): Mark {
  const chosen = [client, upstream, source, all || undefined].filter((one) => one !== undefined);
  if (chosen.length !== 1) {
    throw new UsageError(
      'say one of --client, --upstream, --upstream with --subject, --source, --all; `gatehouse sessions end` takes several',
    );
  }
  if (client !== undefined) return { mark: 'client', clientId: client };
  if (upstream !== undefined && subject !== undefined) return { mark: 'subject', upstream, subject };
  if (upstream !== undefined) return { mark: 'upstream', upstream };
  if (source === undefined) return { mark: 'all' };
  const { address, bits } = source;
  const lengths = address.length === 4 ? [32, 24] : [64, 48];
  if (!lengths.includes(bits)) throw new UsageError('--source takes a /32 or /24 of IPv4, a /64 or /48 of IPv6');
  return { mark: 'source', prefix: networkText(address, bits) };
}

/** The mark holds already; this deletes what the sessions carried, and shows them as ended for good. */
async function endOneByOne(admin: AdminContext, filter: SessionFilter, beforeMs: number): Promise<number> {
  let count = 0;
  for await (const { session } of listAllSessions(admin.sessions)) {
    if (session.signedInAtMs >= beforeMs || !isAbout(filter, session)) continue;
    if (await endSession(admin.end, session, 'administrator')) count += 1;
  }
  return count;
}

/** It may have been removed just now, so that is no mistake for certain. */
function warnOfUnknown({ config }: AdminContext, { client, upstream }: SessionFilter): void {
  if (client !== undefined && !config.clients.some(({ id }) => id === client)) {
    process.stderr.write(`note: the configuration has no client ${JSON.stringify(client)}\n`);
  }
  if (upstream !== undefined && !config.upstreams.some(({ id }) => id === upstream)) {
    process.stderr.write(`note: the configuration has no upstream ${JSON.stringify(upstream)}\n`);
  }
}

function aboutWhat(mark: Mark): string {
  switch (mark.mark) {
    case 'client':
      return ` for the client ${mark.clientId}`;
    case 'upstream':
      return ` at the upstream ${mark.upstream}`;
    case 'subject':
      return ` as ${mark.subject} at the upstream ${mark.upstream}`;
    case 'source':
      return ` for devices at ${mark.prefix}`;
    default:
      return '';
  }
}

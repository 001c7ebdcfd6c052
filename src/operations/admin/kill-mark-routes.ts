import {
  type KillMark,
  type ListedKillMark,
  listKillMarks,
  type SetKillMark,
  setKillMark,
} from '../../device-sessions/kill-marks.ts';
import { parseMoment } from '../../device-sessions/session-filter.ts';
import type { EndGrantDeps } from '../../grants/end-grant.ts';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import { networkText, parseCidr } from '../../network/cidr.ts';
import { OAuthError, RETRY_LATER } from '../../oauth/oauth-error.ts';
import type { AdminCall, AdminRoute } from './admin-route.ts';
import { PAGING, pagingOf } from './paging.ts';
import { NEXT, objectOf, reference } from './schemas.ts';
import { timeOf } from './session-form.ts';

export interface KillMarkRoutesDeps {
  end: () => EndGrantDeps;
  isClient: (id: string) => boolean;
  isUpstream: (id: string) => boolean;
  onSet: (set: SetKillMark, call: AdminCall) => void;
}

const MEMBERS = ['client', 'upstream', 'subject', 'source', 'all', 'before'];
const MAX_TEXT = 320;

export function killMarkRoutes(deps: KillMarkRoutesDeps): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/kill-marks',
      operationId: 'listKillMarks',
      summary: 'The marks that administrators have set, by this API or by `gatehouse end`, the newest first.',
      parameters: PAGING,
      answer: objectOf({ kill_marks: { type: 'array', items: reference('KillMark') }, next: NEXT }),
      async handle(call) {
        const { from: after, limit } = pagingOf(call);
        const { marks, next } = await listKillMarks(deps.end(), { after, limit });
        return { kill_marks: marks.map(markForPrograms), next: next ?? null };
      },
    },
    {
      method: 'POST',
      path: '/admin/kill-marks',
      operationId: 'setKillMark',
      summary:
        'The kill switch: from now on nothing counts that was signed in before a moment, device sessions and approvals alike. It cannot be taken back; people sign in again.',
      parameters: {},
      body: reference('KillOrder'),
      answer: reference('KillMark'),
      async handle(call) {
        const mark = markOf(deps, call.body);
        const nowMs = await deps.end().ledger.now();
        const beforeMs = beforeOf(call.body, nowMs);
        // Before it is done: whatever comes of it, the audit names what was ordered.
        call.note(namesIn(mark));
        const set = await setOrSay(deps, { mark, beforeMs, operator: call.operator });
        deps.onSet(set, call);
        return markForPrograms({ ...set, isInForce: true });
      },
    },
  ];
}

/** An outage leaves it open whether the mark is in force; "nothing was lost" would be believed of it. */
async function setOrSay(deps: KillMarkRoutesDeps, order: Omit<SetKillMark, 'setAtMs'>): Promise<SetKillMark> {
  try {
    return await setKillMark(deps.end(), order);
  } catch (cause) {
    if (!(cause instanceof StorageUnavailableError)) throw cause;
    const words =
      'the storage does not answer: the mark may be in force or not, which its list says; come again and set it';
    const detail = `kill mark of ${order.mark.mark} before ${timeOf(order.beforeMs)}: not known to be in force`;
    throw new OAuthError('temporarily_unavailable', words, { headers: RETRY_LATER, detail, cause });
  }
}

/** What a mark is about, by the names that log and answers have for it. */
export function namesIn(mark: KillMark): Partial<Record<'client' | 'upstream' | 'subject' | 'source', string>> {
  switch (mark.mark) {
    case 'client':
      return { client: mark.clientId };
    case 'upstream':
      return { upstream: mark.upstream };
    case 'subject':
      return { upstream: mark.upstream, subject: mark.subject };
    case 'source':
      return { source: mark.prefix };
    case 'all':
      return {};
  }
}

function markForPrograms(listed: ListedKillMark): Record<string, unknown> {
  const { mark, beforeMs, setAtMs, operator, isInForce } = listed;
  const { client = null, upstream = null, subject = null, source = null } = namesIn(mark);
  const named = { mark: mark.mark, client, upstream, subject, source };
  return { ...named, before: timeOf(beforeMs), set_at: timeOf(setAtMs), in_force: isInForce, operator };
}

function wrong(description: string): OAuthError {
  return new OAuthError('invalid_request', description);
}

/** A name that nobody knows is refused: "in force" about nothing would be believed. */
function markOf({ isClient, isUpstream }: KillMarkRoutesDeps, body: AdminCall['body']): KillMark {
  const unknown = Object.keys(body).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) throw wrong(`expected ${MEMBERS.join(', ')} in the body and nothing else`);
  const [client, upstream, subject, source] = ['client', 'upstream', 'subject', 'source'].map((name) =>
    textOf(body, name),
  );
  const { all } = body;
  if (all !== undefined && all !== true) throw wrong('all is true, or left out');
  const chosen = [client, upstream, source, all].filter((one) => one !== undefined);
  if (chosen.length !== 1 || (subject !== undefined && upstream === undefined)) {
    throw wrong('say exactly one of client, upstream, source and all, or upstream and subject together');
  }
  if (client !== undefined) {
    if (!isClient(client)) throw wrong('client is none of the configuration');
    return { mark: 'client', clientId: client };
  }
  if (upstream !== undefined) {
    if (!isUpstream(upstream)) throw wrong('upstream is none of the configuration');
    if (subject === undefined) return { mark: 'upstream', upstream };
    if (subject.startsWith(`${upstream}|`)) {
      throw wrong('subject is as the upstream has it, without the upstream before it');
    }
    return { mark: 'subject', upstream, subject };
  }
  return source === undefined ? { mark: 'all' } : { mark: 'source', prefix: prefixOf(source) };
}

function textOf(body: AdminCall['body'], name: string): string | undefined {
  const value = body[name];
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || value === '' || value.length > MAX_TEXT) {
    throw wrong(`${name} is a text of 1 to ${MAX_TEXT} characters`);
  }
  return value;
}

function prefixOf(written: string): string {
  const network = parseCidr(written);
  const lengths = network?.address.length === 4 ? [32, 24] : [64, 48];
  if (network === undefined || !lengths.includes(network.bits)) {
    throw wrong('source is a /32 or /24 of IPv4, or a /64 or /48 of IPv6');
  }
  return networkText(network.address, network.bits);
}

function beforeOf({ before }: AdminCall['body'], nowMs: number): number {
  if (before === undefined) return nowMs;
  const moment = typeof before === 'string' ? parseMoment(before) : undefined;
  if (moment === undefined) throw wrong('before is a moment, such as 2026-03-01T12:00:00Z');
  if (moment > nowMs) throw wrong('before is in the future: nobody could sign in until then');
  return moment;
}

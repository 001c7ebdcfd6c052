import type { SessionsDeps } from '../../device-sessions/active-session.ts';
import { type EndSessionDeps, endSession } from '../../device-sessions/end-session.ts';
import { type ListedSession, lookAtSession } from '../../device-sessions/list-sessions.ts';
import { lacksUpstream, parseMoment, type SessionFilter } from '../../device-sessions/session-filter.ts';
import { pieceOfSessions } from '../../device-sessions/session-pieces.ts';
import { parseCidr } from '../../network/cidr.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import { LOG_TAG_LENGTH, logTag } from '../../telemetry/logger.ts';
import type { AdminCall, AdminRoute, Parameter } from './admin-route.ts';
import { PAGING, pagingOf, unknownFrom } from './paging.ts';
import { NEXT, objectOf, reference } from './schemas.ts';
import { sessionForPrograms } from './session-form.ts';

export interface SessionRoutesDeps {
  sessions: () => SessionsDeps;
  end: () => EndSessionDeps;
  /** One was ended by an operator. */
  onEnded: (listed: ListedSession, call: AdminCall) => void;
}

const text = { type: 'string', maxLength: 320 } as const;

const FILTER: Readonly<Record<string, Parameter>> = {
  client: { in: 'query', description: 'Of this client', schema: text },
  upstream: { in: 'query', description: 'Of people of this upstream', schema: text },
  subject: {
    in: 'query',
    description: 'Of this person there (with `upstream`), or `upstream|subject` as tokens have it',
    schema: text,
  },
  account: { in: 'query', description: 'Of whoever was shown as this account', schema: text },
  session: { in: 'query', description: 'This one; what the log has of it does', schema: { ...text, minLength: 8 } },
  device: { in: 'query', description: 'Called this by the person or by the device', schema: text },
  source: { in: 'query', description: 'Started from these addresses', schema: text },
  before: { in: 'query', description: 'That began before this', schema: { type: 'string', format: 'date-time' } },
  active: { in: 'query', description: 'true: only those that go on', schema: { type: 'boolean', default: false } },
};

const ID: Readonly<Record<string, Parameter>> = {
  session: { in: 'path', description: 'The id of a device session', schema: { type: 'string' } },
};

export function sessionRoutes(deps: SessionRoutesDeps): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/sessions',
      operationId: 'listSessions',
      summary: 'Device sessions, in no order. Several filters mean all of them at once.',
      parameters: { ...FILTER, ...PAGING },
      answer: objectOf({ sessions: { type: 'array', items: reference('Session') }, next: NEXT }),
      async handle(call) {
        const { filter, isWanted } = filterOf(call.parameters);
        const piece = await pieceOfSessions(deps.sessions(), isWanted, filter, pagingOf(call));
        if (piece === undefined) throw unknownFrom();
        return { sessions: piece.sessions.map(sessionForPrograms), next: piece.next ?? null };
      },
    },
    {
      method: 'GET',
      path: '/admin/sessions/{session}',
      operationId: 'showSession',
      summary: 'One device session.',
      parameters: ID,
      answer: reference('Session'),
      async handle(call) {
        return sessionForPrograms(await named(deps, call));
      },
    },
    {
      method: 'POST',
      path: '/admin/sessions/{session}/end',
      operationId: 'endSession',
      summary:
        'Ends one device session, on every replica at once, and deletes what it carried. Access tokens that are out verify until they expire.',
      parameters: ID,
      answer: objectOf({
        ended: { type: 'boolean', description: 'Whether this call ended it; false where it had ended before' },
        session: reference('Session'),
      }),
      async handle(call) {
        const listed = await named(deps, call);
        const hasEnded = await endSession(deps.end(), listed.session, 'administrator');
        if (hasEnded) deps.onEnded(listed, call);
        const ended = hasEnded && listed.ended === undefined;
        return { ended, session: sessionForPrograms({ ...listed, ended: listed.ended ?? 'administrator' }) };
      },
    },
  ];
}

async function named({ sessions }: SessionRoutesDeps, { parameters, note }: AdminCall): Promise<ListedSession> {
  const id = parameters.get('session') ?? '';
  const listed = /^[\w-]{1,64}$/.test(id) ? await lookAtSession(sessions(), id) : undefined;
  if (listed === undefined) {
    const how = 'there is no such device session; its whole id is wanted, which the list has';
    throw new OAuthError('invalid_request', how, { status: 404 });
  }
  const { clientId: client, upstream, subject } = listed.session;
  note({ session: logTag(id), grant: logTag(id), client, upstream, subject });
  return listed;
}

/** @throws {OAuthError} `invalid_request` */
function filterOf(parameters: ReadonlyMap<string, string>) {
  const wrong = (name: string, expected: string) => new OAuthError('invalid_request', `${name} is ${expected}`);
  const [client, upstream, subject, account, session, device] = [
    ...['client', 'upstream', 'subject', 'account', 'session', 'device'],
  ].map((name) => parameters.get(name));
  if (lacksUpstream({ subject, upstream })) {
    throw wrong('subject', 'wanted with upstream, or as upstream|subject');
  }
  if (session !== undefined && session.length < LOG_TAG_LENGTH) {
    throw wrong('session', `at least the ${LOG_TAG_LENGTH} characters that the log has`);
  }
  const network = parameters.get('source');
  const source = network === undefined ? undefined : parseCidr(network);
  if (network !== undefined && source === undefined) {
    throw wrong('source', 'an address or network, such as 192.0.2.7 or 192.0.2.0/24');
  }
  const moment = parameters.get('before');
  const beforeMs = moment === undefined ? Number.POSITIVE_INFINITY : parseMoment(moment);
  if (beforeMs === undefined) throw wrong('before', 'a moment, such as 2026-03-01T12:00:00Z');
  const active = parameters.get('active') ?? 'false';
  if (active !== 'true' && active !== 'false') throw wrong('active', 'true or false');
  const filter: SessionFilter = { client, upstream, subject, account, session, device, source };
  const isWanted = ({ session: { startedAtMs }, ended }: ListedSession) =>
    startedAtMs < beforeMs && (active === 'false' || ended === undefined);
  return { filter, isWanted };
}

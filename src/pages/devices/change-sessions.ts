import type { Request, Response } from 'express';
import { endSession } from '../../device-sessions/end-session.ts';
import { type ListedSession, listSessions, ownSession } from '../../device-sessions/list-sessions.ts';
import { renameSession } from '../../device-sessions/rename-session.ts';
import { logTag } from '../../telemetry/log-tag.ts';
import { fieldOf, type PageKit, requestIdOf } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { MANAGE, type Managing, manageFacts, managingOf, renderSessions, sessionsGround } from './devices.ts';

/** POST `/sessions/rename`: `name` for one of this person's sessions. */
export async function renameDevice(kit: PageKit, request: Request, response: Response): Promise<void> {
  const id = fieldOf(request.body, 'session') ?? '';
  const managing = await requireManaging(kit, request, id);
  const { session } = await requireOwn(kit, managing, id);
  const renamed = await renameSession(kit.ground.grants, session, fieldOf(request.body, 'name') ?? '');
  if (renamed.outcome === 'bad_name' || renamed.outcome === 'too_often') {
    return renderSessions(kit, request, response, managing, { session: id });
  }
  backToList(kit, response);
}

/** POST `/sessions/end`: `session`, or `all=true`. */
export async function endDevices(kit: PageKit, request: Request, response: Response): Promise<void> {
  const isAll = fieldOf(request.body, 'all') === 'true';
  const id = fieldOf(request.body, 'session') ?? '';
  const managing = await requireManaging(kit, request, isAll ? 'all' : id);
  const { grants } = kit.ground;
  const sessions = isAll
    ? await listSessions(sessionsGround(kit), managing.manager)
    : [await requireOwn(kit, managing, id)];
  for (const { session, ended } of sessions) {
    if (ended !== undefined) continue;
    if (!(await endSession(grants, session, 'my_devices'))) continue;
    kit.ground.log.event('session.ended', {
      requestId: requestIdOf(response),
      session: logTag(session.id),
      grant: logTag(session.id),
      client: session.clientId,
      upstream: session.upstream,
      subject: session.subject,
      by: 'person',
      reason: 'my_devices',
      source: kit.ground.sourceOf(request),
    });
  }
  backToList(kit, response);
}

/** @param what the token's own: a session's id, or `all` */
async function requireManaging(kit: PageKit, request: Request, what: string): Promise<Managing> {
  kit.forms.requireOwnOrigin(request);
  const managing = await managingOf(kit, request, fieldOf(request.body, 'ticket'));
  if (managing === undefined) {
    throw new PageProblem('manage_again', { again: kit.addresses.to('/sessions'), detail: 'no manage sign-in' });
  }
  if (!kit.forms.isToken(MANAGE, manageFacts(managing, what), fieldOf(request.body, 'token'))) {
    throw new PageProblem('form_refused', { detail: 'token of my devices' });
  }
  return managing;
}

async function requireOwn(kit: PageKit, { manager }: Managing, id: string): Promise<ListedSession> {
  const own = await ownSession(sessionsGround(kit), id, manager);
  if (own === undefined) throw new PageProblem('manage_again', { again: kit.addresses.to('/sessions'), status: 404 });
  return own;
}

function backToList(kit: PageKit, response: Response): void {
  response.redirect(303, kit.addresses.to('/sessions'));
}

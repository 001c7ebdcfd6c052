import type { Request, Response } from 'express';
import { endSession } from '../../device-sessions/end-session.ts';
import { type ListedSession, listSessions, ownSession } from '../../device-sessions/list-sessions.ts';
import { renameSession } from '../../device-sessions/rename-session.ts';
import { logTag } from '../../telemetry/logger.ts';
import { fieldOf, type PageContext } from '../frame/page-context.ts';
import { PageProblem } from '../frame/page-problem.ts';
import { requestIdOf } from '../frame/reference.ts';
import {
  type DoneDeed,
  deedAddress,
  MANAGE,
  type Managing,
  manageFacts,
  managingOf,
  renderSessions,
  sessionsDeps,
} from './devices.ts';

/** POST `/sessions/rename`: `name` for one of this person's sessions. */
export async function renameDevice(context: PageContext, request: Request, response: Response): Promise<void> {
  const id = fieldOf(request.body, 'session') ?? '';
  const managing = await requireManaging(context, request, id);
  const { session } = await requireOwn(context, managing, id);
  const renamed = await renameSession(context.deps.grants, session, fieldOf(request.body, 'name') ?? '');
  if (renamed.outcome === 'bad_name' || renamed.outcome === 'too_often') {
    return renderSessions(context, request, response, managing, { wrongName: id });
  }
  response.redirect(303, deedAddress(context, managing, { did: 'rename', session: id }));
}

/** POST `/sessions/end`: `session`, or `all=true`. */
export async function endDevices(context: PageContext, request: Request, response: Response): Promise<void> {
  const isAll = fieldOf(request.body, 'all') === 'true';
  const id = fieldOf(request.body, 'session') ?? '';
  const managing = await requireManaging(context, request, isAll ? 'all' : id);
  const { grants } = context.deps;
  const sessions = isAll
    ? await listSessions(sessionsDeps(context), managing.manager)
    : [await requireOwn(context, managing, id)];
  for (const { session, ended } of sessions) {
    if (ended !== undefined) continue;
    if (!(await endSession(grants, session, 'my_devices'))) continue;
    context.deps.log.event('session.ended', {
      requestId: requestIdOf(response),
      session: logTag(session.id),
      grant: logTag(session.id),
      client: session.clientId,
      upstream: session.upstream,
      subject: session.subject,
      by: 'person',
      reason: 'my_devices',
      source: context.deps.sourceOf(request),
    });
  }
  const deed: DoneDeed = isAll ? { did: 'end_all', session: '' } : { did: 'end', session: id };
  response.redirect(303, deedAddress(context, managing, deed));
}

/** @param what the token's own: a session's id, or `all` */
async function requireManaging(context: PageContext, request: Request, what: string): Promise<Managing> {
  context.forms.requireOwnOrigin(request);
  const managing = await managingOf(context, request, fieldOf(request.body, 'ticket'));
  if (managing === undefined) {
    throw new PageProblem('manage_again', { again: context.addresses.to('/sessions'), detail: 'no manage sign-in' });
  }
  if (!context.forms.isToken(MANAGE, manageFacts(managing, what), fieldOf(request.body, 'token'))) {
    throw new PageProblem('form_refused', { detail: 'token of my devices' });
  }
  return managing;
}

async function requireOwn(context: PageContext, { manager }: Managing, id: string): Promise<ListedSession> {
  const own = await ownSession(sessionsDeps(context), id, manager);
  if (own === undefined) {
    throw new PageProblem('manage_again', { again: context.addresses.to('/sessions'), status: 404 });
  }
  return own;
}

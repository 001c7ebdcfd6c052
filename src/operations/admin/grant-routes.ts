import { endGrant } from '../../grants/end-grant.ts';
import { latestEndMs } from '../../grants/retention.ts';
import type { GrantDeps } from '../../grants/start/start-grant.ts';
import { type GrantView, viewGrant } from '../../grants/view-grant.ts';
import { lookThrough } from '../../ledger/look-through.ts';
import { isUnreadable } from '../../ledger/versioned-seal.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import { logTag } from '../../telemetry/logger.ts';
import type { AdminCall, AdminRoute, Parameter } from './admin-route.ts';
import { PAGING, pagingOf, unknownFrom } from './paging.ts';
import { NEXT, objectOf, reference } from './schemas.ts';
import { timeOf } from './session-form.ts';

export interface GrantRoutesDeps {
  /** For one call. */
  grants: () => GrantDeps & { onUnreadable: (id: string, error: Error) => void };
  onEnded: (view: GrantView, call: AdminCall) => void;
}

/** No browser has it open: an operator looks from outside. */
const NO_BROWSER = '';

const ID: Readonly<Record<string, Parameter>> = {
  grant: { in: 'path', description: 'The id of a grant', schema: { type: 'string' } },
};
const CLIENT: Readonly<Record<string, Parameter>> = {
  client: { in: 'query', description: 'Of this client', schema: { type: 'string', maxLength: 320 } },
};

export function grantRoutes(deps: GrantRoutesDeps): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/grants',
      operationId: 'listGrants',
      summary: 'Grants that may still become a device session: pending ones, and approved ones that are not redeemed.',
      parameters: { ...CLIENT, ...PAGING },
      answer: objectOf({ grants: { type: 'array', items: reference('Grant') }, next: NEXT }),
      async handle(call) {
        const client = call.parameters.get('client');
        const grants = deps.grants();
        const piece = await lookThrough(grants.ledger, 'grant', pagingOf(call), async (id) => {
          const view = await readable(grants, id);
          return view !== undefined && isOpen(view, client) ? view : undefined;
        });
        if (piece === undefined) throw unknownFrom();
        return { grants: piece.found.map(grantForPrograms), next: piece.next ?? null };
      },
    },
    {
      method: 'GET',
      path: '/admin/grants/{grant}',
      operationId: 'showGrant',
      summary: 'One grant.',
      parameters: ID,
      answer: reference('Grant'),
      async handle(call) {
        return grantForPrograms(await named(deps, call));
      },
    },
    {
      method: 'POST',
      path: '/admin/grants/{grant}/end',
      operationId: 'endGrant',
      summary:
        'Ends one grant, on every replica at once: its device hears access_denied. One that was redeemed ends as its device session does.',
      parameters: ID,
      answer: objectOf({
        ended: { type: 'boolean', description: 'Whether this call ended it; false where it had ended before' },
        grant: reference('Grant'),
      }),
      async handle(call) {
        const view = await named(deps, call);
        const { hasEnded } = await endGrant(deps.grants(), view.grant.id, 'administrator', latestEndMs(view.grant));
        if (hasEnded) deps.onEnded(view, call);
        return { ended: hasEnded, grant: grantForPrograms({ ...view, state: 'ended', redeemed: false }) };
      },
    },
  ];
}

async function named(deps: GrantRoutesDeps, { parameters, note }: AdminCall): Promise<GrantView> {
  const id = parameters.get('grant') ?? '';
  const view = /^[\w-]{1,64}$/.test(id) ? await viewGrant(deps.grants(), id, NO_BROWSER) : undefined;
  if (view === undefined) {
    const how = 'there is no such grant; its whole id is wanted, which the list has';
    throw new OAuthError('invalid_request', how, { status: 404 });
  }
  note({ grant: logTag(id), client: view.grant.clientId });
  return view;
}

/** One that another release, another key or nobody of ours has written is left out of a list. */
function readable(grants: ReturnType<GrantRoutesDeps['grants']>, id: string): Promise<GrantView | undefined> {
  return viewGrant(grants, id, NO_BROWSER).catch((error: unknown) => {
    if (!isUnreadable(error)) throw error;
    grants.onUnreadable(id, error);
    return undefined;
  });
}

function isOpen({ grant, state, redeemed }: GrantView, client: string | undefined): boolean {
  if (client !== undefined && grant.clientId !== client) return false;
  return !redeemed && (state === 'pending' || state === 'approved');
}

/** A grant as programs read it: no code and no credential is in it. */
function grantForPrograms({ grant, state, redeemed, openElsewhere }: GrantView): Record<string, unknown> {
  return {
    grant: grant.id,
    state: redeemed && state === 'approved' ? 'redeemed' : state,
    client: grant.clientId,
    device_label: grant.deviceLabel ?? null,
    user_agent: grant.userAgent ?? null,
    source: grant.source,
    scopes: grant.scopes,
    resources: grant.resources,
    started_at: timeOf(grant.startedAtMs),
    expires_at: timeOf(grant.expiresAtMs),
    opened_elsewhere: openElsewhere,
  };
}

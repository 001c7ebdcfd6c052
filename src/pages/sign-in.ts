import type { Request, Response } from 'express';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { type GrantView, viewGrant } from '../grants/open-grant.ts';
import { stillAllowed } from '../grants/policy.ts';
import { type BrowserValue, beginTrip, browserTag } from '../grants/trip.ts';
import { formatUserCode } from '../grants/user-code.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { browserOf } from './browser-session.ts';
import { fieldOf, type PageKit, requestIdOf } from './page-kit.ts';
import { PageProblem } from './page-problem.ts';
import { readTicket, type SignInTicket, writeTicket } from './ticket.ts';
import { tripDemands } from './trip-demands.ts';
import { upstreamProblem } from './upstream-problem.ts';

/** A person needs about this long to sign in with a second factor and to read the confirm page. */
const RUNNING_OUT_MS = 2 * 60 * 1000;

/** GET `/device/sign-in`: where the sign-in goes, by link; with `upstream`, on to there. */
export async function signIn(kit: PageKit, request: Request, response: Response): Promise<void> {
  const { ground, addresses } = kit;
  const browser = browserOf(request);
  if (browser === undefined) throw new PageProblem('no_session', { detail: 'no browser session' });
  const written = fieldOf(request.query, 'ticket');
  const ticket = await readTicket(ground.grants.sealing, browser, 'sign-in', written);
  if (ticket === undefined || written === undefined) throw new PageProblem('no_session', { detail: 'no such ticket' });

  const view = await viewGrant(ground.grants, ticket.grant, browserTag(ground.grants, browser));
  const client = view === undefined ? undefined : ground.clients.get(view.grant.clientId);
  if (view === undefined || client === undefined || view.state === 'expired') throw new PageProblem('ran_out');
  if (view.state !== 'pending') {
    const settled = await writeTicket(ground.grants.sealing, browser, 'grant', { grant: view.grant.id });
    return response.redirect(303, addresses.to('/device/done', { ticket: settled }));
  }

  const upstreams = client.upstreams.flatMap((id) => ground.upstreams.get(id) ?? []);
  const chosen = fieldOf(request.query, 'upstream');
  if (chosen !== undefined) {
    const upstream = upstreams.find(({ id }) => id === chosen);
    if (upstream === undefined) throw new PageProblem('bad_request', { detail: 'no upstream of this client' });
    const address = await setOut(kit, { browser, ticket, client, view, upstream, response });
    return response.redirect(303, address.href);
  }

  const isRunningOut = view.grant.expiresAtMs - view.nowMs < RUNNING_OUT_MS;
  const page = kit.views.signIn(kit.frame(request, response), {
    client: client.name,
    code: formatUserCode(ticket.userCode, ground.grants.userCodes.group),
    isRunningOut,
    goesOn: upstreams.length === 1 && !isRunningOut,
    upstreams: upstreams.map(({ id, displayName }) => ({
      name: displayName,
      address: addresses.to('/device/sign-in', { upstream: id, ticket: written }),
    })),
  });
  response.type('html').send(page);
}

interface SettingOut {
  browser: BrowserValue;
  ticket: SignInTicket;
  client: RegisteredClient;
  view: GrantView;
  upstream: Upstream;
  response: Response;
}

/** Begins a trip and gives the address that it leads to; Gatehouse has no sign-in of its own to reuse. */
async function setOut(kit: PageKit, out: SettingOut): Promise<URL> {
  const { ground, addresses } = kit;
  const { browser, ticket, client, view, upstream, response } = out;
  const { randomBytes } = ground.grants;
  const { grant } = view;
  const demands = tripDemands(client, ticket.prompt);
  const scopes = client.tokens === 'relay' ? stillAllowed(client, grant).scopes : [];
  const nonce = randomBytes(32).toString('base64url');
  const codeVerifier = randomBytes(32).toString('base64url');
  const { userCode, codePrefilled } = ticket;
  const state = await beginTrip(ground.grants, browser, {
    purpose: 'approve',
    upstream: upstream.id,
    grant: { id: grant.id, userCode, codePrefilled },
    nonce,
    codeVerifier,
    scopes,
    ...demands,
  });
  const logged = { requestId: requestIdOf(response), grant: grant.id, client: client.id, upstream: upstream.id };
  try {
    const redirectUri = addresses.callback(upstream.id);
    const address = await upstream.signInAddress({ redirectUri, state, nonce, codeVerifier, scopes, ...demands });
    ground.log.event('sign_in.started', { ...logged, purpose: 'approve' });
    return address;
  } catch (error) {
    const again = addresses.to('/device/sign-in', {
      ticket: await writeTicket(ground.grants.sealing, browser, 'sign-in', ticket),
    });
    throw upstreamProblem(ground.log, error, { ...logged, upstream, again });
  }
}

import { accountOf } from '../../grants/decide/approved-facts.ts';
import { keepArrival, VISIT_MS } from '../../grants/decide/trip.ts';
import { renewBrowserSession } from '../frame/browser-session.ts';
import type { PageContext } from '../frame/page-context.ts';
import { requestIdOf } from '../frame/reference.ts';
import type { ReturnedTrip } from '../sign-in/returned-trip.ts';
import { writeTicket } from '../sign-in/ticket.ts';
import { upstreamProblem } from '../sign-in/upstream-problem.ts';
import { revokeTokens } from '../sign-in/upstream-tokens.ts';

/** The ticket of the latest sign-in of this kind, so that `/sessions` can be reloaded; it opens with the session only. */
export const MANAGE_COOKIE = 'devices';

/** Whose devices are shown, as the arrival of a `manage` trip keeps it. It can approve nothing. */
export interface DeviceManager {
  upstream: string;
  subject: string;
  /** The upstream's own `sub` and session, which logout tokens name. */
  upstreamSub?: string | undefined;
  sid?: string | undefined;
  account: string;
  signedInAtMs: number;
  /** The session that they had just connected when they set out. */
  connected?: string | undefined;
}

/** Back from a sign-in to look at one's devices. */
export async function finishManageSignIn(context: PageContext, back: ReturnedTrip): Promise<void> {
  const { deps } = context;
  const { ledger } = deps.grants;
  const { request, response, browser, tag, upstream } = back;
  const requestId = requestIdOf(response);
  const source = deps.sourceOf(request);
  // Before the upstream is asked: a logout that it sends while it answers is about this sign-in too.
  const signedInAtMs = await ledger.now();
  const signIn = await back.finish().catch((error: unknown) => {
    throw upstreamProblem(deps.log, error, {
      upstream,
      again: back.again,
      requestId,
      purpose: 'manage',
      source,
    });
  });
  // Nothing here needs them: what is managed are Gatehouse's own sessions.
  revokeTokens(upstream, signIn.tokens);
  const { subject, sid } = signIn;
  const { sub } = signIn.claims;
  deps.log.event('sign_in.finished', { requestId, upstream: upstream.id, subject, purpose: 'manage', source });
  const content: DeviceManager = {
    upstream: upstream.id,
    subject,
    upstreamSub: typeof sub === 'string' ? sub : undefined,
    sid,
    account: accountOf(signIn),
    signedInAtMs,
    connected: back.trip.resume,
  };
  await keepArrival(deps.grants, browser, { tag, content, expiresAtMs: (await ledger.now()) + VISIT_MS });
  await renewBrowserSession(request, browser, VISIT_MS);
  await toDevices(context, back);
}

/** On to the devices that this sign-in may manage. */
export async function toDevices(
  { deps, addresses }: PageContext,
  { response, browser, tag }: Pick<ReturnedTrip, 'response' | 'browser' | 'tag'>,
): Promise<void> {
  const { sealing } = deps.grants;
  response.cookie(
    addresses.cookieName(MANAGE_COOKIE),
    await writeTicket(sealing, browser, 'manage', { arrival: tag }),
    {
      ...addresses.cookieFlags,
      maxAge: VISIT_MS,
    },
  );
  response.redirect(303, addresses.to('/sessions'));
}

import { type Claims, claimAt } from '../../grants/decide/claim-at.ts';
import { areGroupsElsewhere, claimPath, missingClaims } from '../claims/claim-mapping.ts';
import { PUBLIC_KEY_ALGORITHMS } from '../signing-algorithms.ts';
import { type NeededClaims, UpstreamError } from '../upstream.ts';
import type { UpstreamKeys } from '../upstream-keys.ts';
import type { UpstreamSettings } from '../upstream-settings.ts';
import type { CheckedAnswer, RequestContext, UpstreamRequests } from './upstream-requests.ts';
import { startDeadline } from './within-deadline.ts';

/** How long something is waited for that can be done without; it must not use up the time of the whole sign-in. */
const MAX_WAIT_MS = 3000;

export interface AskBesideDeps {
  settings: UpstreamSettings;
  requests: UpstreamRequests;
  keys: UpstreamKeys;
  timeoutMs: number;
  report: (consequence: string, error: unknown) => void;
}

/** What is known of a person besides what the ID token says. */
export interface Beside {
  /** The ID token's claims, with those that were had elsewhere. */
  claims: Claims;
  userinfo?: Claims | undefined;
  /** Something that was asked for did not come. */
  failure?: UpstreamError | undefined;
  /** Without what did not come nothing can be decided. */
  isRequired: boolean;
}

/**
 * Asks for what the ID token lacks: userinfo (OpenID Connect Core §5.3), and groups that it only points at (§5.6.2). A
 * failure takes nothing from the ID token; only where a claim is missing that is required does it stand in the way.
 */
export async function askBeside(
  deps: AskBesideDeps,
  context: RequestContext,
  checked: CheckedAnswer,
  needed: NeededClaims = { wanted: [], required: [] },
): Promise<Beside> {
  const asked = await askUserinfo(deps, context, checked, needed);
  const { from } = deps.settings.claims.groups;
  const isPointedAt =
    areGroupsElsewhere(asked.claims, deps.settings) && claimAt(asked.userinfo ?? {}, from) === undefined;
  if (deps.settings.groupsOverage === 'off' || !isPointedAt || !needed.wanted.includes('groups')) return asked;
  return askGraph(deps, context, checked, needed, asked);
}

async function askUserinfo(
  { settings, requests, keys, timeoutMs, report }: AskBesideDeps,
  context: RequestContext,
  { answer, claims = {} }: CheckedAnswer,
  { wanted, required, isRefresh }: NeededClaims,
): Promise<Beside> {
  const missing = missingClaims(claims, settings, wanted, isRefresh);
  const decisive = [settings.claims.subject, ...required.map((name) => claimPath(settings, name))];
  const isRequired = missing.some((path) => decisive.includes(path));
  const isAsked = settings.userinfo === 'always' || (settings.userinfo === 'auto' && missing.length > 0);
  if (context.metadata.userinfo_endpoint === undefined || !isAsked) return { claims, isRequired };
  try {
    const { claims: userinfo, signed } = await waitFor(isRequired, context, timeoutMs, (patient) =>
      requests.userinfo(patient, answer.access_token),
    );
    if (signed !== undefined) await keys.verifyAnswer('userinfo', signed, PUBLIC_KEY_ALGORITHMS);
    return { claims, userinfo, isRequired };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    report('only the ID token’s claims are used', error);
    // An access token for another audience is refused there each time: that is an answer.
    const isAnswer = error.fault === 'client_rejected' || missing.length === 0;
    return isAnswer ? { claims, isRequired } : { claims, failure: error, isRequired };
  }
}

/** One call, whose answer is bounded like every other; never to the address that the token names. */
async function askGraph(
  { settings, requests, timeoutMs, report }: AskBesideDeps,
  context: RequestContext,
  { answer }: CheckedAnswer,
  { required }: NeededClaims,
  asked: Beside,
): Promise<Beside> {
  const { from } = settings.claims.groups;
  const isRequired = required.includes('groups');
  try {
    const groups = await waitFor(isRequired, context, timeoutMs, (patient) =>
      requests.graphGroups(patient, answer.access_token),
    );
    return { ...asked, claims: { ...asked.claims, [from]: groups } };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    report('the groups that the ID token points at are not known', error);
    // Refused each time, they are groups that came and cannot be read. Else they were not to be had this once.
    if (error.fault === 'client_rejected') return asked;
    const { _claim_names: _, hasgroups: __, ...claims } = asked.claims;
    return { ...asked, claims, failure: asked.failure ?? error, isRequired: asked.isRequired || isRequired };
  }
}

async function waitFor<T>(
  isRequired: boolean,
  context: RequestContext,
  timeoutMs: number,
  ask: (context: RequestContext) => Promise<T>,
): Promise<T> {
  if (isRequired) return ask(context);
  const { signal, clear } = startDeadline(Math.min(MAX_WAIT_MS, timeoutMs / 2), context.deadline);
  try {
    return await ask({ ...context, deadline: signal });
  } finally {
    clear();
  }
}

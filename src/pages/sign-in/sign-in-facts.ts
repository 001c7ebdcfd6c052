import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { ApprovedFacts } from '../../grants/decide/approved-facts.ts';
import { stillAllowed } from '../../grants/decide/policy.ts';
import type { Trip } from '../../grants/decide/trip.ts';
import type { GrantView } from '../../grants/view-grant.ts';
import type { Approval } from '../../ledger/approval.ts';
import type { Grant } from '../../ledger/grant.ts';
import { intersectScopes, uniteScopes } from '../../oauth/scope.ts';
import type { SignIn, UpstreamTokens } from '../../upstream/upstream.ts';
import { keptTokens } from './upstream-tokens.ts';

/** What a trip brought back and the confirm page needs again; kept sealed as the arrival. Plain JSON. */
export interface SignInFacts {
  signIn: Omit<
    Approval,
    'scopes' | 'resources' | 'approvedAtMs' | 'heldUntilMs' | 'confirmationCode' | 'confirmationProof'
  >;
  /** What the person may be shown as granted: for relay what the upstream granted. */
  grantedScopes: readonly string[];
  /** Relay: what the upstream's token can do besides, since many grant more than they are asked for. Shown too. */
  beyondScopes: readonly string[];
  userCode: string;
  codePrefilled: boolean;
  followedLink: boolean;
}

/**
 * @param signedInAtMs when the person came back, before the upstream was asked: a logout that it sent while it was
 *   answering is about this sign-in too
 * @param hasTokens whether this sign-in may approve at all; the tokens of one that may not are kept nowhere
 */
export function signInFacts(
  client: RegisteredClient,
  { grant, nowMs }: GrantView,
  { upstream, signedInAtMs }: { upstream: string; signedInAtMs: number },
  signIn: Pick<SignIn, 'authTimeSeconds' | 'acr' | 'amr' | 'sid' | 'tokens'>,
  person: ApprovedFacts,
  { userCode, codePrefilled, followedLink = false }: NonNullable<Trip['grant']>,
  hasTokens: boolean,
): SignInFacts {
  const { authTimeSeconds, acr, amr, sid, tokens } = signIn;
  const grantedScopes = grantedOf(client, grant, tokens);
  const beyondScopes = client.tokens === 'relay' ? beyond(grantedScopes, tokens.scopes) : [];
  return {
    signIn: {
      upstream,
      ...person,
      authTimeSeconds,
      acr,
      amr,
      sid,
      signedInAtMs,
      upstreamTokens: hasTokens ? keptTokens(client, tokens, grantedScopes, nowMs) : undefined,
    },
    grantedScopes,
    beyondScopes,
    userCode,
    codePrefilled,
    followedLink,
  };
}

/**
 * Of what was asked and is allowed, what was granted: for relay what the upstream granted, everything where its answer has
 * no `scope` (RFC 6749 §5.1). What came counts besides: several leave `openid` and `offline_access` out of `scope`.
 */
export function grantedOf(
  client: RegisteredClient,
  grant: Pick<Grant, 'scopes' | 'resources'>,
  { scopes: told, refreshToken, idToken }: UpstreamTokens,
): string[] {
  const { scopes } = stillAllowed(client, grant);
  if (client.tokens === 'mint' || told === undefined) return scopes;
  const came = [
    ...(idToken === undefined ? [] : ['openid']),
    ...(refreshToken === undefined ? [] : ['offline_access']),
  ];
  return intersectScopes(scopes, uniteScopes(told, came));
}

/** `offline_access` is about a refresh token, which stays here: it lets an access token do nothing. */
function beyond(granted: readonly string[], told: readonly string[] = []): string[] {
  return told.filter((scope) => !granted.includes(scope) && scope !== 'offline_access');
}

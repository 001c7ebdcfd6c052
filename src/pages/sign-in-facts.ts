import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Approval } from '../grants/approval.ts';
import { approvedFacts } from '../grants/approved-facts.ts';
import type { GrantView } from '../grants/open-grant.ts';
import { stillAllowed } from '../grants/policy.ts';
import type { Trip } from '../grants/trip.ts';
import { intersectScopes } from '../oauth/scope.ts';
import type { SignIn } from '../upstream/upstream.ts';
import { keptTokens } from './upstream-tokens.ts';

/** What a trip brought back and the confirm page needs again; kept sealed as the arrival. Plain JSON. */
export interface SignInFacts {
  signIn: Omit<Approval, 'scopes' | 'resources' | 'approvedAtMs' | 'heldUntilMs' | 'confirmationCode'>;
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
  signIn: SignIn,
  { userCode, codePrefilled, followedLink = false }: NonNullable<Trip['grant']>,
  hasTokens: boolean,
): SignInFacts {
  const { authTimeSeconds, acr, amr, sid, tokens } = signIn;
  const { scopes } = stillAllowed(client, grant);
  // RFC 6749 §5.1: an answer without `scope` grants what was asked for.
  const granted = tokens.scopes ?? scopes;
  const grantedScopes = client.tokens === 'relay' ? intersectScopes(scopes, granted) : scopes;
  const beyondScopes = client.tokens === 'relay' ? granted.filter((scope) => !grantedScopes.includes(scope)) : [];
  return {
    signIn: {
      upstream,
      ...approvedFacts(client, signIn),
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

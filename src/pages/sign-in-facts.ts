import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Approval, ApprovedUpstreamTokens } from '../grants/approval.ts';
import type { SignIn, UpstreamTokens } from '../upstream/upstream.ts';

/** What a trip brought back and the confirm page needs again; kept sealed as the arrival. Plain JSON. */
export interface SignInFacts {
  signIn: Omit<Approval, 'scopes' | 'resources' | 'approvedAtMs' | 'heldUntilMs' | 'confirmationCode'>;
  /** What the person may be shown as granted: for relay what the upstream granted. */
  grantedScopes: readonly string[];
  userCode: string;
  codePrefilled: boolean;
}

/** Claims of the upstream that the client's configuration names. */
export function copiedClaimNames(client: RegisteredClient): string[] {
  return [...new Set([...client.claims.idToken, ...client.claims.accessToken])];
}

/** Whether the client's devices get refresh tokens with these scopes. */
function getsRefreshTokens(client: RegisteredClient, scopes: readonly string[]): boolean {
  if (!client.grantTypes.includes('refresh_token')) return false;
  return client.refreshTokens === 'offline_access'
    ? scopes.includes('offline_access')
    : client.refreshTokens === 'always';
}

/**
 * @param scopes asked for by the device and still allowed
 * @param atMs the moment of the upstream's answer
 */
export function signInFacts(
  client: RegisteredClient,
  upstream: string,
  signIn: SignIn,
  trip: { userCode: string; codePrefilled: boolean },
  scopes: readonly string[],
  atMs: number,
): SignInFacts {
  const { subject, name, email, groups, authTimeSeconds, acr, amr, sid, tokens } = signIn;
  // RFC 6749 §5.1: an answer without `scope` grants what was asked for.
  const granted = tokens.scopes ?? scopes;
  const grantedScopes = client.tokens === 'relay' ? scopes.filter((scope) => granted.includes(scope)) : scopes;
  return {
    signIn: {
      upstream,
      subject,
      account: email ?? name ?? subject,
      claims: namedClaims(client, signIn),
      groups,
      authTimeSeconds,
      acr,
      amr,
      sid,
      signedInAtMs: atMs,
      upstreamTokens: keptTokens(client, tokens, grantedScopes, atMs),
    },
    grantedScopes,
    ...trip,
  };
}

function namedClaims(client: RegisteredClient, { claims, name, email }: SignIn): Record<string, unknown> {
  const mapped: Record<string, unknown> = { ...claims, ...(name && { name }), ...(email && { email }) };
  const names = copiedClaimNames(client).filter((claim) => Object.hasOwn(mapped, claim));
  return Object.fromEntries(names.map((claim) => [claim, mapped[claim]]));
}

/**
 * What is needed later and no more: relay hands the tokens on; mint asks with the refresh token, at each refresh of its
 * own, whether the account still stands.
 */
function keptTokens(
  client: RegisteredClient,
  tokens: UpstreamTokens,
  scopes: readonly string[],
  atMs: number,
): ApprovedUpstreamTokens | undefined {
  const { accessToken, tokenType, expiresInSeconds, idToken, refreshToken, members } = tokens;
  const kept = getsRefreshTokens(client, scopes) ? refreshToken?.reveal() : undefined;
  if (client.tokens === 'mint') {
    return kept === undefined ? undefined : { tokenType, refreshToken: kept, members: {} };
  }
  return {
    accessToken: accessToken.reveal(),
    tokenType,
    expiresAtMs: expiresInSeconds === undefined ? undefined : atMs + expiresInSeconds * 1000,
    scopes: tokens.scopes,
    idToken: client.relayIdToken ? idToken?.reveal() : undefined,
    refreshToken: kept,
    members,
  };
}

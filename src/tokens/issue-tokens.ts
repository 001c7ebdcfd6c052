import type { IssueRefreshed } from '../device-sessions/refresh/refresh-request.ts';
import { tokenClaims } from '../grants/decide/client-claims.ts';
import type { IssueTokens } from '../grants/redeem/redemption.ts';
import { copiedClaims } from './copied-claims.ts';
import { type MintInput, mintTokens } from './mint-tokens.ts';
import { relayTokens } from './relay-tokens.ts';
import type { SigningKeys } from './signing-keys.ts';
import { tokenResponse } from './token-response.ts';

export interface IssuerNames {
  publicUrl: string;
  /** Of Keycloak's path profile, where it is switched on. */
  keycloakIssuer?: string | undefined;
}

/** The token answers of redemption and refresh: minted or relayed as the client's configuration says. */
export function createIssueTokens(
  signingKeys: SigningKeys,
  { publicUrl, keycloakIssuer }: IssuerNames,
): { issueTokens: IssueTokens; issueRefreshed: IssueRefreshed } {
  async function issue(
    input: Omit<MintInput, 'publicUrl' | 'isKeycloak'>,
    refreshToken: Parameters<typeof tokenResponse>[1],
  ) {
    if (input.client.tokens === 'mint') {
      const isKeycloak = input.issuer === keycloakIssuer;
      return {
        outcome: 'issued',
        answer: tokenResponse(await mintTokens(signingKeys, { ...input, publicUrl, isKeycloak }), refreshToken),
        userinfo: beyondAccessToken(input),
      } as const;
    }
    const { upstreamTokens } = input.approval;
    const hasRefreshToken = refreshToken !== undefined;
    const relayed = await relayTokens(signingKeys, { ...input, upstreamTokens, hasRefreshToken });
    if (relayed.outcome === 'expired') return relayed;
    return { outcome: 'issued', answer: tokenResponse(relayed.tokens, refreshToken) } as const;
  }

  return {
    issueTokens: (
      { client, grant, approval, scopes, tokenResources, jkt, atMs },
      { jti, refreshToken, sessionEndsAtMs },
    ) => {
      const issuer = grant.issuer ?? publicUrl;
      const input = {
        client,
        issuer,
        approval,
        scopes,
        resources: tokenResources,
        sessionId: grant.id,
        jti,
        nowMs: atMs,
        jkt,
        sessionEndsAtMs,
      };
      return issue(input, refreshToken);
    },

    async issueRefreshed({ client, session, carried, scopes, resources, jti, nowMs, jkt, refreshToken }) {
      const issuer = session.issuer ?? publicUrl;
      const { approval } = carried;
      const { id: sessionId, endsAtMs: sessionEndsAtMs } = session;
      const input = { client, issuer, approval, scopes, resources, sessionId, jti, nowMs, jkt, sessionEndsAtMs };
      const issued = await issue({ ...input, hasIdToken: client.idTokenOnRefresh }, refreshToken);
      if (issued.outcome === 'expired') {
        throw new Error('a relayed token with a refresh token beside it is never expired');
      }
      return issued;
    },
  };
}

/** What userinfo will say and the access token does not; `undefined` where the token says it all. */
function beyondAccessToken({ client, scopes, approval }: Omit<MintInput, 'publicUrl'>) {
  if (!scopes.includes('openid')) return undefined;
  const { idToken, accessToken } = tokenClaims(client, scopes);
  const claims = copiedClaims(
    idToken.filter((name) => !accessToken.includes(name)),
    approval,
  );
  return Object.keys(claims).length === 0 ? undefined : claims;
}

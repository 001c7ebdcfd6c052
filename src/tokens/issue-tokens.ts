import type { RegisteredClient } from '../clients/registered-client.ts';
import type { Approval, ApprovedUpstreamTokens } from '../grants/approval.ts';
import type { IssueTokens } from '../grants/redeem-grant.ts';
import type { Secret } from '../sealing/secret.ts';
import { mintTokens } from './mint-tokens.ts';
import { relayTokens } from './relay-tokens.ts';
import type { SigningKeys } from './signing-keys.ts';
import { tokenResponse } from './token-response.ts';

export interface IssueGround {
  signingKeys: SigningKeys;
  publicUrl: string;
}

export interface IssueInput {
  client: RegisteredClient;
  approval: Approval;
  /** For relay: those of the approval, or fresh ones from a refresh. */
  upstreamTokens: ApprovedUpstreamTokens | undefined;
  /** Where the grant was started, if not at `public_url`. */
  issuer?: string | undefined;
  scopes: readonly string[];
  /** What this access token is for. */
  resources: readonly string[];
  sessionId: string;
  jti: string;
  nowMs: number;
  jkt?: string | undefined;
  refreshToken?: Secret | undefined;
}

export type IssueOutcome =
  | { outcome: 'issued'; answer: Readonly<Record<string, unknown>> }
  /** A relayed token that is no longer worth handing out. */
  | { outcome: 'expired' };

/** The token answer of a redemption or a refresh, minted or relayed as the client is configured today. */
export async function issueTokens({ signingKeys, publicUrl }: IssueGround, input: IssueInput): Promise<IssueOutcome> {
  const { refreshToken, issuer = publicUrl, ...facts } = input;
  if (facts.client.tokens === 'mint') {
    const tokens = await mintTokens(signingKeys, { ...facts, issuer, publicUrl });
    return { outcome: 'issued', answer: tokenResponse(tokens, refreshToken) };
  }
  const relayed = await relayTokens(signingKeys, { ...facts, issuer, hasRefreshToken: refreshToken !== undefined });
  if (relayed.outcome === 'expired') return relayed;
  return { outcome: 'issued', answer: tokenResponse(relayed.tokens, refreshToken) };
}

/** As a redemption asks for it: the device session has the id of its grant. */
export function createIssueTokens(ground: IssueGround): IssueTokens {
  return ({ client, grant, approval, scopes, tokenResources, jkt, atMs }, { jti, refreshToken }) =>
    issueTokens(ground, {
      client,
      approval,
      upstreamTokens: approval.upstreamTokens,
      issuer: grant.issuer,
      scopes,
      resources: tokenResources,
      sessionId: grant.id,
      jti,
      nowMs: atMs,
      jkt,
      refreshToken,
    });
}

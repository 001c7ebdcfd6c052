import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { DeviceSession } from '../../../src/device-sessions/device-session.ts';
import type { SessionSecrets } from '../../../src/device-sessions/refresh/refresh-state.ts';
import type { Redemption } from '../../../src/grants/redeem/redemption.ts';
import type { Grant } from '../../../src/ledger/grant.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { createIssueTokens } from '../../../src/tokens/issue-tokens.ts';
import type { SigningKeys } from '../../../src/tokens/signing-keys.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';
import { NOW_MS, PUBLIC_URL, sampleApproval, sampleSigningKeys } from './token-samples.ts';

let signingKeys: SigningKeys;
beforeAll(async () => {
  signingKeys = await sampleSigningKeys();
});

const UPSTREAM_TOKENS = {
  accessToken: 'upstream-access',
  tokenType: 'bearer',
  expiresAtMs: NOW_MS + 10_000,
  members: {},
};

function redemption(changes: Partial<Redemption> = {}): Redemption {
  return {
    client: sampleClient(),
    grant: { id: 'grant-1' } as Grant,
    approval: sampleApproval(),
    scopes: ['packages:read'],
    resources: ['https://a.example', 'https://b.example'],
    tokenResources: ['https://a.example'],
    atMs: NOW_MS,
    ...changes,
  };
}

async function answer(redeemed: Redemption, refreshToken?: Secret): Promise<Readonly<Record<string, unknown>>> {
  const issued = await createIssueTokens(signingKeys, { publicUrl: PUBLIC_URL }).issueTokens(redeemed, {
    jti: 'jti-1',
    refreshToken,
  });
  return issued.outcome === 'issued' ? issued.answer : { outcome: issued.outcome };
}

describe('the token answer of a redemption', () => {
  it('is minted for the resources of this token, with the grant as its session', async () => {
    const minted = await answer(redemption(), new Secret('refresh'));
    expect(minted).toMatchObject({ token_type: 'Bearer', refresh_token: 'refresh', scope: 'packages:read' });
    expect(decodeJwt(String(minted['access_token']))).toMatchObject({
      iss: PUBLIC_URL,
      aud: 'https://a.example',
      sid: 'grant-1',
      jti: 'jti-1',
    });
  });

  it('carries the issuer that the grant was started at', async () => {
    const grant = { id: 'grant-1', issuer: 'https://login.example.com/o' } as Grant;
    expect(decodeJwt(String((await answer(redemption({ grant })))['access_token'])).iss).toBe(grant.issuer);
  });

  it('is relayed where the client is configured so, unless it is spent and nothing can renew it', async () => {
    const client = sampleClient({ tokens: 'relay' });
    const approval = sampleApproval({ upstreamTokens: UPSTREAM_TOKENS });
    expect(await answer(redemption({ client, approval }), new Secret('refresh'))).toEqual({
      access_token: 'upstream-access',
      token_type: 'Bearer',
      expires_in: 10,
      refresh_token: 'refresh',
      scope: 'packages:read',
    });
    expect(await answer(redemption({ client, approval }))).toEqual({ outcome: 'expired' });
  });

  it('binds minted tokens to the DPoP key, and says Bearer for relayed ones, which are not bound', async () => {
    expect((await answer(redemption({ jkt: 'k' })))['token_type']).toBe('DPoP');
    const client = sampleClient({ tokens: 'relay' });
    const approval = sampleApproval({ upstreamTokens: UPSTREAM_TOKENS });
    const relayed = await answer(redemption({ client, approval, jkt: 'k' }), new Secret('refresh'));
    expect(relayed['token_type']).toBe('Bearer');
  });
});

describe('the token answer of a refresh', () => {
  it('has the issuer and id of its session and the facts that are carried now', async () => {
    const { answer } = await createIssueTokens(signingKeys, { publicUrl: PUBLIC_URL }).issueRefreshed({
      client: sampleClient({ claims: { idToken: [], accessToken: ['email'] } }),
      session: { id: 'session-1', issuer: 'https://login.example.com/o' } as DeviceSession,
      carried: { approval: sampleApproval({ claims: { email: 'new@example.com' } }) } as SessionSecrets,
      scopes: ['packages:read'],
      resources: [],
      jti: 'jti-2',
      nowMs: NOW_MS + 60_000,
      jkt: undefined,
      refreshToken: new Secret('next'),
    });
    expect(answer).toMatchObject({ refresh_token: 'next', expires_in: 600 });
    expect(decodeJwt(String(answer['access_token']))).toMatchObject({
      iss: 'https://login.example.com/o',
      sid: 'session-1',
      jti: 'jti-2',
      iat: Math.floor((NOW_MS + 60_000) / 1000),
      email: 'new@example.com',
    });
  });
});

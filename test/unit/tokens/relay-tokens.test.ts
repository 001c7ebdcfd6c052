import { decodeJwt } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ApprovedUpstreamTokens } from '../../../src/ledger/approval.ts';
import { type RelayInput, type RelayOutcome, relayTokens } from '../../../src/tokens/relay-tokens.ts';
import type { SigningKeys } from '../../../src/tokens/signing-keys.ts';
import { tokenResponse } from '../../../src/tokens/token-response.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';
import { NOW_MS, PUBLIC_URL, sampleApproval, sampleSigningKeys } from './token-samples.ts';

let signingKeys: SigningKeys;
beforeAll(async () => {
  signingKeys = await sampleSigningKeys();
});

function upstreamTokens(changes: Partial<ApprovedUpstreamTokens> = {}): ApprovedUpstreamTokens {
  return {
    accessToken: 'upstream-access',
    tokenType: 'bearer',
    expiresAtMs: NOW_MS + 300_000,
    idToken: 'upstream-id',
    refreshToken: 'upstream-refresh',
    members: {},
    ...changes,
  };
}

function relay(changes: Partial<RelayInput> = {}): Promise<RelayOutcome> {
  return relayTokens(signingKeys, {
    client: sampleClient({ tokens: 'relay' }),
    issuer: PUBLIC_URL,
    approval: sampleApproval(),
    upstreamTokens: upstreamTokens(),
    scopes: ['openid'],
    sessionId: 'session-1',
    nowMs: NOW_MS,
    hasRefreshToken: false,
    ...changes,
  });
}

async function wire(changes: Partial<RelayInput> = {}): Promise<Record<string, unknown>> {
  const relayed = await relay(changes);
  if (relayed.outcome !== 'relayed') throw new Error(`unexpected outcome ${relayed.outcome}`);
  return tokenResponse(relayed.tokens);
}

describe('relay', () => {
  it('hands out the access token as it came, with what is left of its life', async () => {
    expect(await wire({ nowMs: NOW_MS + 60_500 })).toMatchObject({
      access_token: 'upstream-access',
      token_type: 'Bearer',
      expires_in: 239,
    });
  });

  it.each([
    { leftMs: 30_000, hasRefreshToken: false, expected: 30 },
    { leftMs: 29_999, hasRefreshToken: false, expected: 'expired' },
    { leftMs: 0, hasRefreshToken: false, expected: 'expired' },
    { leftMs: -5_000, hasRefreshToken: false, expected: 'expired' },
    { leftMs: 29_999, hasRefreshToken: true, expected: 29 },
    { leftMs: 900, hasRefreshToken: true, expected: 1 },
    { leftMs: -5_000, hasRefreshToken: true, expected: 1 },
  ])('with $leftMs ms left and a refresh token: $hasRefreshToken answers $expected', async (row) => {
    const { leftMs, hasRefreshToken, expected } = row;
    const relayed = await relay({ upstreamTokens: upstreamTokens({ expiresAtMs: NOW_MS + leftMs }), hasRefreshToken });
    expect(relayed.outcome === 'relayed' ? relayed.tokens.expiresInSeconds : relayed.outcome).toBe(expected);
  });

  it('says no expires_in where the upstream said none', async () => {
    expect(await wire({ upstreamTokens: upstreamTokens({ expiresAtMs: undefined }) })).not.toHaveProperty('expires_in');
  });

  it.each([{ tokens: undefined }, { tokens: upstreamTokens({ accessToken: undefined }) }])(
    'answers expired where the approval was made for minting',
    async ({ tokens }) => {
      expect(await relay({ upstreamTokens: tokens, hasRefreshToken: true })).toEqual({ outcome: 'expired' });
    },
  );

  it('keeps a token type that is not bearer as it came', async () => {
    expect((await wire({ upstreamTokens: upstreamTokens({ tokenType: 'N_A' }) }))['token_type']).toBe('N_A');
  });
});

describe('the ID token of relay', () => {
  it('is minted for the device when openid is granted, also where the upstream sent one', async () => {
    const claims = decodeJwt(String((await wire())['id_token']));
    expect(claims).toMatchObject({ iss: PUBLIC_URL, aud: 'build-cli', sub: 'corp|f81d4fae', sid: 'session-1' });
  });

  it('is left out when openid is not granted', async () => {
    expect(await wire({ scopes: ['files'] })).not.toHaveProperty('id_token');
  });

  it("is the upstream's own where relay_id_token says so, and no other", async () => {
    const client = sampleClient({ tokens: 'relay', relayIdToken: true });
    expect((await wire({ client }))['id_token']).toBe('upstream-id');
    expect(await wire({ client, upstreamTokens: upstreamTokens({ idToken: undefined }) })).not.toHaveProperty(
      'id_token',
    );
  });
});

describe('members of the upstream answer', () => {
  it('are passed through', async () => {
    const members = { session_state: 'abc', 'not-before-policy': 0, tenant: { id: 'x' } };
    expect(await wire({ upstreamTokens: upstreamTokens({ members }) })).toMatchObject(members);
  });

  it('never take the place of ours, bring the upstream refresh token out, or look like an error', async () => {
    const members = {
      ...{ access_token: 'x', token_type: 'x', expires_in: 1, refresh_token: 'x', id_token: 'x', scope: 'x' },
      ...{ error: 'x', error_description: 'x', error_uri: 'x', interval: 1 },
    };
    const answer = await wire({ scopes: ['files'], upstreamTokens: upstreamTokens({ members }) });
    expect(answer).toEqual({
      access_token: 'upstream-access',
      token_type: 'Bearer',
      expires_in: 300,
      scope: 'files',
    });
  });
});

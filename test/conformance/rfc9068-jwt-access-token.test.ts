import { createLocalJWKSet, decodeJwt, type JWTVerifyResult, jwtVerify } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { mintTokens } from '../../src/tokens/mint-tokens.ts';
import type { SigningKeys } from '../../src/tokens/signing-keys.ts';
import { sampleClient } from '../support/samples/sample-client.ts';
import { NOW_MS, NOW_SECONDS, PUBLIC_URL, sampleApproval, sampleSigningKeys } from '../unit/tokens/token-samples.ts';

/** RFC 9068, as a resource server sees it: through the JWKS and the token alone. */
describe('RFC 9068: JWT profile for OAuth 2.0 access tokens', () => {
  let signingKeys: SigningKeys;
  let token: JWTVerifyResult;
  const resource = 'https://packages.example.com';
  const approval = sampleApproval({
    authTimeSeconds: NOW_SECONDS - 40,
    acr: 'urn:mace:incommon:iap:silver',
    amr: ['pwd', 'otp'],
    groups: ['engineering'],
  });

  async function mint(nowMs: number): Promise<string> {
    const tokens = await mintTokens(signingKeys, {
      client: sampleClient({ resources: [resource], claims: { idToken: [], accessToken: ['groups'] } }),
      issuer: PUBLIC_URL,
      publicUrl: PUBLIC_URL,
      approval,
      scopes: ['openid', 'packages:read'],
      resources: [resource],
      sessionId: 'session-1',
      jti: 'jti-1',
      nowMs,
    });
    return tokens.accessToken.reveal();
  }

  beforeAll(async () => {
    signingKeys = await sampleSigningKeys();
    const jwks = createLocalJWKSet(await signingKeys.publicJwks());
    token = await jwtVerify(await mint(NOW_MS), jwks, { currentDate: new Date(NOW_MS) });
  });

  it('§2.1 MUST be signed, and MUST NOT use "none"; RS256 is there for all', () => {
    expect(token.protectedHeader.alg).toBe('RS256');
  });

  it('§2.1 MUST have the typ at+jwt, so that an ID token cannot stand in for it', () => {
    expect(token.protectedHeader.typ).toBe('at+jwt');
  });

  it('§2.2 MUST have iss, exp, aud, sub, client_id, iat and jti', () => {
    expect(token.payload).toMatchObject({
      iss: PUBLIC_URL,
      exp: NOW_SECONDS + 600,
      aud: resource,
      sub: 'corp|f81d4fae',
      client_id: 'build-cli',
      iat: NOW_SECONDS,
      jti: 'jti-1',
    });
    for (const name of ['exp', 'iat', 'auth_time']) expect(token.payload[name]).toSatisfy(Number.isInteger);
  });

  it('§2.2.1 may have auth_time, acr and amr, which MUST stay as they were when the token is refreshed', async () => {
    const signIn = { auth_time: NOW_SECONDS - 40, acr: 'urn:mace:incommon:iap:silver', amr: ['pwd', 'otp'] };
    expect(token.payload).toMatchObject(signIn);
    expect(decodeJwt(await mint(NOW_MS + 86_400_000))).toMatchObject({ ...signIn, iat: NOW_SECONDS + 86_400 });
  });

  it('§2.2.3 SHOULD have the granted scope', () => {
    expect(token.payload['scope']).toBe('openid packages:read');
  });

  it('§2.2.3.1 SHOULD name groups as SCIM does', () => {
    expect(token.payload['groups']).toEqual(['engineering']);
  });

  it('§3 MUST have the requested resource as its audience', () => {
    expect(token.payload.aud).toBe(resource);
  });

  it('is no ID token: no nonce, no at_hash (§5)', () => {
    expect(token.payload).not.toHaveProperty('nonce');
    expect(token.payload).not.toHaveProperty('at_hash');
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { PROTOCOL_CLAIMS } from '../../../src/tokens/copied-claims.ts';
import { type MintInput, mintTokens } from '../../../src/tokens/mint-tokens.ts';
import type { SigningKeys } from '../../../src/tokens/signing-keys.ts';
import { anyJson, anyText, INHERITED_NAMES } from '../../support/samples/inherited-names.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';
import { NOW_MS, NOW_SECONDS, PUBLIC_URL, sampleApproval, sampleSigningKeys } from './token-samples.ts';

let signingKeys: SigningKeys;
beforeAll(async () => {
  signingKeys = await sampleSigningKeys();
});

function sampleInput(changes: Partial<MintInput> = {}): MintInput {
  return {
    client: sampleClient(),
    issuer: PUBLIC_URL,
    publicUrl: PUBLIC_URL,
    approval: sampleApproval(),
    scopes: ['openid', 'packages:read'],
    resources: [],
    sessionId: 'session-1',
    jti: 'jti-1',
    nowMs: NOW_MS,
    ...changes,
  };
}

async function accessTokenClaims(changes: Partial<MintInput>): Promise<JWTPayload> {
  return decodeJwt((await mintTokens(signingKeys, sampleInput(changes))).accessToken.reveal());
}

async function idTokenClaims(changes: Partial<MintInput>): Promise<JWTPayload> {
  return decodeJwt((await mintTokens(signingKeys, sampleInput(changes))).idToken?.reveal() ?? '');
}

describe('minted tokens', () => {
  it.each(['RS256', 'ES256'] as const)('verify through the published JWKS when signed by %s', async (signingAlg) => {
    const tokens = await mintTokens(signingKeys, sampleInput({ client: sampleClient({ signingAlg }) }));
    const jwks = createLocalJWKSet(await signingKeys.publicJwks());
    const currentDate = new Date(NOW_MS);
    const access = await jwtVerify(tokens.accessToken.reveal(), jwks, {
      typ: 'at+jwt',
      issuer: PUBLIC_URL,
      currentDate,
    });
    const id = await jwtVerify(tokens.idToken?.reveal() ?? '', jwks, { audience: 'build-cli', currentDate });
    expect(access.protectedHeader.alg).toBe(signingAlg);
    expect(id.protectedHeader).toMatchObject({ alg: signingAlg, typ: 'JWT' });
  });

  it('have exactly the claims of RFC 9068 and OpenID Connect when nothing else is configured or known', async () => {
    const iat = NOW_SECONDS;
    const exp = NOW_SECONDS + 600;
    const tokens = await mintTokens(signingKeys, sampleInput());
    expect(decodeJwt(tokens.accessToken.reveal())).toEqual({
      ...{ iss: PUBLIC_URL, sub: 'corp|f81d4fae', aud: PUBLIC_URL, exp, iat, jti: 'jti-1' },
      ...{ client_id: 'build-cli', scope: 'openid packages:read', sid: 'session-1' },
    });
    const atHash = createHash('sha256').update(tokens.accessToken.reveal()).digest().subarray(0, 16);
    expect(decodeJwt(tokens.idToken?.reveal() ?? '')).toEqual({
      ...{ iss: PUBLIC_URL, sub: 'corp|f81d4fae', aud: 'build-cli', exp, iat },
      ...{ at_hash: atHash.toString('base64url'), sid: 'session-1' },
    });
    expect(tokens).toMatchObject({ tokenType: 'Bearer', expiresInSeconds: 600, scopes: ['openid', 'packages:read'] });
  });

  it('say how and when the person signed in, as the approval had it', async () => {
    const approval = sampleApproval({ authTimeSeconds: 1772366400, acr: 'phrh', amr: ['hwk', 'pin'] });
    const expected = { auth_time: 1772366400, acr: 'phrh', amr: ['hwk', 'pin'] };
    expect(await accessTokenClaims({ approval })).toMatchObject(expected);
    expect(await idTokenClaims({ approval })).toMatchObject(expected);
  });

  it('have no ID token where openid is not granted, whatever was approved', async () => {
    const tokens = await mintTokens(signingKeys, sampleInput({ scopes: ['packages:read'] }));
    expect(tokens.idToken).toBeUndefined();
    expect(decodeJwt(tokens.accessToken.reveal())['scope']).toBe('packages:read');
  });

  it('leave scope out of the access token where none is granted', async () => {
    expect(await accessTokenClaims({ scopes: [] })).not.toHaveProperty('scope');
  });

  it('carry the issuer of the path profile, but the public URL as the default audience', async () => {
    const issuer = 'https://login.example.com/realms/corp';
    expect(await accessTokenClaims({ issuer })).toMatchObject({ iss: issuer, aud: PUBLIC_URL });
    expect(await idTokenClaims({ issuer })).toMatchObject({ iss: issuer });
  });

  it('are bound to the DPoP key by cnf.jkt, and are called DPoP then', async () => {
    const tokens = await mintTokens(signingKeys, sampleInput({ jkt: 'thumbprint' }));
    expect(tokens.tokenType).toBe('DPoP');
    expect(decodeJwt(tokens.accessToken.reveal())['cnf']).toEqual({ jkt: 'thumbprint' });
    expect(decodeJwt(tokens.idToken?.reveal() ?? '')).not.toHaveProperty('cnf');
  });

  it('print as [redacted]', async () => {
    const tokens = await mintTokens(signingKeys, sampleInput());
    expect(JSON.stringify(tokens)).not.toContain('eyJ');
  });

  it('name in kid the key that signed', async () => {
    const { keys } = await signingKeys.publicJwks();
    const { accessToken } = await mintTokens(signingKeys, sampleInput());
    expect(decodeProtectedHeader(accessToken.reveal()).kid).toBe(keys.find((key) => key.alg === 'RS256')?.kid);
  });
});

describe('aud of the access token', () => {
  it.each([
    { granted: [], ofClient: [], aud: PUBLIC_URL },
    { granted: [], ofClient: ['https://a.example', 'https://b.example'], aud: 'https://a.example' },
    { granted: ['https://b.example'], ofClient: ['https://a.example', 'https://b.example'], aud: 'https://b.example' },
    {
      granted: ['https://b.example', 'https://a.example'],
      ofClient: ['https://a.example', 'https://b.example'],
      aud: ['https://b.example', 'https://a.example'],
    },
  ])('is $aud for granted $granted of $ofClient', async ({ granted, ofClient, aud }) => {
    const client = sampleClient({ resources: ofClient });
    expect((await accessTokenClaims({ client, resources: granted })).aud).toEqual(aud);
  });
});

describe('copied claims', () => {
  const claims = { email: 'alice@example.com', name: 'Alice', department: { id: 7 }, verified: false, nothing: null };

  it('go where the configuration sends them, as the upstream sent them', async () => {
    const client = sampleClient({
      claims: { idToken: ['email', 'department', 'verified', 'nothing'], accessToken: ['name', 'absent'] },
    });
    const approval = sampleApproval({ claims });
    const id = await idTokenClaims({ client, approval });
    expect(id).toMatchObject({ email: claims.email, department: { id: 7 }, verified: false, nothing: null });
    expect(id).not.toHaveProperty('name');
    const access = await accessTokenClaims({ client, approval });
    expect(access).toMatchObject({ name: 'Alice' });
    expect(access).not.toHaveProperty('email');
    expect(access).not.toHaveProperty('absent');
  });

  it('have the groups that policy judges, not a claim that happens to be called groups', async () => {
    const client = sampleClient({ claims: { idToken: [], accessToken: ['groups'] } });
    const claims = { groups: ['from-elsewhere'] };
    expect(await accessTokenClaims({ client, approval: sampleApproval({ claims, groups: ['eng'] }) })).toMatchObject({
      groups: ['eng'],
    });
    expect(await accessTokenClaims({ client, approval: sampleApproval({ claims }) })).not.toHaveProperty('groups');
  });

  it('are only what the upstream sent, also for names that every object has', async () => {
    const names = [...INHERITED_NAMES];
    const client = sampleClient({ claims: { idToken: names, accessToken: names } });
    for (const name of names) expect(Object.hasOwn(await accessTokenClaims({ client }), name)).toBe(false);
  });

  it('never change or add a protocol claim, whatever is configured and whatever the upstream sends', async () => {
    const names = fc.oneof(fc.constantFrom(...PROTOCOL_CLAIMS), anyText({ maxLength: 12 }));
    const property = fc.asyncProperty(
      fc.uniqueArray(names, { maxLength: 12 }),
      anyJson({ maxDepth: 2 }),
      async (configured, value) => {
        const client = sampleClient({
          signingAlg: 'ES256',
          claims: { idToken: configured, accessToken: configured },
        });
        const plain = sampleClient({ signingAlg: 'ES256' });
        const approval = sampleApproval({ claims: Object.fromEntries(configured.map((name) => [name, value])) });
        const protocolOnly = (all: JWTPayload): unknown =>
          Object.fromEntries(Object.entries(all).filter(([name]) => PROTOCOL_CLAIMS.has(name) && name !== 'at_hash'));
        expect(protocolOnly(await accessTokenClaims({ client, approval }))).toEqual(
          protocolOnly(await accessTokenClaims({ client: plain })),
        );
        expect(protocolOnly(await idTokenClaims({ client, approval }))).toEqual(
          protocolOnly(await idTokenClaims({ client: plain })),
        );
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });
});

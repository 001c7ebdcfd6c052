import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { grantId, newDeviceCode } from '../../../src/grants/device-code.ts';
import { type GrantDeps, type GrantRequest, startGrant } from '../../../src/grants/start/start-grant.ts';
import { BASE20 } from '../../../src/grants/start/user-code.ts';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';

const sealing = createSealing([new Secret(randomBytes(32).toString('base64url'))]);

function newDeps(changes: Partial<GrantDeps> = {}): GrantDeps {
  const userCodes = { alphabet: BASE20, length: 8, group: 4 };
  return { ledger: memoryStorage().ledger, sealing, randomBytes, userCodes, ...changes };
}

const request: GrantRequest = {
  clientId: 'tv',
  challenge: '',
  jkt: '',
  scopes: ['openid'],
  resources: [],
  source: '192.0.2.1',
  lifetimeSeconds: 600,
  intervalSeconds: 5,
  userCodeLength: 8,
};

describe('device codes (RFC 8628 §5.2)', () => {
  it('have 256 random bits, and no two are alike', () => {
    const codes = Array.from({ length: 50_000 }, () => newDeviceCode(randomBytes).reveal());
    expect(new Set(codes).size).toBe(codes.length);
    expect(codes.every((code) => /^[\w-]{43}$/.test(code))).toBe(true);
  });

  it('are kept under a hash of 128 bits that does not give them away', () => {
    const code = newDeviceCode(randomBytes);
    expect(grantId(code)).toMatch(/^[\w-]{22}$/);
    expect(grantId(code)).toBe(grantId(new Secret(code.reveal())));
    expect(code.reveal()).not.toContain(grantId(code));
  });
});

describe('startGrant', () => {
  it('gives a thousand grants codes of their own', async () => {
    const deps = newDeps();
    const userCodes = new Set<string>();
    for (let n = 0; n < 1000; n += 1) userCodes.add((await startGrant(deps, request)).userCode);
    expect(userCodes.size).toBe(1000);
  });

  it('draws again where a user code is taken', async () => {
    const deps = newDeps({ userCodes: { alphabet: 'BC', length: 1, group: 4 } });
    const codes: string[] = [];
    // With two codes in all and five draws each, both are found unless chance is against it ten times over.
    let draw = 0;
    const alternating = {
      ...deps,
      randomBytes: (count: number) => (count <= 2 ? Buffer.from([draw++ >> 1, 0]) : randomBytes(count)),
    };
    for (let n = 0; n < 2; n += 1) {
      codes.push((await startGrant(alternating, { ...request, userCodeLength: 1 })).userCode);
    }
    expect(codes.toSorted()).toEqual(['B', 'C']);
  });

  it('gives up after a few draws, as the storage being full', async () => {
    const deps = newDeps({ userCodes: { alphabet: 'BC', length: 1, group: 4 } });
    const start = () => startGrant(deps, { ...request, userCodeLength: 1 });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, start));
    const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [String(outcome.reason)] : []));
    expect(reasons.length).toBeGreaterThanOrEqual(18);
    expect(new Set(reasons)).toEqual(new Set(['StorageUnavailableError: no free user code in 5 draws']));
  });
});

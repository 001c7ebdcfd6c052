import type { Approval } from '../../../src/ledger/approval.ts';
import { makeSigningKey } from '../../../src/tokens/signing-key-set.ts';
import { createSigningKeys, type SigningKeys } from '../../../src/tokens/signing-keys.ts';

export const NOW_MS = Date.parse('2026-03-01T12:00:00.789Z');
export const NOW_SECONDS = Math.floor(NOW_MS / 1000);
export const PUBLIC_URL = 'https://login.example.com';

export function sampleApproval(changes: Partial<Approval> = {}): Approval {
  return {
    upstream: 'corp',
    subject: 'f81d4fae',
    account: 'alice@example.com',
    scopes: ['openid', 'packages:read'],
    resources: [],
    claims: {},
    signedInAtMs: NOW_MS - 5000,
    approvedAtMs: NOW_MS - 3000,
    ...changes,
  };
}

export async function sampleSigningKeys(): Promise<SigningKeys> {
  return createSigningKeys({
    keys: await Promise.all([makeSigningKey('RS256', NOW_MS), makeSigningKey('ES256', NOW_MS)]),
  });
}

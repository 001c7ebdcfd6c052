import { randomBytes } from 'node:crypto';
import type { RegisteredClient, Safeguards } from '../../../src/clients/registered-client.ts';
import { type GeoPlaces, NO_PLACES } from '../../../src/geo/geo-places.ts';
import { BASE20 } from '../../../src/grants/start/user-code.ts';
import type { Grant } from '../../../src/ledger/grant.ts';
import { createApprovalLimits } from '../../../src/limits/approval-limits.ts';
import { createCodeEntryLimits } from '../../../src/limits/code-entry-limits.ts';
import type { LimitSettings } from '../../../src/limits/limit-settings.ts';
import { createStartLimits } from '../../../src/limits/start-limits.ts';
import { createCampaigns } from '../../../src/safeguards/campaign.ts';
import { createSafeguardJudge } from '../../../src/safeguards/safeguards.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import type { SignIn } from '../../../src/upstream/upstream.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';
import { limitDeps } from '../limits/limit-deps.ts';

export function clientWith(profile: Safeguards['profile'], overrides: Partial<Safeguards> = {}): RegisteredClient {
  return sampleClient({ id: 'cli', safeguards: { profile, ...overrides } });
}

export function grantFrom(source: string, startedAtMs: number, more: Partial<Grant> = {}): Grant {
  return {
    id: 'grant',
    clientId: 'cli',
    challenge: '',
    jkt: '',
    intervalMs: 5000,
    startedAtMs,
    expiresAtMs: startedAtMs + 600_000,
    keptUntilMs: startedAtMs + 1_200_000,
    scopes: ['openid'],
    resources: [],
    source,
    userCodeTag: 'tag',
    publicKey: 'key',
    keyName: 'k1',
    ...more,
  };
}

export function signedIn(subject: string): SignIn {
  return { subject, claims: {}, tokens: { accessToken: new Secret('t'), tokenType: 'Bearer', members: {} } };
}

/** All of the safeguards on the memory storage, with a clock that tests move. */
export function safeguardDeps(limits: Partial<LimitSettings> = {}, more: { geo?: GeoPlaces } = {}) {
  const deps = limitDeps(limits);
  const campaigns = createCampaigns(deps);
  const approvalLimits = createApprovalLimits(deps);
  const userCodes = { alphabet: BASE20, length: 8, group: 4 };
  return {
    ...deps,
    campaigns,
    startLimits: createStartLimits(deps),
    judge: createSafeguardJudge({
      ...{ ...deps, campaigns, approvalLimits, userCodes, randomBytes, geo: NO_PLACES, ...more },
      clockToleranceSeconds: () => 30,
      codeEntryLimits: createCodeEntryLimits(deps),
    }),
  };
}

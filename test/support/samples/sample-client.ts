import type { RegisteredClient, Safeguards } from '../../../src/clients/registered-client.ts';
import { SAFEGUARD_PROFILES } from '../../../src/config/safeguard-profiles.ts';

export type ClientChanges = Partial<Omit<RegisteredClient, 'safeguards'>> & { safeguards?: Partial<Safeguards> };

/** An ordinary client as the configuration makes it; a test names what it is about. */
export function sampleClient({ safeguards, ...changes }: ClientChanges = {}): RegisteredClient {
  return {
    id: 'build-cli',
    name: 'Build CLI',
    authentication: 'none',
    published: false,
    startWithoutSecret: false,
    grantTypes: ['device_code', 'refresh_token'],
    upstreams: ['corp'],
    tokens: 'mint',
    relayIdToken: false,
    idTokenOnRefresh: true,
    scopes: { allowed: ['openid', 'packages:read'], default: ['openid'] },
    resources: [],
    claims: { idToken: [], accessToken: [] },
    signingAlg: 'RS256',
    accessTokenType: 'at+jwt',
    subject: 'prefixed',
    refreshTokens: 'always',
    approvers: {},
    lifetimes: {
      codeSeconds: 600,
      accessTokenSeconds: 600,
      refreshIdleSeconds: 2_592_000,
      refreshAbsoluteSeconds: 7_776_000,
    },
    intervalSeconds: 5,
    origins: [],
    require: [],
    redeliverySeconds: 0,
    refreshGraceSeconds: 30,
    endOnLogout: true,
    ...changes,
    safeguards: { ...SAFEGUARD_PROFILES[safeguards?.profile ?? 'standard'], ...safeguards },
  };
}

import type { FakeUpstream } from '../upstream/fake-upstream.ts';

/** The YAML of a broker that runs as a process: one fake upstream, one client, no limit in the way of many starts. */
export function brokerYaml(
  upstream: Pick<FakeUpstream, 'issuer'>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    drain: '0s',
    keys: { sealing: [{ env: 'SEALING_KEY' }], signing: { env: 'SIGNING_KEYS' } },
    upstreams: {
      corp: {
        display_name: 'Example Corp',
        issuer: upstream.issuer,
        client_id: 'gatehouse',
        client_secret: { env: 'UPSTREAM_SECRET' },
      },
    },
    clients: {
      'build-cli': {
        name: 'Build CLI',
        signing_alg: 'ES256',
        interval: '1s',
        scopes: { allowed: ['openid', 'profile', 'offline_access', 'packages:read'], default: ['openid'] },
      },
    },
    limits: { starts_per_source: 0, approvals_per_subject: 0, pending_per_source: 0, wrong_codes_per_source: 0 },
    ...more,
  };
}

import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { startFakeUpstream } from '../support/upstream/fake-upstream.ts';

export interface FuzzedBroker {
  broker: BrokerProcess;
  upstream: string;
  residentBytes(): Promise<number>;
  /** What the process itself said was wrong: faults, 500s, anything that is no log line. */
  complaints(): string[];
  close(): Promise<void>;
}

/** A broker with every door open: all path profiles, one client of each kind, and no limit but that of pending grants. */
export async function startFuzzedBroker(): Promise<FuzzedBroker> {
  const upstream = await startFakeUpstream();
  const scopes = { allowed: ['openid', 'profile', 'offline_access', 'packages:read'], default: ['openid'] };
  const yaml = brokerYaml(upstream, {
    storage: { driver: 'memory' },
    clients: {
      'build-cli': { name: 'Build CLI', interval: '1s', scopes, origins: ['https://evil.example'], safeguards: 'open' },
      relay: { name: 'Relay', tokens: 'relay', scopes },
      dpop: { name: 'DPoP', require: ['dpop'], scopes },
      robot: { name: 'Robot', authentication: 'client_secret', client_secret: { env: 'ROBOT_SECRET' }, scopes },
    },
    trusted_proxies: ['127.0.0.1/32'],
    compatibility: {
      keycloak: { realm: 'corp' },
      authentik: { slug: 'corp' },
      django_oauth_toolkit: true,
      authlete: true,
    },
    limits: {
      starts_per_source: 0,
      pending_per_source: 0,
      pending_total: 0,
      pending_per_client: 50_000,
      approvals_per_subject: 0,
      wrong_codes_per_source: 0,
      wrong_codes_total: 0,
      wrong_codes_per_browser: 0,
      wrong_codes_per_subject: 0,
      failed_authentications_per_source: 0,
      failed_authentications_per_client: 0,
    },
    log: { level: 'warn' },
  });
  const environment = {
    ...(await sharedSecrets()),
    UPSTREAM_SECRET: upstream.clientSecret,
    ROBOT_SECRET: 'robot-secret-000000000000000000000',
  };
  const broker = await startBrokerProcess({ yaml, environment });
  return {
    broker,
    upstream: upstream.issuer,
    async residentBytes() {
      const text = await (await fetch(`${broker.operations}/metrics`)).text();
      return Number(/^process_resident_memory_bytes (\S+)/m.exec(text)?.[1]);
    },
    complaints: () => [
      ...broker.noise.filter((line) => !/^\(node:|DeprecationWarning|--trace-/.test(line)),
      ...broker.lines
        .filter(({ event }) => event === 'process.fault' || event === 'request.failed')
        .map((line) => JSON.stringify(line)),
    ],
    async close() {
      await broker.stop('SIGKILL');
      await upstream.close();
    },
  };
}

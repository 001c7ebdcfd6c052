import { type Nginx, startNginx } from '../nginx.ts';
import type { TestRedis } from '../redis/redis.ts';
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess, unusedPort } from './broker-process.ts';
import { brokerYaml } from './broker-yaml.ts';
import { LEAST_USER } from './least-rights.ts';

/** Some brokers of one installation on one Redis, behind nginx. */
export interface Replicas {
  origin: string;
  upstream: FakeUpstream;
  nginx: Nginx;
  running: BrokerProcess[];
  /** The secrets that they share. */
  environment: Readonly<Record<string, string>>;
  /** Ends a replica by a signal and starts another one in its place, on the same port. Answers the exit code. */
  replace(index: number, signal?: NodeJS.Signals): Promise<number | null>;
  stop(): Promise<void>;
}

export interface ReplicasOptions {
  redis: Pick<TestRedis, 'url'>;
  count?: number;
  yaml?: Record<string, unknown>;
  drain?: string;
}

export async function startReplicas(options: ReplicasOptions): Promise<Replicas> {
  const { redis, count = 3, yaml = {}, drain = '2s' } = options;
  const upstream = await startFakeUpstream();
  const environment = {
    ...(await sharedSecrets()),
    UPSTREAM_SECRET: upstream.clientSecret,
    REDIS_PASSWORD: LEAST_USER.password.reveal(),
  };
  const access = { username: LEAST_USER.username, password: { env: 'REDIS_PASSWORD' } };
  const port = await unusedPort();
  const origin = `http://127.0.0.1:${port}`;
  const shared = brokerYaml(upstream, {
    public_url: origin,
    storage: { driver: 'redis', redis: { url: redis.url, ...access } },
    trusted_proxies: ['127.0.0.1/32'],
    drain,
    ...yaml,
  });
  const running = await Promise.all(
    Array.from({ length: count }, () => startBrokerProcess({ yaml: shared, environment })),
  );
  const ports = running.map(({ origin: at }) => Number(new URL(at).port));
  const nginx = await startNginx(
    port,
    running.map(({ origin: at }) => at),
  );
  return {
    ...{ origin, upstream, nginx, running, environment },
    async replace(index, signal = 'SIGTERM') {
      const code = await running[index]?.stop(signal);
      running[index] = await startBrokerProcess({ yaml: shared, environment, port: ports[index] as number });
      return code ?? null;
    },
    async stop() {
      await nginx.stop();
      await Promise.all(running.map((each) => each.stop('SIGKILL')));
      await upstream.close();
    },
  };
}

import { setTimeout as delay } from 'node:timers/promises';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { type AnswerBody, type DeviceAnswer, TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';
import { atMost } from './at-most.ts';
import { checkInvariants } from './check-invariants.ts';

/** One healthy replica on a Redis of its own, others that a fault befalls, and a memory of all that was handed out. */
export interface Installation {
  redis: TestRedis;
  upstream: FakeUpstream;
  healthy: BrokerProcess;
  /** Another replica of the same installation. */
  another(environment: Record<string, string>): Promise<BrokerProcess>;
  device(replica?: BrokerProcess): WatchedDevice;
  /** A person whose requests go to `replica` where `isThere` says so. */
  person(replica?: BrokerProcess, isThere?: (url: URL, method: string) => boolean): ScriptedPerson;
  check(mostAnswers?: number): Promise<string[]>;
  /** A whole sign-in at the healthy replica. */
  signIn(): Promise<AnswerBody>;
  stop(): Promise<void>;
}

export type WatchedDevice = Pick<TestDevice, 'start' | 'poll' | 'refresh'>;

export async function install(
  redisOptions: readonly string[] = [],
  yaml: Record<string, unknown> = {},
): Promise<Installation> {
  const redis = await startRedisServer(redisOptions);
  const upstream = await startFakeUpstream();
  const secrets = await sharedSecrets();
  const environment = { ...secrets, UPSTREAM_SECRET: upstream.clientSecret };
  const storage = { driver: 'redis', redis: { url: redis.url } };
  const shared = brokerYaml(upstream, { storage, ...yaml });
  const healthy = await startBrokerProcess({ yaml: shared, environment });
  const publicUrl = healthy.origin;
  const seen = new Set<string>();
  const issued = new Map<string, AnswerBody[]>();
  const starting = atMost(4);

  const remember = (answer: DeviceAnswer, deviceCode?: string): DeviceAnswer => {
    const { body, status } = answer;
    for (const name of ['device_code', 'user_code', 'access_token', 'refresh_token', 'id_token']) {
      if (typeof body[name] === 'string') seen.add(body[name]);
    }
    if (status === 200 && deviceCode !== undefined) issued.set(deviceCode, [...(issued.get(deviceCode) ?? []), body]);
    return answer;
  };
  const installation: Installation = {
    ...{ redis, upstream, healthy },
    another: (more) =>
      starting(() =>
        startBrokerProcess({
          yaml: { public_url: publicUrl, ...shared },
          environment: { ...environment, ...more },
          program: '.cache/faults/test/faults/replica.js',
        }),
      ),
    device(replica = healthy) {
      const at = { origin: replica.origin, publicUrl, now: async () => Date.now() };
      const device = new TestDevice(at, { clientId: 'build-cli' });
      return {
        start: async (more) => {
          for (;;) {
            const started = await device.start({ scope: 'openid offline_access', ...more });
            // As a device that is told to come again: too much for this machine just now.
            if (started.status !== 429) return remember(started);
            await delay(1000);
          }
        },
        poll: async (code, more) => remember(await device.poll(code, more), code),
        refresh: async (token, more) => remember(await device.refresh(token, more)),
      };
    },
    person(replica, isThere = () => true) {
      const led: typeof fetch = (input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        const isOurs = url.origin === publicUrl && replica !== undefined;
        const where =
          isOurs && isThere(url, init?.method ?? 'GET') ? new URL(url.href.replace(publicUrl, replica.origin)) : url;
        return fetch(where, init);
      };
      return new ScriptedPerson({ fetch: led });
    },
    check: (mostAnswers) =>
      checkInvariants({
        redisUrl: redis.url,
        sealingKey: secrets['SEALING_KEY'] ?? '',
        secrets: [...seen, upstream.clientSecret],
        issued,
        ...(mostAnswers !== undefined && { mostAnswers }),
      }),
    async signIn() {
      const device = installation.device();
      const { body } = await device.start();
      const page = await decideThere(await toConfirmThere(installation, body.user_code));
      if (page.url.pathname !== '/device/done') throw new Error(`${page.status} ${page.heading}`);
      const polled = await device.poll(body.device_code);
      if (polled.status !== 200) throw new Error(`${polled.status} ${polled.text}`);
      return { ...polled.body, device_code: body.device_code };
    },
    async stop() {
      await healthy.stop('SIGKILL');
      await redis.stop();
      await upstream.close();
    },
  };
  return installation;
}

export interface BeforeConfirm {
  person: ScriptedPerson;
  page: VisitedPage;
}

export async function toConfirmThere(
  { healthy, person: newPerson }: { healthy: Pick<BrokerProcess, 'origin'>; person: () => ScriptedPerson },
  userCode: string,
  person = newPerson(),
): Promise<BeforeConfirm> {
  const form = await person.visit(`${healthy.origin}/device`);
  const codeForm = form.forms.find(({ fields }) => fields.has('user_code'));
  if (codeForm === undefined) return { person, page: form };
  return { person, page: await person.submit(form, codeForm, { user_code: userCode }) };
}

export async function decideThere({ person, page }: BeforeConfirm, decision = 'approve'): Promise<VisitedPage> {
  const form = page.forms.find(({ buttons }) => buttons.some(({ name }) => name === 'decision'));
  return form === undefined ? page : person.submit(page, form, { decision });
}

export const heard = ({ status, body }: DeviceAnswer): string => (status === 200 ? '200' : `${status} ${body.error}`);

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { manyClients } from '../support/broker/many-clients.ts';
import { TestDevice } from '../support/broker/test-device.ts';

const CLIENTS = 10_000;
/** The part of the whole that one answer may take, on a machine that is busy with other tests too; it was all of it. */
const MAX_PART = 1 / 4;
/** What one answer may wait for, in time of the processor alone: that is the same on a busy machine. Measured were 50 ms. */
const MAX_WORK_MS = 150;

/** Each has endpoints of its own, which must not go through all the clients again. */
const ALL_PROFILES = {
  keycloak: { realm: 'corp' },
  authentik: { slug: 'corp' },
  ...{ django_oauth_toolkit: true, authlete: true, auth0: true, github: true },
};

/** The time that the main thread of a process had a processor; 0 where the system does not tell. */
function workedMs(pid = 0): number {
  const file = `/proc/${pid}/task/${pid}/schedstat`;
  if (!existsSync(file)) return 0;
  const [nanoseconds = '0'] = readFileSync(file, 'utf8').split(' ');
  return Number(nanoseconds) / 1e6;
}

let broker: BrokerProcess;
afterEach(() => broker?.stop());

/** The longest that one device waited for an answer, asking without a pause until it is told to stop. */
async function longestAnswerMs(
  device: TestDevice,
  deviceCode: string,
  isOver: () => boolean,
): Promise<{ longest: number; mostWork: number; answers: number }> {
  let longest = 0;
  let mostWork = 0;
  let answers = 0;
  while (!isOver()) {
    const asked = performance.now();
    const worked = workedMs(broker.child.pid);
    const { body } = await device.poll(deviceCode);
    longest = Math.max(longest, performance.now() - asked);
    mostWork = Math.max(mostWork, workedMs(broker.child.pid) - worked);
    answers += 1;
    expect(['authorization_pending', 'slow_down']).toContain(body.error);
  }
  return { longest, mostWork, answers };
}

it('ten thousand clients in further files are read again while devices are answered', {
  timeout: 240_000,
}, async () => {
  const environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: 'a secret that is long enough for it' };
  const yaml = brokerYaml(
    { issuer: 'http://127.0.0.1:9' },
    { storage: { driver: 'memory' }, include: ['clients.d/*.yaml'], compatibility: ALL_PROFILES },
  );
  broker = await startBrokerProcess({
    yaml,
    environment,
    async place(file, text) {
      await mkdir(join(dirname(file), 'clients.d'), { recursive: true });
      await writeFile(join(dirname(file), 'clients.d', 'a.yaml'), manyClients(CLIENTS));
      await writeFile(file, text);
    },
  });
  const { origin } = broker;
  const device = new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId: 'build-cli' });
  const { body } = await device.start();

  let isOver = false;
  const began = performance.now();
  const polling = longestAnswerMs(device, body.device_code, () => isOver);
  await writeFile(join(broker.folder, 'clients.d', 'b.yaml'), 'clients: { tv: { name: TV } }');
  await broker.logged('config.reloaded', undefined, 120_000);
  isOver = true;
  const { longest, mostWork, answers } = await polling;
  expect(longest).toBeLessThan((performance.now() - began) * MAX_PART);
  expect(mostWork).toBeLessThan(MAX_WORK_MS);
  expect(answers).toBeGreaterThan(20);

  const tv = new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId: 'tv' });
  const last = new TestDevice(
    { origin, publicUrl: origin, now: async () => Date.now() },
    { clientId: `client-${CLIENTS - 1}` },
  );
  expect((await tv.start()).status).toBe(200);
  expect((await last.start()).body).toMatchObject({ interval: 5 });
});

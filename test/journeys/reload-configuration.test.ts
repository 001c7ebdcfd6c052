import { appendFile, link, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { makeSigningKey } from '../../src/tokens/signing-key-set.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { mmdb } from '../support/mmdb.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

type Yaml = Record<string, unknown> & {
  clients: Record<string, Record<string, unknown>>;
  upstreams: Record<string, Record<string, unknown>>;
};

let environment: Record<string, string>;
let upstream: FakeUpstream;
let broker: BrokerProcess;
let yaml: Yaml;

beforeAll(async () => {
  environment = await sharedSecrets();
});
beforeEach(async () => {
  upstream = await startFakeUpstream();
  environment['UPSTREAM_SECRET'] = upstream.clientSecret;
  yaml = brokerYaml(upstream, { storage: { driver: 'memory' } }) as Yaml;
});
afterEach(async () => {
  await broker?.stop();
  await upstream.close();
});

function deviceOf(clientId = 'build-cli'): TestDevice {
  const { origin } = broker;
  return new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId });
}

const tv = { name: 'TV', interval: '1s', scopes: { allowed: ['openid'], default: ['openid'] } };

/** Design §2.5: a reload takes effect within a second. */
async function withinASecond<T>(ask: () => Promise<T>, expected: T): Promise<void> {
  await expect.poll(ask, { timeout: 1000, interval: 20 }).toEqual(expected);
}

const statusOfStart = async (clientId: string) => (await deviceOf(clientId).start()).status;
const metrics = async () => (await fetch(`${broker.operations}/metrics`)).text();

describe('a changed configuration', () => {
  it('is in force within a second of SIGHUP, also where the system does not tell that a file was changed', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'gatehouse-elsewhere-'));
    const other = join(elsewhere, 'gatehouse.yaml');
    // Written by its other name, in a folder that nobody watches.
    const place = async (file: string, text: string) => {
      await writeFile(other, text);
      await link(other, file).catch(() => undefined);
    };
    broker = await startBrokerProcess({ yaml, environment, place });
    yaml.clients['tv'] = tv;
    await broker.writeConfig(yaml);
    await delay(500);
    expect(await statusOfStart('tv')).toBe(401);
    process.kill(broker.child.pid ?? 0, 'SIGHUP');
    await withinASecond(() => statusOfStart('tv'), 200);
    await rm(elsewhere, { recursive: true });
  });

  it('is one too where a file of geo came, changed or went: the broker goes on without', async () => {
    const geo = join(await mkdtemp(join(tmpdir(), 'gatehouse-geo-')), 'city.mmdb');
    broker = await startBrokerProcess({ yaml: { ...yaml, geo: { file: geo } }, environment });
    const told = () => broker.lines.filter(({ event }) => String(event).startsWith('geo.')).map(({ event }) => event);
    await expect.poll(told).toEqual(['geo.refused']);
    await writeFile(geo, mmdb({}));
    await expect.poll(told).toEqual(['geo.refused', 'geo.read']);
    await rm(geo);
    await expect.poll(told).toEqual(['geo.refused', 'geo.read', 'geo.refused']);
    expect(await statusOfStart('build-cli')).toBe(200);
    await rm(dirname(geo), { recursive: true });
  });

  it('is in force within a second of being written, and of being put in the place of the old file', async () => {
    broker = await startBrokerProcess({ yaml, environment });
    yaml.clients['tv'] = tv;
    await broker.writeConfig(yaml);
    await withinASecond(() => statusOfStart('tv'), 200);

    delete yaml.clients['tv'];
    await writeFile(`${broker.file}~`, JSON.stringify({ public_url: broker.origin, ...listening(broker), ...yaml }));
    await rename(`${broker.file}~`, broker.file);
    await withinASecond(() => statusOfStart('tv'), 401);
  });

  it('is found behind the links of a Kubernetes ConfigMap, swap after swap', async () => {
    broker = await startBrokerProcess({ yaml, environment, place: configMap() });
    yaml.clients['tv'] = tv;
    await broker.writeConfig(yaml);
    await withinASecond(() => statusOfStart('tv'), 200);
    delete yaml.clients['tv'];
    await broker.writeConfig(yaml);
    await withinASecond(() => statusOfStart('tv'), 401);
  });

  it('is not read again because of a file beside it, such as a log that grows', async () => {
    broker = await startBrokerProcess({ yaml, environment });
    broker.lines.length = 0;
    await writeFile(join(broker.folder, 'log'), '');
    for (let line = 0; line < 5; line += 1) {
      await appendFile(join(broker.folder, 'log'), 'line\n');
      await delay(250);
    }
    expect(broker.lines.map(({ event }) => event)).not.toContain('config.reloaded');
  });

  it('brings a new upstream, at which people sign in at once', async () => {
    broker = await startBrokerProcess({ yaml, environment });
    const lab = await startFakeUpstream({ clientSecret: upstream.clientSecret });
    yaml.upstreams['lab'] = { ...yaml.upstreams['corp'], issuer: lab.issuer, display_name: 'Lab' };
    yaml.clients['tv'] = { ...tv, upstreams: ['lab'] };
    await broker.writeConfig(yaml);
    await withinASecond(() => statusOfStart('tv'), 200);
    const device = deviceOf('tv');
    const { body } = await device.start();
    await approve(`${broker.origin}/device`, body.user_code, 'alice');
    expect((await device.poll(body.device_code)).status).toBe(200);
    expect(lab.requestsTo('/token')).toHaveLength(1);
    await lab.close();
  });

  it('without a client answers its pending grants with invalid_client; they go on when it is back', async () => {
    yaml.clients['tv'] = tv;
    broker = await startBrokerProcess({ yaml, environment });
    const device = deviceOf('tv');
    const { body } = await device.start();
    delete yaml.clients['tv'];
    await broker.writeConfig(yaml);
    await withinASecond(async () => (await device.poll(body.device_code)).body.error, 'invalid_client');
    expect((await device.poll(body.device_code)).status).toBe(401);
    yaml.clients['tv'] = tv;
    await broker.writeConfig(yaml);
    await withinASecond(async () => (await device.poll(body.device_code)).body.error, 'authorization_pending');
  });

  it('judges what was approved before, and the log says why it is refused', async () => {
    yaml.clients['tv'] = tv;
    broker = await startBrokerProcess({ yaml, environment });
    const device = deviceOf('tv');
    const { body } = await device.start();
    await approve(`${broker.origin}/device`, body.user_code, 'alice');
    yaml.clients['tv'] = { ...tv, approvers: { groups: ['operators'] } };
    await broker.writeConfig(yaml);
    await broker.logged('config.reloaded');
    expect((await device.poll(body.device_code)).body.error).toBe('access_denied');
    expect(await broker.logged('grant.refused')).toMatchObject({ client: 'tv', subject: 'alice' });
  });

  it('brings limits, networks and pages', async () => {
    broker = await startBrokerProcess({ yaml: { ...yaml, limits: { starts_per_source: 1 } }, environment });
    expect([await statusOfStart('build-cli'), await statusOfStart('build-cli')]).toEqual([200, 429]);
    const lab = { name: 'Lab', cidrs: ['127.0.0.0/8'], factor: 3 };
    const pages = { title: 'Sign in at Example' };
    await broker.writeConfig({ ...yaml, limits: { starts_per_source: 1 }, networks: { lab }, pages });
    await withinASecond(
      async () => (await (await fetch(`${broker.origin}/device`)).text()).includes(pages.title),
      true,
    );
    // Three times as many for this network, of which one was used.
    const statuses = [];
    for (let n = 0; n < 3; n += 1) statuses.push(await statusOfStart('build-cli'));
    expect(statuses).toEqual([200, 200, 429]);
    await broker.writeConfig({ ...yaml, limits: { starts_per_source: 0 } });
    await withinASecond(() => statusOfStart('build-cli'), 200);
  });

  it('brings changed signing keys, also where only their file was changed', async () => {
    const keys = [await makeSigningKey('ES256', 1)];
    const place = async (file: string, text: string) => {
      await writeFile(join(dirname(file), 'signing-keys.json'), JSON.stringify({ keys }), { mode: 0o600 });
      await writeFile(file, text);
    };
    const signing = { ...yaml, keys: { sealing: [{ env: 'SEALING_KEY' }], signing: { file: 'signing-keys.json' } } };
    broker = await startBrokerProcess({ yaml: signing, environment, place });
    const shown = async () => {
      const { keys: published } = (await (await fetch(`${broker.origin}/jwks`)).json()) as { keys: { kid: string }[] };
      return published.map(({ kid }) => kid);
    };
    expect(await shown()).toEqual([keys[0]?.kid]);
    keys.push(await makeSigningKey('ES256', 2));
    await writeFile(join(broker.folder, 'signing-keys.json'), JSON.stringify({ keys }), { mode: 0o600 });
    await withinASecond(
      shown,
      keys.map(({ kid }) => kid as string),
    );
  });
});

describe('a broken configuration', () => {
  it('is reported with line and column and counted, and the old one stays in force until it is mended', async () => {
    broker = await startBrokerProcess({ yaml, environment });
    await broker.writeConfig('public_url: https://login.example.com\nclients:\n  tv: { nmae: TV }\n  - what\n');
    const { problems } = await broker.logged('config.refused');
    expect(String((problems as string[])[0])).toMatch(/gatehouse\.yaml:\d+:\d+ /);
    broker.lines.length = 0;
    await broker.writeConfig({ ...yaml, clients: { 'build-cli': { nmae: 'TV' } } });
    const line = await broker.logged('config.refused');
    expect((line['problems'] as string[]).join('\n')).toMatch(/gatehouse\.yaml:\d+:\d+ clients\.build-cli\.nmae: /);
    expect(await metrics()).toContain('gatehouse_config_reload_success 0\n');
    expect(await metrics()).toContain('gatehouse_config_reloads_total{outcome="refused"} 2\n');
    expect(await statusOfStart('build-cli')).toBe(200);

    broker.lines.length = 0;
    await rm(broker.file);
    await broker.logged('config.refused');
    expect(await statusOfStart('build-cli')).toBe(200);

    yaml.clients['tv'] = tv;
    await broker.writeConfig(yaml);
    await withinASecond(() => statusOfStart('tv'), 200);
    expect(await metrics()).toContain('gatehouse_config_reload_success 1\n');
  });

  it('does not end the process when its whole folder goes away', async () => {
    broker = await startBrokerProcess({ yaml, environment });
    await rename(broker.folder, `${broker.folder}-away`);
    process.kill(broker.child.pid ?? 0, 'SIGHUP');
    await broker.logged('config.refused');
    expect(await statusOfStart('build-cli')).toBe(200);
    yaml.clients['tv'] = tv;
    await rename(`${broker.folder}-away`, broker.folder);
    await broker.writeConfig(yaml);
    process.kill(broker.child.pid ?? 0, 'SIGHUP');
    await withinASecond(() => statusOfStart('tv'), 200);
  });
});

describe('what a reload cannot change', () => {
  it('is named in a warning each, stays as it was, and the rest comes into force', async () => {
    broker = await startBrokerProcess({ yaml, environment });
    yaml.clients['tv'] = tv;
    await broker.writeConfig({
      ...yaml,
      public_url: 'http://localhost:1',
      listen: { host: '127.0.0.1', port: 1 },
      operations: { host: '127.0.0.1', port: 2 },
      storage: { driver: 'redis', redis: { url: 'redis://127.0.0.1:1' } },
      compatibility: { authlete: true },
    });
    await broker.logged('config.reloaded');
    const named = broker.lines.filter(({ event }) => event === 'config.restart_needed').map(({ detail }) => detail);
    expect(new Set(named)).toEqual(new Set(['compatibility', 'listen', 'operations', 'public_url', 'storage']));
    const { body } = await deviceOf('tv').start();
    expect(body['verification_uri']).toBe(`${broker.origin}/device`);
    expect((await fetch(`${broker.origin}/api/token`, { method: 'POST' })).status).toBe(404);
  });
});

function listening({ origin, operations }: BrokerProcess) {
  const at = (url: string) => ({ host: '127.0.0.1', port: Number(new URL(url).port) });
  return { listen: at(origin), operations: at(operations) };
}

/** As a kubelet does it: a new folder, a link to it that takes the place of the old one in one step, the old folder gone. */
function configMap(): (file: string, text: string) => Promise<void> {
  let version = 0;
  return async (file, text) => {
    const folder = dirname(file);
    version += 1;
    await mkdir(join(folder, `..v${version}`));
    await writeFile(join(folder, `..v${version}`, 'gatehouse.yaml'), text);
    await symlink(`..v${version}`, join(folder, '..data_tmp'));
    await rename(join(folder, '..data_tmp'), join(folder, '..data'));
    if (version === 1) await symlink('..data/gatehouse.yaml', file);
    await rm(join(folder, `..v${version - 1}`), { recursive: true, force: true });
  };
}

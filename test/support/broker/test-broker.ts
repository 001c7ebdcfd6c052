import { randomBytes } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { approve as approveInBrowser } from '../../../demo/scripted-person.ts';
import { type Broker, createBroker } from '../../../src/broker/broker.ts';
import { createPublicServer } from '../../../src/cli/start/public-server.ts';
import type { Config } from '../../../src/config/config.ts';
import { readConfig } from '../../../src/config/load-config.ts';
import { approvedFacts } from '../../../src/grants/decide/approved-facts.ts';
import { neededClaims } from '../../../src/grants/decide/client-claims.ts';
import { approveGrant, denyGrant } from '../../../src/grants/decide/decide-grant.ts';
import { stillAllowed } from '../../../src/grants/decide/policy.ts';
import type { GrantDeps } from '../../../src/grants/start/start-grant.ts';
import { findByUserCode } from '../../../src/grants/view-grant.ts';
import type { Approval } from '../../../src/ledger/approval.ts';
import { grantedOf } from '../../../src/pages/sign-in/sign-in-facts.ts';
import { keptTokens } from '../../../src/pages/sign-in/upstream-tokens.ts';
import { createLogger } from '../../../src/telemetry/logger.ts';
import { makeSigningKey } from '../../../src/tokens/signing-key-set.ts';
import { openIdUpstream } from '../../../src/upstream/openid-upstream.ts';
import { movableMemory, type TestStore } from '../redis/storage-under-test.ts';
import { type FakeUpstream, startFakeUpstream } from '../upstream/fake-upstream.ts';
import { newTrip, signInThere } from '../upstream/upstream-trip.ts';
import { type AnswerBody, type DeviceIdentity, TestDevice } from './test-device.ts';

/**
 * A whole broker behind a socket of its own: YAML in, HTTP out, time moved by hand. Approvals can go the person's way
 * through the pages, or straight through the domain with a real sign-in at the upstream, which is ten times as fast.
 */
export interface TestBroker {
  broker: Broker;
  /** What the broker calls itself; requests go to `origin`. */
  publicUrl: string;
  origin: string;
  upstream: FakeUpstream;
  store: TestStore;
  /** The configuration as it would stand in the file. */
  yaml: YamlChanges;
  /** What `{ env: NAME }` in the YAML means. */
  environment: Readonly<Record<string, string>>;
  /** The lines that were logged so far. */
  lines: LoggedLine[];
  device(identity?: Partial<DeviceIdentity>): TestDevice;
  /** Approves without pages: signs in at the upstream, decides in the domain. */
  approve(userCode: string, changes?: Partial<Approval>): Promise<void>;
  deny(userCode: string): Promise<void>;
  /** Approves through the pages, as a person without script does. Answers the last page's heading. */
  approveInBrowser(userCode: string, user?: string): Promise<string>;
  /** Start, approve, poll: the first token answer of a device. */
  signIn(
    device?: TestDevice,
    more?: { start?: Record<string, string>; poll?: Record<string, string> },
  ): Promise<AnswerBody>;
  now(): Promise<number>;
  advance(milliseconds: number): Promise<void>;
  /** Puts another configuration in force: the same file with changes. */
  reload(changes: YamlChanges): void;
  close(): Promise<void>;
}

export type LoggedLine = Record<string, unknown> & { event: string };

/** The YAML as an object; sections are merged with the usual ones, one level deep, clients and upstreams two. */
export type YamlChanges = Record<string, unknown> & {
  clients?: Record<string, Record<string, unknown>>;
  upstreams?: Record<string, Record<string, unknown>>;
};

export interface TestBrokerOptions {
  yaml?: YamlChanges;
  /** What `{ env: NAME }` in the YAML means. */
  environment?: Record<string, string>;
  /** Memory with a clock of its own, unless given; whoever gives one closes it. */
  store?: TestStore;
  /** The other process of that store. */
  onReplica?: boolean;
  /** A fake one, unless given; whoever gives one closes it. */
  upstream?: FakeUpstream;
  /** Where another broker of the same installation is; its own address, unless given. */
  publicUrl?: string;
}

export const DEVICE_CLIENT = 'build-cli';

/** Made once for a test file: RSA keys are slow to make. */
let signingKeys: Promise<string> | undefined;

export async function createTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  let handle: RequestListener = (_request, response) => void response.writeHead(503).end();
  const server = createPublicServer(
    (request, response) => handle(request, response),
    (error, socket) => broker.unreadable(error, socket),
  );
  const origin = `http://127.0.0.1:${await listen(server)}`;
  const publicUrl = options.publicUrl ?? origin;
  const store = options.store ?? (await movableMemory());
  const storage = options.onReplica === true ? store.replica : store.storage;
  let aheadMs = 0;
  const clock = () => Date.now() + aheadMs;
  const upstream = options.upstream ?? (await startFakeUpstream({ clock }));
  const environment: Record<string, string> = {
    SEALING_KEY: randomBytes(32).toString('base64url'),
    SIGNING_KEYS: await testSigningKeys(),
    UPSTREAM_SECRET: upstream.clientSecret,
    ...options.environment,
  };
  const usual = usualYaml(publicUrl, upstream, storage.kind === 'redis' ? 'redis' : 'memory');
  const yaml = merged(usual, options.yaml);
  let config: Config = readConfig('test.yaml', JSON.stringify(yaml), environment);
  const lines: LoggedLine[] = [];
  const logger = createLogger(config.log, destinationFor(lines));
  const broker: Broker = await createBroker({ config, storage, logger, clock });
  handle = (request, response) => broker.handle(request, response);

  const at = { origin, publicUrl, now: () => storage.ledger.now() };
  const test: TestBroker = {
    broker,
    publicUrl,
    origin,
    upstream,
    store,
    yaml,
    environment,
    lines,
    device: (identity = {}) => new TestDevice(at, { clientId: DEVICE_CLIENT, ...identity }),
    approve: (userCode, changes) => approve(depsOf(broker, config), { config, clock }, userCode, changes),
    async deny(userCode) {
      const deps = depsOf(broker, config);
      await denyGrant(deps, (await pending(deps, userCode)).grant, 'person', 'test');
    },
    async approveInBrowser(userCode, user = 'alice') {
      return (await approveInBrowser(`${publicUrl}/device`, userCode, user)).heading;
    },
    async signIn(device = test.device(), more = {}) {
      const started = await device.start(more.start);
      if (started.status !== 200) throw new Error(`start: ${started.status} ${started.text}`);
      await test.approve(started.body.user_code);
      const polled = await device.poll(started.body.device_code, more.poll);
      if (polled.status !== 200) throw new Error(`poll: ${polled.status} ${polled.text}`);
      return { ...polled.body, device_code: started.body.device_code };
    },
    now: () => storage.ledger.now(),
    async advance(milliseconds) {
      aheadMs += milliseconds;
      await store.advance(milliseconds);
    },
    reload(changes) {
      config = readConfig('test.yaml', JSON.stringify(merged(usual, changes)), environment);
      broker.reload(config);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      if (options.upstream === undefined) await upstream.close();
      if (options.store === undefined) await store.close();
    },
  };
  return test;
}

function usualYaml(publicUrl: string, upstream: FakeUpstream, driver: 'memory' | 'redis'): YamlChanges {
  return {
    public_url: publicUrl,
    // Only what the configuration says of it; the store itself is handed to the broker.
    storage: driver === 'memory' ? { driver } : { driver, redis: { url: 'redis://127.0.0.1:1' } },
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
      [DEVICE_CLIENT]: {
        name: 'Build CLI',
        signing_alg: 'ES256',
        scopes: { allowed: ['openid', 'profile', 'email', 'offline_access', 'packages:read'], default: ['openid'] },
      },
    },
    limits: { starts_per_source: 0, approvals_per_subject: 0, pending_per_source: 0 },
    log: { level: 'debug' },
  };
}

function merged(usual: YamlChanges, changes: YamlChanges = {}): YamlChanges {
  const all: YamlChanges = { ...usual };
  for (const [name, value] of Object.entries(changes)) {
    const known = all[name];
    if (name === 'clients' || name === 'upstreams') {
      const sections = { ...(known as Record<string, object>) };
      for (const [id, section] of Object.entries(value as Record<string, object | null>)) {
        if (section === null) delete sections[id];
        // A client that a test adds is like the usual one, but for what it says.
        else sections[id] = { ...(sections[id] ?? Object.values(known as Record<string, object>)[0]), ...section };
      }
      all[name] = sections as Record<string, Record<string, unknown>>;
    } else if (isSection(known) && isSection(value)) {
      all[name] = { ...known, ...value };
    } else {
      all[name] = value;
    }
  }
  return all;
}

function isSection(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export async function testSigningKeys(): Promise<string> {
  signingKeys ??= Promise.all([makeSigningKey('RS256', Date.now()), makeSigningKey('ES256', Date.now())]).then((keys) =>
    JSON.stringify({ keys }),
  );
  return signingKeys;
}

function depsOf({ processContext }: Broker, { userCodes }: Config): GrantDeps {
  const { storage, sealing, randomBytes: random } = processContext;
  return { ledger: storage.ledger, sealing, randomBytes: random, userCodes };
}

async function pending(deps: GrantDeps, userCode: string) {
  const view = await findByUserCode(deps, userCode, 'test');
  if (view === undefined) throw new Error(`no pending grant has the code ${userCode}`);
  return view;
}

async function approve(
  deps: GrantDeps,
  { config, clock }: { config: Config; clock: () => number },
  userCode: string,
  changes: Partial<Approval> = {},
) {
  const { grant } = await pending(deps, userCode);
  const client = config.clients.find(({ id }) => id === grant.clientId);
  const [settings] = config.upstreams;
  if (client === undefined || settings === undefined) throw new Error('the configuration has no such client');
  const upstream = openIdUpstream(settings, { clock });
  const trip = newTrip({
    scopes: client.tokens === 'relay' ? grant.scopes : [],
    neededClaims: neededClaims(client, stillAllowed(client, grant).scopes),
  });
  const signIn = await signInThere(upstream, trip);
  const nowMs = await deps.ledger.now();
  const granted = grantedOf(client, grant, signIn.tokens);
  const decided = await approveGrant(
    deps,
    grant,
    {
      upstream: settings.id,
      ...approvedFacts(client, signIn, granted),
      ...stillAllowed(client, grant),
      scopes: granted,
      authTimeSeconds: signIn.authTimeSeconds,
      acr: signIn.acr,
      amr: signIn.amr,
      sid: signIn.sid,
      signedInAtMs: nowMs,
      approvedAtMs: nowMs,
      upstreamTokens: keptTokens(client, signIn.tokens, granted, nowMs),
      ...changes,
    },
    'test',
  );
  if (decided.outcome !== 'decided') throw new Error(`not approved: ${decided.outcome}`);
}

function destinationFor(lines: LoggedLine[]) {
  return {
    write: (line: string) => void lines.push(JSON.parse(line)),
    flush: () => Promise.resolve(),
    linesLost: () => 0,
  };
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

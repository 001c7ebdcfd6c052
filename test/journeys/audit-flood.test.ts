import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

const SECRET = 'shared with the receiver';
/** A receiver that is neither fast nor slow: it writes to a database. */
const TAKES_MS = 20;
const PER_SECOND = 1000;
const FOR_SECONDS = 4;
const SIGN_INS = 5;

interface Told {
  event: string;
  grant?: string;
  count?: number;
  dropped?: unknown;
}

const events: Told[] = [];
const unsigned: string[] = [];
const seen = new Set<string>();
const receiver = createServer((message, response) => void take(message, response));
let upstream: FakeUpstream;
let broker: BrokerProcess;

/** Verifies as Standard Webhooks says, and takes each id once. */
async function take(message: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString();
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = message.headers;
  const right = `v1,${createHmac('sha256', SECRET)
    .update(`${String(id)}.${String(time)}.${body}`)
    .digest('base64')}`;
  const isRight =
    signature?.length === right.length && timingSafeEqual(Buffer.from(String(signature)), Buffer.from(right));
  if (!isRight) unsigned.push(body);
  if (!seen.has(String(id))) events.push(JSON.parse(body));
  seen.add(String(id));
  await delay(TAKES_MS);
  response.writeHead(204).end();
}

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  upstream = await startFakeUpstream();
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/audit`;
  broker = await startBrokerProcess({
    environment: { ...(await sharedSecrets()), UPSTREAM_SECRET: upstream.clientSecret, AUDIT_SECRET: SECRET },
    yaml: brokerYaml(upstream, {
      storage: { driver: 'memory' },
      trusted_proxies: ['127.0.0.1/32'],
      audit: { webhook: { url, secret: { env: 'AUDIT_SECRET' } } },
    }),
  });
});
afterAll(async () => {
  await broker.stop();
  await upstream.close();
  receiver.closeAllConnections();
  receiver.close();
});

/** Nonsense of each kind that anybody may send; each request is refused, with one event. */
const NONSENSE: [method: string, path: string, body: string][] = [
  ['POST', '/token', 'grant_type=refresh_token&refresh_token=x&client_id=nobody'],
  ['POST', '/device_authorization', 'client_id=build-cli&scope=no-such-scope'],
  ['POST', '/device', 'user_code=BBBB-BBBB'],
  ['GET', '/nowhere', ''],
  ['GET', '/callback/corp?state=x&code=y', ''],
];

/** Answers how many were sent; what could not be sent in time is not made up for. */
async function attack(): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const answers: Promise<void>[] = [];
  let sent = 0;
  const until = performance.now() + FOR_SECONDS * 1000;
  while (performance.now() < until) {
    for (let each = 0; each < PER_SECOND / 100; each += 1) answers.push(sendNonsense(agent, sent++));
    await delay(10);
  }
  await Promise.all(answers);
  agent.destroy();
  return sent;
}

function sendNonsense(agent: Agent, index: number): Promise<void> {
  const [method, path, body] = NONSENSE[index % NONSENSE.length] ?? ['GET', '/', ''];
  const headers = {
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': body.length,
    // Some thousand addresses of a botnet.
    'X-Forwarded-For': `10.1.${(index >> 8) & 255}.${index & 255}`,
  };
  return new Promise((resolve, reject) => {
    request(new URL(path, broker.origin), { method, headers, agent }, (response) => {
      response.resume().on('end', resolve);
    })
      .on('error', reject)
      .end(body);
  });
}

async function signIn(): Promise<void> {
  const { origin } = broker;
  const device = new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId: 'build-cli' });
  const { body } = await device.start();
  const page = await approve(`${origin}/device`, body.user_code, 'alice');
  if (page.status !== 200) throw new Error(`${page.status} ${page.heading}`);
  const { status } = await device.poll(body.device_code);
  if (status !== 200) throw new Error(`poll: ${status}`);
}

describe('a thousand hostile requests a second, with sign-ins beside them', () => {
  it('take no event of a sign-in from the webhook, and are all counted', { timeout: 120_000 }, async () => {
    const attacking = attack();
    for (let each = 0; each < SIGN_INS; each += 1) await signIn();
    const sent = await attacking;
    expect(sent).toBeGreaterThan(100);
    // What is under way then is delivered before the process ends.
    expect(await broker.stop()).toBe(0);

    const grants = new Map<string, string[]>();
    for (const { grant, event } of events) {
      if (grant !== undefined) grants.set(grant, [...(grants.get(grant) ?? []), event]);
    }
    const steps = [
      'grant.started',
      'grant.opened',
      'sign_in.started',
      'sign_in.finished',
      'grant.approved',
      'grant.redeemed',
    ];
    expect([...grants.values()].map((each) => each.toSorted())).toEqual(
      Array.from({ length: SIGN_INS }, () => steps.toSorted()),
    );
    const refused = events.filter(({ event }) => /^(client|page|request)\.refused$/.test(event));
    expect(refused.reduce((sum, { count = 0 }) => sum + count, 0)).toBe(sent);
    // The log tells all of them too, in lines that do not grow with what strangers send.
    const logged = broker.lines.filter(({ event }) => /^(client|page|request)\.refused$/.test(event));
    const counted = logged.filter(({ event }) => event !== 'request.refused');
    expect(counted.reduce((sum, line) => sum + Number(line['count'] ?? 1), 0)).toBe(
      refused.filter(({ event }) => event !== 'request.refused').reduce((sum, { count = 0 }) => sum + count, 0),
    );
    expect(logged.length).toBeLessThan(sent / 5);
    expect(events.filter(({ dropped }) => dropped !== undefined)).toEqual([]);
    expect(unsigned).toEqual([]);
  });
});

import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Decision, decide } from '../../demo/scripted-person.ts';
import { openLoopbackListener } from '../../src/cli/login/loopback-listener.ts';
import { Canaries, everythingIn, type Haystack, READABLE_REDIS, watchCommands } from '../support/broker/canary.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceIdentity } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { movableRedis } from '../support/redis/storage-under-test.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

const random = () => randomBytes(18).toString('base64url');
const sealingKey = randomBytes(32).toString('base64url');
const robotSecret = random();
const claims = {
  sub: `subject-${random()}`,
  name: `Alice ${random()}`,
  email: `alice-${random().toLowerCase()}@example.com`,
  groups: [`group-${random()}`],
  department: `department-${random()}`,
  sid: `upstream-session-${random()}`,
};
const upstreamRefreshToken = `upstream-refresh-${random()}`;

/**
 * A copy of everything in Redis, of its command log and of our log at its most talkative holds nothing that anybody
 * could use. Issue by issue more secrets cross the wire: they are learned here by what they are called there.
 */
describe('after whole sign-ins, no secret that crossed the wire is in Redis, its commands or the log', () => {
  const canaries = new Canaries();
  let redis: TestRedis;
  let test: TestBroker;
  let upstream: FakeUpstream;
  let haystacks: Haystack[];

  beforeAll(async () => {
    redis = await startRedisServer(READABLE_REDIS);
    upstream = await startFakeUpstream();
    upstream.person = claims;
    upstream.behaviour = {
      token: { members: { refresh_token: upstreamRefreshToken } },
      idToken: { claims: { sid: claims.sid, email: claims.email, name: claims.name, department: claims.department } },
    };
    const monitor = await watchCommands(redis.url);
    const store = await movableRedis(redis.settings());
    test = await createTestBroker({
      store,
      upstream,
      environment: { SEALING_KEY: sealingKey, ROBOT_SECRET: robotSecret },
      yaml: {
        log: { level: 'trace' },
        clients: {
          'build-cli': { name: 'Build CLI', claims: ['name', 'email', 'groups', 'department'], redelivery: '30s' },
          robot: {
            name: 'Robot',
            authentication: 'client_secret',
            client_secret: { env: 'ROBOT_SECRET' },
            tokens: 'relay',
            relay_id_token: true,
          },
          open: {
            name: 'Open',
            safeguards: { profile: 'open', reverse_code: 'supported' },
            claims: { id_token: ['email'] },
          },
        },
      },
    });
    await signIn({ clientId: 'build-cli' }, {}, 'approve');
    await signIn({ clientId: 'build-cli' }, { device_label: 'Kitchen' }, 'deny');
    await signIn({ clientId: 'build-cli' }, {}, 'report');
    await signIn({ clientId: 'robot', secret: robotSecret }, { scope: 'openid email offline_access' }, 'approve');
    await signIn({ clientId: 'open' }, { confirmation: 'supported' }, 'approve');
    await signInByProof();
    await test.device().start();

    canaries.plant('sealing key', sealingKey);
    canaries.plant('client secret', robotSecret);
    canaries.plant('upstream client secret', upstream.clientSecret);
    canaries.plant('upstream refresh token', upstreamRefreshToken);
    for (const [name, value] of Object.entries(claims)) canaries.plant(`claim ${name}`, String(value));
    for (const { form, headers } of upstream.requests) {
      for (const name of ['code', 'code_verifier', 'refresh_token', 'token']) {
        const value = form.get(name);
        if (value !== null) canaries.plant(`upstream ${name}`, value);
      }
      const [, token] = /^Bearer (.+)$/.exec(String(headers['authorization'])) ?? [];
      if (token !== undefined) canaries.plant('upstream access token', token);
    }
    for (const key of await privateSigningKeys()) canaries.plant('private signing key', key);
    // Who approved is what an audit line is for; these two fields, and no other, say it.
    const lines = test.lines.map(({ account: _account, subject: _subject, ...line }) => line);
    const log = { name: 'the log', text: Buffer.from(JSON.stringify(lines)).toString('latin1') };
    haystacks = [...(await everythingIn(redis.url)), monitor.seen(), log];
    monitor.stop();
  });
  afterAll(async () => {
    await test.close();
    await test.store.close();
    await upstream.close();
    await redis.stop();
  });

  async function signIn(
    identity: DeviceIdentity,
    parameters: Record<string, string>,
    decision: NonNullable<Decision['decision']>,
  ): Promise<void> {
    const device = test.device(identity);
    const { body } = await device.start(parameters);
    canaries.learnAnswer(body);
    await device.poll(body.device_code);
    const address = { verificationUri: `${test.publicUrl}/device`, userCode: body.user_code, user: 'alice', decision };
    const page = await decide(address, { fetch: canaries.fetch });
    const code =
      parameters['confirmation'] === undefined
        ? undefined
        : /\b(\d{4})\b/.exec(page.html.replace(/<[^>]*>/g, ' '))?.[1];
    await test.advance(6000);
    const polled = await device.poll(body.device_code, code === undefined ? {} : { confirmation_code: code });
    expect(polled.status, polled.text).toBe(decision === 'approve' ? 200 : 400);
    canaries.learnAnswer(polled.body);
    // Once more, as a device that lost the answer does.
    canaries.learnAnswer((await device.poll(body.device_code)).body);
  }

  /** The browser takes the proof to the device, which sends a wrong one first. */
  async function signInByProof(): Promise<void> {
    const listener = await openLoopbackListener();
    if (listener === undefined) throw new Error('nothing may listen here');
    listener.returnTo(test.publicUrl);
    const device = test.device();
    const { port, path: loopback_path } = listener;
    const { body } = await device.start({ confirmation: 'loopback', loopback_port: String(port), loopback_path });
    canaries.learnAnswer(body);
    const address = { verificationUri: `${test.publicUrl}/device`, userCode: body.user_code, user: 'alice' };
    await decide(address, { fetch: canaries.fetch });
    const wrong = randomBytes(16).toString('base64url');
    canaries.plant('wrong proof', wrong);
    await device.poll(body.device_code, { confirmation_code: wrong });
    const polled = await device.poll(body.device_code, { confirmation_code: listener.take() ?? '' });
    listener.close();
    expect(polled.status, polled.text).toBe(200);
    canaries.learnAnswer(polled.body);
  }

  async function privateSigningKeys(): Promise<string[]> {
    const { keys } = JSON.parse(test.environment['SIGNING_KEYS'] ?? '{}') as { keys: { d: string }[] };
    return keys.map(({ d }) => d);
  }

  it('every kind of secret was learned', () => {
    const expected = [
      'claim email',
      'claim sub',
      'client secret',
      'code in an address',
      'device access_token',
      'device device_code',
      'device id_token',
      'device refresh_token',
      'device user_code',
      'nonce in an address',
      'private signing key',
      'proof in an address',
      'sealing key',
      'session id in cookie',
      'state in an address',
      'upstream client secret',
      'upstream code_verifier',
      'upstream refresh token',
    ];
    const known = canaries.names;
    expect(expected.filter((name) => !known.some((each) => each.startsWith(name)))).toEqual([]);
  });

  it('everything was looked at: grants, decisions, sessions, indexes, commands, log lines', () => {
    const names = haystacks.map(({ name }) => name).join('\n');
    for (const part of [
      ':grant',
      ':decision',
      ':spent',
      ':session',
      ':refresh',
      ':opened',
      'subject:',
      'code:',
      '.aof',
    ]) {
      expect(names, part).toContain(part);
    }
    const textOf = (name: string) => haystacks.find((haystack) => haystack.name === name)?.text ?? '';
    expect(textOf('MONITOR')).toMatch(/"evalsha"/i);
    expect(textOf('the log')).toContain('grant.redeemed');
  });

  it('no secret is found, in any form', () => {
    expect(canaries.hits(haystacks)).toEqual([]);
  });

  it('with the sealing key too: no code, cookie, token or claim opens but what the list of devices needs', async () => {
    const { sealing } = test.broker.processContext;
    const opened: Haystack[] = [];
    for (const { name, text } of haystacks) {
      for (const [sealed] of text.matchAll(/eyJ[\w-]*\.[\w-]*\.[\w-]+\.[\w-]+\.[\w-]+/g)) {
        const { ctx } = JSON.parse(Buffer.from(sealed.split('.')[0] ?? '', 'base64url').toString()) as { ctx?: string };
        const content = await sealing.open(sealed, ctx ?? '').catch(() => undefined);
        if (content !== undefined) opened.push({ name: `what opens of ${name}`, text: JSON.stringify(content) });
      }
    }
    expect(opened.map(({ name }) => name).join()).toContain(':session');
    const hits = canaries.hits(opened);
    // A person looks at their devices, an administrator ends them, a logout finds them: whose they are must be readable.
    expect(hits.filter((hit) => !/^claim (sub|email|sid),/.test(hit))).toEqual([]);
    expect(hits.length).toBeGreaterThan(0);
  });

  it('one that is put there is found', () => {
    const planted = { name: 'planted', text: `x${Buffer.from(`..${claims.email}..`).toString('base64url')}` };
    expect(canaries.hits([...haystacks, planted])).toHaveLength(1);
  });
});

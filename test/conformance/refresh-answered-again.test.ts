import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceAnswer } from '../support/broker/test-device.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const A = 'https://a.example.com';
const B = 'https://b.example.com';

/** A refresh token that comes again after its exchange: a lost answer, or somebody else's copy. */
describe('an answer to a refresh that is given again', () => {
  let test: TestBroker;
  const open = async (client: Record<string, unknown> = {}, yaml: Record<string, unknown> = {}) => {
    await test?.close();
    test = await createTestBroker({
      yaml: {
        ...yaml,
        clients: {
          'build-cli': {
            scopes: { allowed: ['openid', 'profile', 'packages:read'], default: ['openid', 'packages:read'] },
            resources: [A, B],
            ...client,
          },
        },
      },
    });
  };
  beforeEach(() => open());
  afterEach(async () => {
    await test.close();
    test = undefined as never;
  });

  const signIn = () => test.signIn(test.device(), { start: { resource: [A, B] } as never });
  const ends = () => test.lines.filter(({ event }) => event === 'session.ended').map(({ by }) => by);
  const claimsOf = ({ body }: DeviceAnswer) => decodeJwt(body.access_token);
  const refused = { status: 400, body: { error: 'invalid_grant' } };

  it.each([
    ['a scope that was not approved', { scope: 'openid profile' }, 'invalid_scope'],
    ['a resource that was not approved', { resource: 'https://c.example.com' }, 'invalid_target'],
    ['a scope that nobody knows', { scope: 'admin' }, 'invalid_scope'],
  ])('%s gets the same error before and after the exchange, and no token', async (_what, wish, error) => {
    const { refresh_token: token } = await signIn();
    const before = await test.device().refresh(token, wish);
    const exchanged = await test.device().refresh(token);
    expect(exchanged.status).toBe(200);
    const after = await test.device().refresh(token, wish);
    expect([before, after].map(({ status, body }) => [status, body.error])).toEqual(Array(2).fill([400, error]));
    expect(after.text).toBe(before.text);
    expect((await test.device().refresh(exchanged.body.refresh_token)).status).toBe(200);
  });

  it('a refused wish costs as many steps of the storage whether the token is fresh, old, or exchanged already', async () => {
    const { ledger } = test.store.storage;
    const stepsOf = async (token: string) => {
      const spies = (['read', 'commit', 'marks', 'now', 'lease', 'raise'] as const).map((verb) =>
        vi.spyOn(ledger, verb),
      );
      expect((await test.device().refresh(token, { scope: 'admin' })).body.error).toBe('invalid_scope');
      const steps = spies.map((spy) => spy.mock.calls.length);
      vi.restoreAllMocks();
      return steps;
    };
    const { refresh_token: first } = await signIn();
    const steps = [await stepsOf(first)];
    const { refresh_token: second } = (await test.device().refresh(first)).body;
    steps.push(await stepsOf(first));
    steps.push(await stepsOf(second));
    await test.advance(5 * MINUTE);
    steps.push(await stepsOf(second));
    expect(new Set(steps.map(String)).size).toBe(1);
    expect(steps[0]?.[1]).toBeGreaterThan(1);
  });

  it('a narrower scope or another resource gets a token of its own, with its whole life and the same successor', async () => {
    const { refresh_token: token } = await signIn();
    const whole = await test.device().refresh(token);
    await test.advance(10 * SECOND);
    const narrow = await test.device().refresh(token, { scope: 'packages:read' });
    const other = await test.device().refresh(token, { resource: B });
    expect([narrow, other].map(({ body }) => body['expires_in'])).toEqual([600, 600]);
    expect(new Set([whole, narrow, other].map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(claimsOf(narrow)).toMatchObject({ scope: 'packages:read', aud: [A, B] });
    expect(narrow.body).not.toHaveProperty('id_token');
    expect(claimsOf(other)).toMatchObject({ scope: 'openid packages:read', aud: B });
    expect(new Set([whole, narrow, other].map((answer) => claimsOf(answer).jti)).size).toBe(3);
    expect((await test.device().refresh(whole.body.refresh_token)).status).toBe(200);
  });

  it('is equal however the same was asked for: all by name, in another order', async () => {
    const { refresh_token: token } = await signIn();
    const first = await test.device().refresh(token);
    await test.advance(5 * SECOND);
    const again = await test.device().refresh(token, { scope: 'packages:read openid', resource: [B, A] });
    expect(again.body['expires_in']).toBe(595);
    expect(claimsOf(again).jti).toBe(claimsOf(first).jti);
  });

  it('carries a token that can be used: where next to nothing is left of the first, it is a new one', async () => {
    await open({ refresh_grace: '10m', lifetimes: { access_token: '1m' } });
    const { refresh_token: token } = await signIn();
    const first = await test.device().refresh(token);
    await test.advance(45 * SECOND);
    const again = await test.device().refresh(token);
    expect(again.body['expires_in']).toBe(60);
    expect(claimsOf(again).jti).not.toBe(claimsOf(first).jti);
    expect(again.body.refresh_token).toBe(first.body.refresh_token);
  });

  it('claims that only userinfo has are there for it too', async () => {
    await open({ claims: { id_token: ['email'], access_token: [] } });
    const { refresh_token: token } = await signIn();
    const answers = [await test.device().refresh(token), await test.device().refresh(token)];
    answers.push(await test.device().refresh(token, { resource: B }));
    for (const { body } of answers) {
      const userinfo = await test.device().send('/userinfo', {
        headers: { authorization: `Bearer ${body.access_token}` },
      });
      expect(userinfo.body['email']).toBe('alice@example.com');
    }
  });

  describe('refresh_grace', () => {
    it('is 30 s, then the same token ends the session', async () => {
      const { refresh_token: token } = await signIn();
      const { body } = await test.device().refresh(token);
      await test.advance(31 * SECOND);
      expect(await test.device().refresh(token)).toMatchObject(refused);
      expect(await test.device().refresh(body.refresh_token)).toMatchObject(refused);
      expect(ends()).toEqual(['reuse']);
    });

    it('can be up to ten minutes: a laptop that slept over its answer', async () => {
      await open({ refresh_grace: '10m' });
      const { refresh_token: token } = await signIn();
      const lost = await test.device().refresh(token);
      await test.advance(9 * MINUTE);
      const again = await test.device().refresh(token);
      expect([again.status, again.body.refresh_token]).toEqual([200, lost.body.refresh_token]);
      expect((await test.device().refresh(again.body.refresh_token)).status).toBe(200);
      expect(ends()).toEqual([]);
    });

    it.each<[string, (token: string) => Promise<unknown>]>([
      ['was exchanged', (token) => test.device().refresh(token)],
      ['was shown with a scope that was refused', (token) => test.device().refresh(token, { scope: 'admin' })],
      [
        'was shown while the upstream was away',
        (token) => {
          test.upstream.behaviour = { refresh: { trouble: 'status_503' } };
          test.reload({ upstreams: { corp: { tolerance: '0s' } }, clients: { 'build-cli': { refresh_grace: '10m' } } });
          return test.device().refresh(token);
        },
      ],
    ])('ends where its successor %s: no answer was lost', async (_what, show) => {
      await open({ refresh_grace: '10m' });
      const { refresh_token: token } = await signIn();
      const { body } = await test.device().refresh(token);
      await test.advance(SECOND);
      await show(body.refresh_token);
      expect(await test.device().refresh(token)).toMatchObject(refused);
      expect(ends()).toEqual(['reuse']);
    });
  });

  describe('wishes that are refused', () => {
    it('nine within one access token’s life are a mistake, the tenth ends the session', async () => {
      const { refresh_token: token } = await signIn();
      for (let tries = 1; tries <= 9; tries += 1) {
        const wish = tries % 2 === 0 ? { scope: 'admin' } : { resource: 'https://c.example.com' };
        expect((await test.device().refresh(token, wish)).body.error).toMatch(/^invalid_(scope|target)$/);
        await test.advance(25 * SECOND);
      }
      expect(ends()).toEqual([]);
      expect(await test.device().refresh(token, { scope: 'admin' })).toMatchObject(refused);
      expect(ends()).toEqual(['refused_wishes']);
      expect(await test.device().refresh(token)).toMatchObject(refused);
    });

    it('are forgotten after that life', async () => {
      const { refresh_token: token } = await signIn();
      for (let tries = 1; tries <= 20; tries += 1) {
        expect((await test.device().refresh(token, { scope: 'admin' })).body.error).toBe('invalid_scope');
        await test.advance(70 * SECOND);
      }
      expect((await test.device().refresh(token)).status).toBe(200);
    });

    it('a burst buys no more than one at a time does', async () => {
      const { refresh_token: token } = await signIn();
      const burst = Array.from({ length: 60 }, () => test.device().refresh(token, { scope: 'admin' }));
      const errors = (await Promise.all(burst)).map(({ body }) => body.error);
      expect(errors.filter((error) => error === 'invalid_scope')).toHaveLength(9);
      expect(ends()).toEqual(['refused_wishes']);
    });
  });

  it('a thief who asks every 25 s for what was not approved does not follow the session', async () => {
    const { refresh_token: stolen } = await signIn();
    let device = stolen;
    const got: DeviceAnswer[] = [];
    for (let second = 0; second < 20 * 60 && ends().length === 0; second += 25) {
      if (second % 500 === 0) device = (await test.device().refresh(device)).body.refresh_token ?? device;
      got.push(await test.device().refresh(stolen, { scope: 'openid admin' }));
      await test.advance(25 * SECOND);
    }
    expect(got.filter(({ status }) => status === 200)).toEqual([]);
    expect(ends()).toHaveLength(1);
  });

  describe('to another network', () => {
    const behindProxy = { trusted_proxies: ['127.0.0.1/32'] };
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const shared = () => test.lines.filter(({ event }) => event === 'session.shared');

    it.each([
      ['off', 0, 200, []],
      ['warn', 1, 200, []],
      ['require', 1, 400, ['other_network']],
    ] as const)('refresh_network: %s', async (mode, told, status, by) => {
      await open({ safeguards: { profile: 'open', refresh_network: mode } }, behindProxy);
      const { refresh_token: token } = await signIn();
      const first = await test.device().refresh(token, {}, from('203.0.113.7'));
      expect((await test.device().refresh(token, {}, from('203.0.113.99'))).status).toBe(200);
      expect(shared()).toHaveLength(0);
      expect((await test.device().refresh(token, {}, from('198.51.100.1'))).status).toBe(status);
      expect(shared()).toHaveLength(told);
      if (told > 0) expect(shared()[0]).toMatchObject({ source: '198.51.100.1', firstSource: '203.0.113.7' });
      const counted = /^gatehouse_sessions_shared_total\{client="build-cli"\} (\d+)$/m;
      const { body: metrics } = await test.broker.processContext.metrics.text();
      expect(Number(counted.exec(metrics)?.[1] ?? 0)).toBe(told);
      expect(ends()).toEqual(by);
      expect((await test.device().refresh(first.body.refresh_token)).status).toBe(status);
    });

    it('session.refreshed says from where, and whether it was an exchange or an answer given again', async () => {
      await open({}, behindProxy);
      const { refresh_token: token } = await signIn();
      await test.device().refresh(token, {}, from('203.0.113.7'));
      await test.device().refresh(token, {}, from('203.0.113.8'));
      const lines = test.lines.filter(({ event }) => event === 'session.refreshed');
      expect(lines).toMatchObject([
        { outcome: 'exchanged', source: '203.0.113.7' },
        { outcome: 'answered_again', source: '203.0.113.8', firstSource: '203.0.113.7' },
      ]);
    });
  });
});

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ASSERTION_TYPE, type ClientKey, newClientKey } from '../support/broker/client-key.ts';
import { basic } from '../support/broker/device-clients.ts';
import { pipelinedBurst } from '../support/broker/pipelined-burst.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT, type DeviceAnswer } from '../support/broker/test-device.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { movableMemory, movableRedis } from '../support/redis/storage-under-test.ts';

const MINUTE = 60 * 1000;
const SECRET = 'robot secret+with/signs%41&é';
const HOME = '203.0.113.7';
const NEIGHBOUR = '203.0.113.8';
const ELSEWHERE = '198.51.100.20';

let redis: Awaited<ReturnType<typeof redisForTests>>;
beforeAll(async () => {
  redis = await redisForTests();
});
afterAll(() => redis.stop());

const drivers = [
  ['memory', movableMemory],
  ['Redis', () => movableRedis(redis.settings())],
] as const;

describe.each(drivers)(
  'RFC 6749 §2.3.1, guessing the secrets of clients, on %s',
  { timeout: 60_000 },
  (_driver, openStore) => {
    let test: TestBroker;
    let key: ClientKey;
    beforeEach(async () => {
      key = await newClientKey();
      test = await createTestBroker({
        store: await openStore(),
        environment: { SECRET },
        yaml: {
          trusted_proxies: ['127.0.0.1/32'],
          clients: {
            robot: { client_secret: { env: 'SECRET' } },
            twin: { client_secret: { env: 'SECRET' } },
            'post-robot': { authentication: 'client_secret_post', client_secret: { env: 'SECRET' } },
            signer: { jwks: { keys: [key.jwk] } },
          },
          resource_servers: { packages: { audience: 'https://packages.example', client_secret: { env: 'SECRET' } } },
          networks: { oslo: { cidrs: ['192.0.2.0/24'], factor: 3 } },
        },
      });
    });
    afterEach(async () => {
      await test.close();
      await test.store.close();
    });

    async function ask(path: string, form: Record<string, string>, from = HOME, headers: Record<string, string> = {}) {
      const body = new URLSearchParams({
        ...(path === '/token' && { grant_type: DEVICE_CODE_GRANT, device_code: 'made-up' }),
        ...(path !== '/device_authorization' && { token: 'made-up' }),
        ...form,
      });
      return test.device().send(path, { method: 'POST', headers: { 'x-forwarded-for': from, ...headers }, body });
    }
    const guess = (n: number, from = HOME, name = 'robot', path = '/token') =>
      ask(path, { client_id: name, client_secret: `guess-number-${n}` }, from);
    const right = (from: string, name = 'robot', path = '/device_authorization') =>
      ask(path, { client_id: name, client_secret: SECRET }, from).then(({ status }) => status);
    const many = (count: number, each: (n: number) => Promise<DeviceAnswer>) =>
      Promise.all(Array.from({ length: count }, (_, n) => each(n)));
    const judged = (answers: readonly DeviceAnswer[]) => answers.filter(({ status }) => status === 401).length;

    it('of a thousand at once from one address twenty are judged; honest ones elsewhere are served meanwhile', async () => {
      const form = { grant_type: DEVICE_CODE_GRANT, device_code: 'made-up', client_id: 'robot' };
      const burst = pipelinedBurst(
        test.origin,
        Array.from({ length: 1000 }, (_, n) => ({
          path: '/token',
          form: { ...form, client_secret: `guess-number-${n}` },
          headers: { 'X-Forwarded-For': HOME },
        })),
      );
      expect(await right(ELSEWHERE)).toBe(200);
      const answers = await burst;
      expect(answers.filter(({ status }) => status === 401)).toHaveLength(20);
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(980);
      const refused = answers.find(({ status }) => status === 429);
      expect(JSON.parse(refused?.body ?? '')).toMatchObject({
        error: 'invalid_client',
        error_description: expect.any(String),
      });
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(500);
      expect(refused?.headers.get('cache-control')).toBe('no-store');

      // The right one would tell the guesser, so it is refused there too, and nowhere else; nor is another client.
      expect(await right(HOME)).toBe(429);
      expect([await right(NEIGHBOUR), await right(ELSEWHERE), await right(HOME, 'twin')]).toEqual([200, 200, 200]);
      expect((await ask('/device_authorization', { client_id: 'build-cli' })).status).toBe(200);
    });

    it('the budget is one for all endpoints and both ways of sending a secret, and comes back with time alone', async () => {
      const paths = ['/token', '/device_authorization', '/revoke', '/introspect'];
      const answers = await many(40, (n) =>
        n % 2 === 0
          ? guess(n, HOME, 'robot', paths[n % 4])
          : ask(paths[n % 4] as string, {}, HOME, { authorization: basic('robot', `guess-number-${n}`) }),
      );
      expect(judged(answers)).toBe(20);
      for (const path of paths) expect(await right(HOME, 'robot', path)).toBe(429);
      await test.advance(5 * MINUTE);
      expect(await right(HOME)).toBe(429);
      await test.advance(5 * MINUTE + 1000);
      expect(await right(HOME)).toBe(200);
      expect(judged(await many(40, (n) => guess(n)))).toBe(20);
    });

    it('a right secret neither costs a try nor gives one back', async () => {
      for (let n = 0; n < 40; n += 1) expect(await right(HOME)).toBe(200);
      expect(judged(await many(19, (n) => guess(n)))).toBe(19);
      for (let n = 0; n < 10; n += 1) expect(await right(HOME)).toBe(200);
      expect(judged(await many(10, (n) => guess(n)))).toBe(1);
    });

    it('a resource server’s secret has the same limit at introspection', async () => {
      expect(await right(HOME, 'packages', '/introspect')).toBe(200);
      const answers = await many(60, (n) => guess(n, HOME, 'packages', '/introspect'));
      expect(judged(answers)).toBe(20);
      expect(await right(HOME, 'packages', '/introspect')).toBe(429);
      expect(await right(ELSEWHERE, 'packages', '/introspect')).toBe(200);
    });

    it('a name that nobody has is answered like one that somebody has', async () => {
      const told = async (name: string) => {
        const answers: DeviceAnswer[] = [];
        for (let n = 0; n < 25; n += 1) answers.push(await guess(n, HOME, name));
        return answers.map(({ status, text, headers }) => [status, text, [...headers.keys()].join()]);
      };
      expect(await told('nobody')).toEqual(await told('robot'));
    });

    it('a whole /24 has ten times as many, and a named network its factor', async () => {
      const network = await many(300, (n) => guess(n, `203.0.113.${n % 100}`));
      expect(judged(network)).toBe(200);
      expect(judged(await many(100, (n) => guess(n, '192.0.2.9')))).toBe(60);
    });

    it('from many addresses: beyond the total one failure closes an address, and all others are served', async () => {
      test.reload({
        ...test.yaml,
        limits: { failed_authentications_per_source: 5, failed_authentications_per_client: 12 },
      });
      const answers = await many(100, (n) => guess(n, `2001:db8:${n % 10}::1`));
      // Twelve, and then one for each of those addresses that had none among the twelve.
      expect(judged(answers)).toBeLessThanOrEqual(12 + 10);
      expect(await right(ELSEWHERE)).toBe(200);
      expect([(await guess(1, ELSEWHERE)).status, await right(ELSEWHERE)]).toEqual([401, 429]);
      expect([await right(NEIGHBOUR), await right(HOME, 'twin')]).toEqual([200, 200]);
    });

    it('the right secret by a method that the client does not have is refused, and no guess: some send both', async () => {
      for (let n = 0; n < 50; n += 1) {
        expect((await ask('/token', {}, HOME, { authorization: basic('post-robot', SECRET) })).status).toBe(401);
      }
      expect(await right(HOME, 'post-robot')).toBe(200);
    });

    it('no secret, and an empty one, are no guesses', async () => {
      for (let n = 0; n < 30; n += 1) {
        expect((await ask('/token', { client_id: 'robot' })).status).toBe(401);
        expect((await ask('/token', {}, HOME, { authorization: basic('robot', '') })).status).toBe(401);
      }
      expect(await right(HOME)).toBe(200);
    });

    describe('private_key_jwt', () => {
      const signed = async (by: ClientKey, claims: Record<string, unknown> = {}, from = HOME) =>
        ask(
          '/device_authorization',
          {
            client_assertion_type: ASSERTION_TYPE,
            client_assertion: await by.assertion({
              ...{ clientId: 'signer', audience: test.publicUrl, nowMs: await test.now() },
              claims,
            }),
          },
          from,
        );

      it('assertions that another key has signed are counted, and then not even looked at', async () => {
        const other = await newClientKey();
        expect(judged(await many(60, () => signed(other)))).toBe(20);
        expect([(await signed(key)).status, (await signed(key, {}, ELSEWHERE)).status]).toEqual([429, 200]);
      });

      it('garbage that names a client is counted as its own', async () => {
        const garbage = { client_id: 'signer', client_assertion_type: ASSERTION_TYPE, client_assertion: 'x.y.z' };
        expect(judged(await many(60, () => ask('/token', garbage)))).toBe(20);
      });

      it('what the client itself has signed, late or for somebody else, is refused and no guess', async () => {
        for (let n = 0; n < 30; n += 1) expect((await signed(key, { aud: 'https://other.example' })).status).toBe(401);
        const late = Math.floor((await test.now()) / 1000) - 600;
        for (let n = 0; n < 30; n += 1) expect((await signed(key, { exp: late })).status).toBe(401);
        expect((await signed(key)).status).toBe(200);
      });
    });

    it('0 switches each limit off', async () => {
      test.reload({
        ...test.yaml,
        limits: { failed_authentications_per_source: 0, failed_authentications_per_client: 0 },
      });
      expect(judged(await many(100, (n) => guess(n)))).toBe(100);
      expect(await right(HOME)).toBe(200);
    });

    it('the log has the client and the source of a refusal, and its limit', async () => {
      await many(21, (n) => guess(n));
      const last = test.lines.findLast(({ event }) => event === 'client.refused');
      expect(last).toMatchObject({ source: HOME, route: '/token', detail: 'failed_authentications_per_source' });
    });
  },
);

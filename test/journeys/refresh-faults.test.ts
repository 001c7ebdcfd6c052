import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Change, type Ledger, StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type TcpProxy, tcpProxy } from '../support/redis/tcp-proxy.ts';

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

describe('Redis fails in the midst of it', () => {
  let proxy: TcpProxy;
  let test: TestBroker;
  /** Called right before a redemption or an exchange goes out. */
  let beforeWrite: () => void;
  /** Which verbs get no answer just now. */
  let failing: (verb: string) => boolean;
  beforeEach(async () => {
    proxy = await tcpProxy(redis.port);
    beforeWrite = () => undefined;
    const settings = redis.settings({ at: { url: `redis://127.0.0.1:${proxy.port}` } });
    const real = redisStorage(settings, { waitMs: 1000 });
    await real.open();
    failing = () => false;
    const watch = (verb: string) => {
      if (failing(verb)) throw new StorageUnavailableError('as if Redis were away');
    };
    const storage = { ...real, ledger: spied(real.ledger, () => beforeWrite(), watch) };
    const store = { storage, replica: storage, advance: async () => undefined, close: () => real.close() };
    test = await createTestBroker({ store });
  });
  afterEach(async () => {
    await test.close();
    await test.store.close();
    await proxy.close();
  });

  const upstreamRefreshes = () =>
    test.upstream.requestsTo('/token').filter(({ form }) => form.get('grant_type') === 'refresh_token').length;
  const once = (fault: () => void) => {
    beforeWrite = () => {
      beforeWrite = () => undefined;
      fault();
    };
  };

  it('the reply to a redemption is lost: the device gets its tokens all the same, and they work', async () => {
    const { body } = await test.device().start();
    await test.approve(body.user_code);
    once(() => proxy.cutBeforeNextReply());
    const answer = await test.device().poll(body.device_code);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    expect((await test.device().refresh(answer.body.refresh_token)).status).toBe(200);
  });

  it('the reply to a rotation is lost: the same, and the upstream was asked once', async () => {
    const { refresh_token: token } = await test.signIn();
    once(() => proxy.cutBeforeNextReply());
    const answer = await test.device().refresh(token);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    expect((await test.device().refresh(answer.body.refresh_token)).status).toBe(200);
    expect(upstreamRefreshes()).toBe(2);
  });

  it('Redis hangs once the upstream has answered: 503, and a retry gets the tokens of that answer', async () => {
    const { refresh_token: token } = await test.signIn();
    once(() => redis.freeze());
    expect((await test.device().refresh(token)).status).toBe(503);
    redis.thaw();
    const answer = await test.device().refresh(token);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    expect(upstreamRefreshes()).toBe(1);
    expect((await test.device().refresh(answer.body.refresh_token)).status).toBe(200);
  });

  it('a write fails once the upstream has answered: who comes next waits for it, and spends no token there twice', async () => {
    const { refresh_token: token } = await test.signIn();
    once(() => {
      throw new StorageUnavailableError('as if Redis had not answered');
    });
    expect((await test.device().refresh(token)).status).toBe(503);
    const answer = await test.device().refresh(token);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    // The first answer was nobody's: the device's own token is as good as before, and the upstream's is the new one.
    const spent = test.upstream.requestsTo('/token').map(({ form }) => form.get('refresh_token'));
    expect(new Set(spent).size).toBe(spent.length);
    expect((await test.device().refresh(answer.body.refresh_token)).status).toBe(200);
  });

  it.each([
    // Nothing else needs it.
    ['its clock', ['now'], 200],
    ['the marks', ['marks'], 503],
    ['the write', ['commit'], 503],
    ['anything', ['now', 'marks', 'commit', 'read', 'lease', 'release'], 503],
  ])(
    '%s cannot be had from the moment the upstream has rotated its token: nothing is lost',
    async (_, verbs, status) => {
      const { refresh_token: token } = await test.signIn();
      let isAway = true;
      failing = (verb) => isAway && upstreamRefreshes() > 0 && verbs.includes(verb);
      const away = await test.device().refresh(token);
      isAway = false;
      expect(away.status).toBe(status);
      let next = status === 200 ? away.body.refresh_token : token;
      for (let turn = 0; turn < 2; turn += 1) {
        const answer = await test.device().refresh(next);
        expect([answer.status, answer.text]).toEqual([200, answer.text]);
        next = answer.body.refresh_token;
      }
      expect(test.lines.filter(({ event }) => event === 'session.ended')).toEqual([]);
    },
  );

  it('Redis is away: 503 with Retry-After, and the token is still good', async () => {
    const { refresh_token: token } = await test.signIn();
    redis.freeze();
    const away = await test.device().refresh(token);
    redis.thaw();
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await test.device().refresh(token)).status).toBe(200);
  });
});

function spied(ledger: Ledger, beforeWrite: () => void, watch: (verb: string) => void): Ledger {
  return new Proxy(ledger, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]) => {
        const [change] = args as [Partial<Change> | undefined];
        try {
          const isWatched = (change?.writes?.length ?? 0) > 1 || change?.replaces !== undefined;
          if (name === 'commit' && isWatched) beforeWrite();
          watch(String(name));
        } catch (error) {
          return Promise.reject(error as Error);
        }
        return (value as (...all: unknown[]) => unknown).apply(target, args);
      };
    },
  });
}

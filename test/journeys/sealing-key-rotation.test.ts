import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { setMark } from '../../src/grants/revocation-marks.ts';
import { createSealing } from '../../src/sealing/sealing.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { movableRedis, type TestStore } from '../support/redis/storage-under-test.ts';
import { startFakeUpstream } from '../support/upstream/fake-upstream.ts';

const OLD = randomBytes(32).toString('base64url');
const NEW = randomBytes(32).toString('base64url');

let redis: TestRedis;
beforeAll(async () => {
  redis = await startRedisServer();
});
afterAll(() => redis.stop());

/** Two replicas behind one address that takes them in turn, each of which can be restarted with other sealing keys. */
async function openFarm() {
  const store: TestStore = await movableRedis(redis.settings());
  let turn = 0;
  const replicas: TestBroker[] = [];
  const front = createServer((request, response) => {
    turn += 1;
    replicas[turn % replicas.length]?.broker.handle(request, response);
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  const publicUrl = `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
  const upstream = await startFakeUpstream();

  const start = (onReplica: boolean, keys: readonly string[]) =>
    createTestBroker({
      ...{ store, onReplica, publicUrl, upstream },
      environment: { KEY_0: keys[0] ?? '', KEY_1: keys[1] ?? '' },
      yaml: { keys: { sealing: keys.map((_, index) => ({ env: `KEY_${index}` })) } },
    });

  return {
    store,
    publicUrl,
    replicas,
    async restart(which: 0 | 1, ...keys: string[]) {
      const before = replicas[which];
      replicas[which] = await start(which === 1, keys);
      await before?.close();
    },
    device: (identity = {}) =>
      new TestDevice(
        { origin: publicUrl, publicUrl, now: () => store.storage.ledger.now() },
        { clientId: 'build-cli', ...identity },
      ),
    async close() {
      front.closeAllConnections();
      front.close();
      for (const replica of replicas) await replica.close();
      await upstream.close();
      await store.close();
    },
  };
}

/** One roll-out after the other, as the operations guide says it: append, then move first, then drop. */
const ROLL_OUTS: [0 | 1, string[]][] = [
  [0, [OLD, NEW]],
  [1, [OLD, NEW]],
  [0, [NEW, OLD]],
  [1, [NEW, OLD]],
];

describe('sealing keys rotate in two roll-outs', () => {
  let farm: Awaited<ReturnType<typeof openFarm>>;
  afterEach(() => farm.close());

  it('and no grant or session is lost, whichever replica a request meets', async () => {
    farm = await openFarm();
    await farm.restart(0, OLD);
    await farm.restart(1, OLD);
    const replica = () => farm.replicas[0] as TestBroker;
    const codes: { device_code: string; user_code: string }[] = [];
    const approved: { device_code: string }[] = [];
    const tokens: string[] = [];
    const dpop = farm.device({ dpop: await newDpopKey() });

    const step = async () => {
      // What the last step started goes on at whichever replica comes next.
      for (const code of codes.splice(0)) {
        expect((await farm.device().poll(code.device_code)).body.error).toBe('authorization_pending');
        await replica().approve(code.user_code);
        approved.push(code);
      }
      for (const code of approved.splice(0, approved.length / 2)) {
        const answer = await farm.device().poll(code.device_code);
        expect([answer.status, answer.text]).toEqual([200, answer.text]);
        tokens.push(answer.body.refresh_token);
      }
      for (const [index, token] of tokens.entries()) {
        const answer = await farm.device().refresh(token);
        expect([answer.status, answer.text]).toEqual([200, answer.text]);
        tokens[index] = answer.body.refresh_token;
      }
      for (let n = 0; n < 3; n += 1) codes.push((await farm.device().start()).body);
      const inBrowser = (await farm.device().start()).body;
      await replica().approveInBrowser(inBrowser.user_code);
      const redeemed = await farm.device().poll(inBrowser.device_code);
      expect([redeemed.status, redeemed.text]).toEqual([200, redeemed.text]);
      // A nonce from one replica is good at the other.
      const { device_code: code } = (await dpop.start()).body;
      const skewed = await dpop.identity.dpop?.proof({ method: 'POST', address: `${farm.publicUrl}/token`, nowMs: 0 });
      const nonce = (await dpop.poll(code, {}, { dpop: skewed ?? '' })).headers.get('dpop-nonce') ?? '';
      const withNonce = await dpop.proof('/token', { nonce });
      expect((await dpop.poll(code, {}, { dpop: withNonce })).body.error).toBe('authorization_pending');
    };

    await step();
    await step();
    for (const [which, keys] of ROLL_OUTS) {
      await farm.restart(which, ...keys);
      await step();
      await step();
    }
    expect(tokens.length).toBeGreaterThan(10);
    const failures = farm.replicas.flatMap(({ lines }) => lines.filter(({ event }) => event === 'request.failed'));
    expect(failures).toEqual([]);
  });

  it('under load: hundreds of refreshes at once while replicas restart', async () => {
    farm = await openFarm();
    await farm.restart(0, OLD);
    await farm.restart(1, OLD);
    const chains: string[] = [];
    for (let n = 0; n < 12; n += 1) {
      const { body } = await farm.device().start();
      await farm.replicas[0]?.approve(body.user_code);
      chains.push((await farm.device().poll(body.device_code)).body.refresh_token);
    }
    let isOver = false;
    let refreshes = 0;
    const chain = async (first: string) => {
      let token = first;
      while (!isOver) {
        const answer = await farm.device().refresh(token);
        expect([answer.status, answer.text]).toEqual([200, answer.text]);
        token = answer.body.refresh_token;
        refreshes += 1;
      }
    };
    const running = Promise.all(chains.map(chain));
    for (const [which, keys] of ROLL_OUTS) {
      const before = refreshes;
      while (refreshes < before + 40) await new Promise((resolve) => setTimeout(resolve, 20));
      await farm.restart(which, ...keys);
    }
    isOver = true;
    await running;
    expect(refreshes).toBeGreaterThan(160);
  });

  it('a mark that was set under the old key still counts under the new one, and the other way round', async () => {
    farm = await openFarm();
    await farm.restart(0, OLD, NEW);
    await farm.restart(1, NEW, OLD);
    for (const [first, second] of [
      [OLD, NEW],
      [NEW, OLD],
    ] as const) {
      const { body } = await farm.device().start();
      await farm.replicas[0]?.approve(body.user_code);
      const { refresh_token: token } = (await farm.device().poll(body.device_code)).body;
      const { ledger } = farm.store.storage;
      const sealing = createSealing([new Secret(first), new Secret(second)]);
      const nowMs = await ledger.now();
      const mark = { mark: 'logout_subject', upstream: 'corp', sub: 'alice' } as const;
      await setMark({ ledger, sealing }, mark, nowMs + 1, nowMs + 60_000);
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect((await farm.device().refresh(token)).body.error).toBe('invalid_grant');
      expect((await farm.device().refresh(token)).body.error).toBe('invalid_grant');
    }
  });

  it('with the old key gone too early, what names it waits: 503, nothing written, good again with the key', async () => {
    farm = await openFarm();
    await farm.restart(0, OLD);
    const { body } = await farm.device().start();
    await farm.replicas[0]?.approve(body.user_code);
    const { refresh_token: token } = (await farm.device().poll(body.device_code)).body;
    const pending = (await farm.device().start()).body;
    await farm.replicas[0]?.approve(pending.user_code);
    await farm.restart(0, NEW);
    expect((await farm.device().refresh(token)).status).toBe(503);
    expect((await farm.device().poll(pending.device_code)).status).toBe(503);
    await farm.restart(0, NEW, OLD);
    expect((await farm.device().refresh(token)).status).toBe(200);
    expect((await farm.device().poll(pending.device_code)).status).toBe(200);
  });
});

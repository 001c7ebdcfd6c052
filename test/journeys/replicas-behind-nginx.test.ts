import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approve, ScriptedPerson } from '../../demo/scripted-person.ts';
import { type Replicas, startReplicas } from '../support/broker/replicas.ts';
import { rollReplicas } from '../support/broker/rolling-restart.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';

let redis: TestRedis;
let replicas: Replicas;
beforeAll(async () => {
  redis = await startRedisServer();
  replicas = await startReplicas({ redis });
}, 60_000);
afterAll(async () => {
  await replicas?.stop();
  await redis.stop();
});

describe('three replicas behind nginx, on one Redis that gives them the least rights', () => {
  it('do one sign-in together, with every request going to another of them', async () => {
    const { origin } = replicas;
    const asked: string[] = [];
    const watched: typeof fetch = async (input, init) => {
      const response = await fetch(input, init);
      const replica = response.headers.get('x-replica');
      if (replica !== null) asked.push(replica);
      return response;
    };
    const device = new TestDevice(
      { origin, publicUrl: origin, now: async () => Date.now() },
      { clientId: 'build-cli' },
    );
    const { body } = await device.start({ scope: 'openid offline_access' });
    expect((await device.poll(body.device_code)).body.error).toBe('authorization_pending');
    const page = await approve(`${origin}/device`, body.user_code, 'alice', { fetch: watched });
    expect(page.url.pathname).toBe('/device/done');
    expect(asked.length).toBeGreaterThan(6);
    for (const [index, replica] of asked.entries()) expect(replica).not.toBe(asked[index - 1]);
    const { body: tokens } = await device.poll(body.device_code);
    const { body: refreshed } = await device.refresh(tokens.refresh_token);
    expect(refreshed.access_token).toBeTypeOf('string');
    expect((await device.refresh(tokens.refresh_token)).body.refresh_token).toBe(refreshed.refresh_token);
    const authorization = `Bearer ${refreshed.access_token}`;
    expect((await device.send('/userinfo', { headers: { authorization } })).status).toBe(200);
    const manage = await new ScriptedPerson().visit(`${origin}/sessions`);
    expect(manage.html).toContain('Build CLI');
  });

  it('are restarted one by one under a hundred polling devices, and nobody notices', { timeout: 180_000 }, async () => {
    const { polls, served, troubles, exitCodes } = await rollReplicas(replicas);
    expect(troubles).toEqual([]);
    expect(served).toBe(100);
    expect(exitCodes).toEqual([0, 0, 0]);
    expect(polls).toBeGreaterThan(500);
  });
});

import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Canaries, everythingIn, READABLE_REDIS, watchCommands } from '../support/broker/canary.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';

const secret = `${randomBytes(24).toString('base64url')}+/=é`;

describe('the search for secrets finds what is there', () => {
  const canaries = new Canaries();
  canaries.plant('planted', secret);

  it.each<[string, (text: string) => string]>([
    ['as it is', (text) => Buffer.from(text).toString('latin1')],
    ['in Base64', (text) => Buffer.from(text).toString('base64')],
    ['in Base64url', (text) => Buffer.from(text).toString('base64url')],
    ['in hex, in capitals', (text) => Buffer.from(text).toString('hex').toUpperCase()],
    ['in percents', (text) => encodeURIComponent(text)],
    ['inside a Base64 text', (text) => Buffer.from(`x${text}y`).toString('base64')],
    ['inside a longer Base64url text', (text) => Buffer.from(`{"a":"${text}"}`).toString('base64url')],
    ['inside JSON', (text) => Buffer.from(JSON.stringify({ a: [text] })).toString('latin1')],
    ['backwards', (text) => Buffer.from(text).reverse().toString('latin1')],
  ])('%s', (_form, write) => {
    expect(canaries.hits([{ name: 'a place', text: `before ${write(secret)} after` }])).not.toEqual([]);
  });

  it('and nothing where there is nothing', () => {
    expect(canaries.hits([{ name: 'a place', text: randomBytes(10_000).toString('base64') }])).toEqual([]);
  });

  it('refuses secrets that are too short to be looked for', () => {
    expect(() => canaries.plant('short', '12345')).toThrow(RangeError);
  });

  describe('in a Redis', () => {
    let redis: TestRedis;
    beforeAll(async () => {
      redis = await startRedisServer(READABLE_REDIS);
    });
    afterAll(() => redis.stop());

    it.each<[string, (client: Redis) => Promise<unknown>]>([
      ['as a value', (client) => client.set('a', JSON.stringify({ text: 'x'.repeat(100), token: secret }))],
      ['as a name', (client) => client.set(`x:${Buffer.from(secret).toString('hex')}`, '1')],
      ['as a member of an index', (client) => client.zadd('z', 1, Buffer.from(secret).toString('base64url'))],
      ['as a field', (client) => client.hset('h', 'a', secret)],
    ])('%s', async (_how, write) => {
      const client = new Redis(redis.url);
      await client.flushall();
      const monitor = await watchCommands(redis.url);
      await write(client);
      const hits = canaries.hits([...(await everythingIn(redis.url)), monitor.seen()]).join('\n');
      monitor.stop();
      client.disconnect();
      expect(hits).toMatch(/in the (value|name|dump)/);
      expect(hits).toContain('in the file');
    });

    it('in a command that left nothing behind', async () => {
      const client = new Redis(redis.url);
      const monitor = await watchCommands(redis.url);
      await client.eval('return redis.call("GET", KEYS[1])', 1, `gone:${encodeURIComponent(secret)}`);
      await client.ping();
      const hits = canaries.hits([monitor.seen()]);
      monitor.stop();
      client.disconnect();
      expect(hits.join()).toContain('MONITOR');
    });
  });
});

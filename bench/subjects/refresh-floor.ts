import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { Redis } from 'ioredis';
import { Pool } from 'undici';
import { readBody, runSubject } from './subject.ts';

/**
 * What a refresh costs whoever does it: one RS256 signature, two posts to an upstream over connections that stand, two
 * scripts in Redis, and a form in and JSON out. `refresh-floor.ts REDIS UPSTREAM`.
 */
const [redisUrl = '', upstream = ''] = process.argv.slice(2);
const redis = new Redis(redisUrl);
const pool = new Pool(upstream);
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const READ = `return redis.call('MGET', unpack(KEYS))`;
const WRITE = `redis.call('SET', KEYS[1], ARGV[1], 'PX', 60000) return 1`;
const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');
for (const script of [READ, WRITE]) await redis.script('LOAD', script);
const hashes = [sha1(READ), sha1(WRITE)] as const;
const STATE = 'x'.repeat(1000);

const signed = (text: string) =>
  new Promise<string>((resolve, reject) => {
    sign('sha256', Buffer.from(text), privateKey, (error, signature) =>
      error === null ? resolve(`${text}.${signature.toString('base64url')}`) : reject(error),
    );
  });

async function posted(form: Record<string, string>): Promise<unknown> {
  const { body } = await pool.request({
    path: '/token',
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
  return body.json();
}

let turn = 0;
await runSubject(
  (request, response) => {
    void (async () => {
      const form = new URLSearchParams(await readBody(request));
      turn += 1;
      const key = `{${turn % 1000}}`;
      await redis.evalsha(hashes[0], 3, `${key}:session`, `${key}:ended`, `${key}:refresh`, '0');
      for (let call = 0; call < 2; call += 1) await posted({ refresh_token: form.get('refresh_token') ?? '' });
      const token = await signed(`${'h'.repeat(80)}.${'c'.repeat(600)}`);
      await redis.evalsha(hashes[1], 1, `${key}:refresh`, STATE);
      const text = JSON.stringify({ access_token: token, refresh_token: STATE.slice(0, 91), expires_in: 600 });
      const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
      response.writeHead(200, headers).end(text);
    })();
  },
  async () => ({ path: '/token', bodies: [] }),
);

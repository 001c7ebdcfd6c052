import { Redis } from 'ioredis';
import { pollBody, readBody, runSubject } from './subject.ts';

/**
 * The limit: node:http alone, which reads the body and answers a constant; with a Redis address it also makes one GET
 * first. Request and answer are those of a pending poll to the byte, so that both subjects carry the same load.
 */
const [redisUrl] = process.argv.slice(2);
const redis = redisUrl === undefined ? undefined : new Redis(redisUrl);
const ANSWER = '{"error":"authorization_pending","error_description":"the person has not decided yet"}';
const HEADERS = {
  'X-Request-Id': 'constant4567',
  'Content-Length': ANSWER.length,
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Content-Type': 'application/json',
};

await runSubject(
  (request, response) => {
    void (async () => {
      const body = await readBody(request);
      if (redis !== undefined) await redis.get(body.slice(-43));
      response.writeHead(400, HEADERS);
      response.end(ANSWER);
    })();
  },
  async () => ({
    path: '/token',
    bodies: Array.from({ length: 1000 }, (_, n) => pollBody(String(n).padStart(43, 'x'))),
  }),
);

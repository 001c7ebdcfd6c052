import { Redis } from 'ioredis';
import { readBody, runSubject } from './subject.ts';

/**
 * The limit: node:http alone, which reads the body and answers the constant that a pending poll gets; with a Redis
 * address it also makes one GET first.
 */
const [redisUrl] = process.argv.slice(2);
const redis = redisUrl === undefined ? undefined : new Redis(redisUrl);
const ANSWER = '{"error":"authorization_pending","error_description":"the person has not decided yet"}';

await runSubject(
  (request, response) => {
    void (async () => {
      const body = await readBody(request);
      if (redis !== undefined) await redis.get(body.slice(-43));
      response.writeHead(400, {
        'Content-Type': 'application/json',
        'Cache-Control': 'no-store',
        'Content-Length': ANSWER.length,
      });
      response.end(ANSWER);
    })();
  },
  async () => ({
    path: '/token',
    bodies: Array.from({ length: 1000 }, (_, n) => `client_id=tv&device_code=${String(n).padStart(43, 'x')}`),
  }),
);

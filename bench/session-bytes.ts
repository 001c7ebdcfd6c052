import { startEmbeddedUpstream } from '../demo/embedded-upstream.ts';
import { startBroker } from './broker-process.ts';
import type { Row } from './poll-rows.ts';
import { freePort, type startRedis } from './redis-server.ts';

const MAX_BYTES = 2500;
/** What lives as long as the session does; the grant that it came from lapses within the hour. */
const OF_A_SESSION = /:(session|refresh|presented:\d+|refused-wish:\d+|userinfo:[\w-]+|last-used)$|subject:/;

/** What a device session keeps in Redis, by the number of its refreshes. */
export async function sessionBytesRow(
  redis: Awaited<ReturnType<typeof startRedis>>,
  refreshes: readonly number[],
): Promise<Row> {
  await redis.flush();
  const port = await freePort();
  const upstream = await startEmbeddedUpstream({
    port: 0,
    clients: [{ clientId: 'gatehouse', redirectUris: [`http://127.0.0.1:${port}/callback/corp`] }],
  });
  const broker = await startBroker({ port, issuer: upstream.issuer, redisUrl: redis.url });
  try {
    let token = await broker.signIn();
    const bytes: number[] = [];
    let done = 0;
    for (const count of refreshes) {
      for (; done < count; done += 1) token = await broker.refresh(token);
      bytes.push(await redis.bytesOf(OF_A_SESSION));
    }
    return {
      what: `bytes in Redis for a device session, after ${refreshes.join(', ')} refreshes`,
      measured: bytes.join(', '),
      toReach: `≤ ${MAX_BYTES}`,
      isReached: Math.max(...bytes) <= MAX_BYTES,
    };
  } finally {
    await broker.stop();
    await upstream.close();
  }
}

import { Redis } from 'ioredis';

/** How many entries a Redis has, to see whether its replica has caught up. */
export async function entriesOf(url: string): Promise<number> {
  const redis = new Redis(url);
  try {
    return await redis.dbsize();
  } finally {
    redis.disconnect();
  }
}

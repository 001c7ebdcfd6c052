import { afterAll, beforeAll, describe, it } from 'vitest';
import { describeStorage } from '../../src/contract.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { severableRedis } from '../support/redis/storage-under-test.ts';

describe('Redis storage', () => {
  let redis: Awaited<ReturnType<typeof redisForTests>>;
  beforeAll(async () => {
    redis = await redisForTests();
  });
  afterAll(() => redis.stop());

  describeStorage({ describe, it }, () => severableRedis(redis.settings()));
});

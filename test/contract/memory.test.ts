import { describe, it } from 'vitest';
import { describeStorage } from '../../src/contract.ts';
import { movableMemory } from '../support/redis/storage-under-test.ts';

describe('memory storage', () => {
  describeStorage({ describe, it }, movableMemory);
});

import type { Redis } from 'ioredis';
import { answeringNodes, type RedisClient } from './redis-client.ts';

const PING_WITHIN_MS = 1000;

export async function answersPing(node: Redis): Promise<boolean> {
  return within(PING_WITHIN_MS, node.ping()).then(
    () => true,
    () => false,
  );
}

/** Tears down the connections on which nothing comes back, so that new ones are made; TCP alone notices in hours. */
export async function dropHungNodes(client: RedisClient): Promise<void> {
  for (const node of answeringNodes(client)) {
    if (node.status === 'ready' && !(await answersPing(node))) {
      node.stream.destroy();
    }
  }
}

export async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([answer, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

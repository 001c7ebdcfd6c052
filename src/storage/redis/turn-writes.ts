import type { Writable } from 'node:stream';
import { Cluster } from 'ioredis';
import type { RedisClient } from './redis-client.ts';

/**
 * Sends the commands of one turn of the event loop together: ioredis writes each to the socket by itself, and a write is
 * a system call, dearer than all else about a short command. One command alone waits for nothing but the end of its turn.
 *
 * Of a cluster each command has a node of its own, which is not known before ioredis has chosen it, so there it is as ever.
 */
export class TurnWrites {
  readonly #client: RedisClient;
  #held: Writable | undefined;

  constructor(client: RedisClient) {
    this.#client = client;
  }

  /** To be called before a command is given to ioredis. */
  hold(): void {
    if (this.#held !== undefined || this.#client instanceof Cluster) return;
    const { stream } = this.#client;
    stream.cork();
    this.#held = stream;
    setImmediate(() => {
      this.#held = undefined;
      stream.uncork();
    });
  }
}

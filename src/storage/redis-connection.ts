import type { Redis } from 'ioredis';
import { StorageUnavailableError } from '../grants/ledger.ts';
import type { Logger } from '../telemetry/logger.ts';
import { answeringNodes, type RedisClient } from './redis-client.ts';
import { isAccessRefused, isReadOnly, isScriptUnknown, unavailable, wordsOf } from './redis-failure.ts';
import { accessRefused, inspectNodes } from './redis-inspection.ts';
import type { RedisScript } from './redis-script.ts';
import { StorageRefusedError } from './storage.ts';

export interface RedisConnectionOptions {
  /** The most that one command waits for Redis in all: connecting, reconnecting, and for the answer. */
  waitMs: number;
  /** The most commands that wait at once, answered to or not; the next is refused at once. */
  maxWaiting: number;
  logger?: Pick<Logger, 'event'> | undefined;
  /** Called when Redis, away at start, turns out to be one that must not be used. */
  onRefused?: ((error: StorageRefusedError) => void) | undefined;
}

interface Ask {
  send(client: RedisClient): Promise<unknown>;
  teach: ((client: RedisClient) => Promise<unknown>) | undefined;
  resolve(answer: unknown): void;
  reject(error: Error): void;
  askedAtMs: number;
  isSent: boolean;
}

const SWEEP_EVERY_MS = 100;
const PING_WITHIN_MS = 1000;

/**
 * Holds commands back while Redis is away, for a bounded time and in a bounded number, and says when it is away.
 *
 * ioredis has queues of its own, but drops what has waited too long from none of them. So it gets a command only while
 * it is connected; and a command that it got counts until ioredis is done with it, even when its caller has given up.
 */
export class RedisConnection {
  readonly client: RedisClient;
  readonly #options: RedisConnectionOptions;
  /** In the order of asking, thus of giving up. */
  readonly #asks = new Set<Ask>();
  #held = 0;
  #isAdmitted = false;
  #refusal: StorageRefusedError | undefined;
  #isClosed = false;
  #isCorked = false;
  #awaySinceMs: number | undefined;
  #isLookingForHung = false;
  /** Set while `open` waits to hear whether Redis is fit, unfit or away. */
  #whenKnown: (() => void) | undefined;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(client: RedisClient, options: RedisConnectionOptions) {
    this.client = client;
    this.#options = options;
    client.on('error', (error: Error) => this.#failed(error));
    client.on('close', () => this.#away('the connection is closed'));
    client.on('connect', () => this.#expectReady());
    client.on('ready', () => void this.#admit());
  }

  /**
   * Connects. Comes back when Redis has been found fit, or is away: then connecting goes on.
   * @throws {StorageRefusedError}
   */
  async open(): Promise<void> {
    this.#sweeper = setInterval(() => {
      this.#giveUpOnOld();
      this.#sendWaiting();
    }, SWEEP_EVERY_MS).unref();
    const known = new Promise<void>((resolve) => {
      this.#whenKnown = resolve;
      setTimeout(resolve, this.#options.waitMs).unref();
    });
    this.client.connect().catch(() => {});
    await known;
    this.#whenKnown = undefined;
    if (this.#refusal !== undefined) {
      throw this.#refusal;
    }
  }

  /**
   * Has a command sent as soon as Redis is there.
   * @param teach sent where Redis does not know the script that `send` names
   * @throws {StorageUnavailableError} after `waitMs`, at once when too many wait, and for every error of Redis
   */
  ask<T>(send: (client: RedisClient) => Promise<T>, teach?: (client: RedisClient) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const refusal = this.#whyNot();
      if (refusal !== undefined) {
        reject(refusal);
        return;
      }
      const ask = { send, teach, resolve, reject, askedAtMs: performance.now(), isSent: false } as Ask;
      this.#held += 1;
      this.#asks.add(ask);
      if (this.#isOpen) {
        this.#send(ask);
      }
    });
  }

  /** Runs a script by its hash; a Redis that does not know it yet is sent the text. */
  run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const count = String(keys.length);
    return this.ask(
      (client) => client.evalsha(script.sha1, count, ...keys, ...args),
      (client) => client.eval(script.lua, count, ...keys, ...args),
    );
  }

  async isReady(): Promise<boolean> {
    if (!this.#isOpen) {
      return false;
    }
    const nodes = answeringNodes(this.client);
    const answers = await Promise.all(nodes.map(answersPing));
    return nodes.length > 0 && answers.every(Boolean);
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    clearInterval(this.#sweeper);
    if (this.client.status === 'ready') {
      await within(PING_WITHIN_MS, this.client.quit()).catch(() => {});
    }
    this.client.disconnect();
    for (const ask of this.#asks) {
      ask.reject(new StorageUnavailableError('the storage is closed'));
    }
    this.#asks.clear();
  }

  get #isOpen(): boolean {
    return this.#isAdmitted && this.client.status === 'ready';
  }

  #whyNot(): StorageUnavailableError | undefined {
    if (this.#held >= this.#options.maxWaiting) {
      return new StorageUnavailableError(`${this.#held} commands are waiting for Redis already`);
    }
    if (this.#isClosed) {
      return new StorageUnavailableError('the storage is closed');
    }
    return this.#refusal && new StorageUnavailableError('Redis must not be used', { cause: this.#refusal });
  }

  #send(ask: Ask): void {
    ask.isSent = true;
    this.#gatherWrites();
    ask.send(this.client).then(
      (answer) => {
        this.#held -= 1;
        this.#asks.delete(ask);
        ask.resolve(answer);
      },
      (error: unknown) => {
        if (this.#willSendAgain(ask, error)) {
          return;
        }
        this.#held -= 1;
        this.#asks.delete(ask);
        ask.reject(unavailable(error));
      },
    );
  }

  #willSendAgain(ask: Ask, error: unknown): boolean {
    if (!(error instanceof Error) || !this.#asks.has(ask)) {
      return false;
    }
    if (isScriptUnknown(error) && ask.teach !== undefined) {
      ask.send = ask.teach;
      ask.teach = undefined;
      this.#send(ask);
      return true;
    }
    // The connection goes down with this answer; the next one may lead to the new master.
    ask.isSent = !isReadOnly(error);
    return !ask.isSent;
  }

  /** All commands of one turn of the event loop leave in one system call: that is a third of what a poll costs. */
  #gatherWrites(): void {
    if (this.#isCorked) {
      return;
    }
    this.#isCorked = true;
    const streams = answeringNodes(this.client).map((node) => node.stream as Redis['stream'] | undefined);
    for (const stream of streams) {
      stream?.cork();
    }
    setImmediate(() => {
      this.#isCorked = false;
      for (const stream of streams) {
        stream?.uncork();
      }
    });
  }

  #giveUpOnOld(): void {
    const latestMs = performance.now() - this.#options.waitMs + SWEEP_EVERY_MS;
    for (const ask of this.#asks) {
      if (ask.askedAtMs > latestMs) {
        return;
      }
      this.#asks.delete(ask);
      if (!ask.isSent) {
        this.#held -= 1;
      }
      ask.reject(new StorageUnavailableError(`no answer from Redis within ${this.#options.waitMs} ms`));
      void this.#dropHung();
    }
  }

  /** A connection on which nothing comes back is torn down, so that a new one is made; TCP alone notices in hours. */
  async #dropHung(): Promise<void> {
    if (!this.#isOpen || this.#isLookingForHung) {
      return;
    }
    this.#isLookingForHung = true;
    try {
      for (const node of answeringNodes(this.client)) {
        if (node.status === 'ready' && !(await answersPing(node))) {
          node.stream.destroy();
        }
      }
    } finally {
      this.#isLookingForHung = false;
    }
  }

  /** A Redis that accepts connections and then says nothing would otherwise be waited for without end. */
  #expectReady(): void {
    const { client } = this;
    const timer = setTimeout(() => client.disconnect(true), this.#options.waitMs).unref();
    const settled = (): void => {
      clearTimeout(timer);
      client.off('ready', settled).off('close', settled);
    };
    client.once('ready', settled).once('close', settled);
  }

  /** At the first connection Redis is looked at before anything is stored in it; later ones are trusted. */
  async #admit(): Promise<void> {
    if (!this.#isAdmitted) {
      try {
        const { problems } = await within(this.#options.waitMs, inspectNodes(answeringNodes(this.client)));
        if (problems.length > 0) {
          this.#refuse(problems.join('; '));
          return;
        }
      } catch (error) {
        this.#away(wordsOf(error).message);
        this.client.disconnect(true);
        return;
      }
      this.#isAdmitted = true;
      this.#whenKnown?.();
    }
    if (!this.#isOpen) {
      return;
    }
    if (this.#awaySinceMs !== undefined) {
      const seconds = Math.round((performance.now() - this.#awaySinceMs) / 1000);
      this.#awaySinceMs = undefined;
      this.#options.logger?.event('storage.recovered', { seconds });
    }
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    for (const ask of this.#asks) {
      if (!ask.isSent && this.#isOpen) {
        this.#send(ask);
      }
    }
  }

  #failed(error: Error): void {
    if (!this.#isAdmitted && isAccessRefused(error)) {
      this.#refuse(accessRefused(error));
    } else {
      this.#away(wordsOf(error).message);
    }
  }

  #refuse(problem: string): void {
    if (this.#refusal !== undefined) {
      return;
    }
    this.#refusal = new StorageRefusedError(problem);
    this.client.disconnect();
    for (const ask of this.#asks) {
      ask.reject(new StorageUnavailableError('Redis must not be used', { cause: this.#refusal }));
    }
    this.#asks.clear();
    if (this.#whenKnown === undefined) {
      this.#options.onRefused?.(this.#refusal);
    }
    this.#whenKnown?.();
  }

  #away(detail: string): void {
    if (this.#awaySinceMs === undefined && !this.#isClosed && this.#refusal === undefined) {
      this.#awaySinceMs = performance.now();
      this.#options.logger?.event('storage.unavailable', { detail });
    }
    this.#whenKnown?.();
  }
}

async function answersPing(node: Redis): Promise<boolean> {
  return within(PING_WITHIN_MS, node.ping()).then(
    () => true,
    () => false,
  );
}

async function within<T>(milliseconds: number, answer: Promise<T>): Promise<T> {
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

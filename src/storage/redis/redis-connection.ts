import { Cluster } from 'ioredis';
import { StorageUnavailableError } from '../../ledger/ledger.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { StorageRefusedError } from '../storage.ts';
import { type AwayCause, awayCause } from './away-cause.ts';
import { CommandQueue, type Send } from './command-queue.ts';
import { answeringNodes, type RedisClient } from './redis-client.ts';
import { isDatabaseRefused, wordsOf } from './redis-failure.ts';
import { inspectNodes, refusalIn } from './redis-inspection.ts';
import { answersPing, dropHungNodes, within } from './redis-nodes.ts';
import type { RedisScript } from './redis-script.ts';
import { ScriptCommand } from './script-command.ts';

export interface RedisConnectionOptions {
  waitMs: number;
  maxWaiting: number;
  logger?: Pick<Logger, 'event'> | undefined;
  /** Called when Redis, away at start, turns out to be one that must not be used. */
  onRefused?: ((error: StorageRefusedError) => void) | undefined;
}

const QUIT_WITHIN_MS = 1000;
const CONNECT_AGAIN_AFTER_MS = 100;
const CAUSE_WITHIN_MS = 1000;
const CLOSED: AwayCause = { kind: 'closed', words: 'the connection is closed' };

/** The connection to Redis: looks at Redis before it is used, notices when it is away or hangs, and says so once. */
export class RedisConnection {
  readonly #client: RedisClient;
  readonly #options: RedisConnectionOptions;
  readonly #line: CommandQueue;
  #isAdmitted = false;
  #isClosed = false;
  #isLookingForHung = false;
  #refusal: StorageRefusedError | undefined;
  #awaySinceMs: number | undefined;
  /** The causes that were logged while Redis is away; it may be restarting first and refuse us then. */
  #loggedCauses = new Set<string>();
  /** Set while `open` waits to hear whether Redis is fit, unfit or away. */
  #whenKnown: (() => void) | undefined;

  constructor(client: RedisClient, options: RedisConnectionOptions) {
    this.#client = client;
    this.#options = options;
    const { waitMs, maxWaiting } = options;
    const line = { waitMs, maxWaiting, isOpen: () => this.#isOpen, onSilence: () => void this.#dropHung() };
    this.#line = new CommandQueue(client, line);
    client.on('error', (error: Error) => this.#failed(error));
    client.on('close', () => this.#closed());
    client.on('connect', () => this.#expectReady());
    client.on('ready', () => void this.#admit());
    client.on('end', () => this.#connectAgain());
  }

  /**
   * Connects. Comes back when Redis has been found fit, or is away: then connecting goes on.
   * @throws {StorageRefusedError}
   */
  async open(): Promise<void> {
    const known = new Promise<void>((resolve) => {
      this.#whenKnown = resolve;
      setTimeout(resolve, this.#options.waitMs).unref();
    });
    this.#client.connect().catch(() => {});
    await known;
    this.#whenKnown = undefined;
    if (this.#refusal !== undefined) {
      throw this.#refusal;
    }
  }

  /**
   * Has a command sent as soon as Redis is there.
   * @throws {StorageUnavailableError} after `waitMs`, at once when too many wait, and for every error of Redis
   */
  ask<T>(send: Send<T>): Promise<T> {
    return this.#line.ask(send);
  }

  /** Runs a script by its hash; a Redis that does not know it yet is sent the text. */
  run(script: RedisScript, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const count = String(keys.length);
    return this.#line.ask(
      (client) => client.evalsha(script.sha1, count, ...keys, ...args),
      (client) => client.eval(script.lua, count, ...keys, ...args),
    );
  }

  /** The same for a command that is written out already, with its reply read in passing. */
  runWritten<T>(
    { script, keys, args }: { script: RedisScript; keys: readonly string[]; args: readonly string[] },
    read: (reply: unknown) => T,
  ): Promise<T> {
    const count = String(keys.length);
    return this.#line.ask(
      (client) =>
        client instanceof Cluster
          ? client.evalsha(script.sha1, count, ...keys, ...args)
          : (client.sendCommand(new ScriptCommand(script.sha1, keys, args)) as Promise<unknown>),
      (client) => client.eval(script.lua, count, ...keys, ...args),
      read,
    );
  }

  /** Of a cluster one master is enough: the loss of a part must not make every broker turn all its work away. */
  async isReady(): Promise<boolean> {
    const answers = this.#isOpen ? await Promise.all(answeringNodes(this.#client).map(answersPing)) : [];
    return answers.includes(true);
  }

  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    if (this.#client.status === 'ready') {
      await within(QUIT_WITHIN_MS, this.#client.quit()).catch(() => {});
    }
    this.#client.disconnect();
    this.#line.close(new StorageUnavailableError('the storage is closed'));
  }

  get #isOpen(): boolean {
    return this.#isAdmitted && !this.#isClosed && this.#client.status === 'ready';
  }

  /** At the first connection Redis is looked at before anything is stored in it; later ones are trusted. */
  async #admit(): Promise<void> {
    if (!this.#isAdmitted) {
      try {
        const { problems } = await within(this.#options.waitMs, inspectNodes(answeringNodes(this.#client)));
        if (problems.length > 0) {
          this.#refuse(problems.join('; '));
          return;
        }
      } catch (error) {
        this.#away(awayCause(wordsOf(error)));
        this.#client.disconnect(true);
        return;
      }
      this.#isAdmitted = true;
    }
    if (this.#awaySinceMs !== undefined) {
      const seconds = Math.round((performance.now() - this.#awaySinceMs) / 1000);
      if (this.#loggedCauses.size === 0) this.#logAway(CLOSED);
      this.#loggedCauses.clear();
      this.#awaySinceMs = undefined;
      this.#options.logger?.event('storage.recovered', { seconds });
    }
    this.#line.sendAll();
    this.#whenKnown?.();
  }

  /** A Redis that accepts connections and then says nothing would otherwise be waited for without end. */
  #expectReady(): void {
    const client = this.#client;
    const timer = setTimeout(() => client.disconnect(true), this.#options.waitMs).unref();
    const settled = (): void => {
      clearTimeout(timer);
      client.off('ready', settled).off('close', settled);
    };
    client.once('ready', settled).once('close', settled);
  }

  /**
   * ioredis gives up for good where a Sentinel tells of a failover while it is connecting: its connector takes the news
   * for a request to stop.
   */
  #connectAgain(): void {
    setTimeout(() => {
      if (!this.#isClosed && this.#refusal === undefined && this.#client.status === 'end') {
        this.#client.connect().catch(() => {});
      }
    }, CONNECT_AGAIN_AFTER_MS).unref();
  }

  async #dropHung(): Promise<void> {
    if (this.#isOpen && !this.#isLookingForHung) {
      this.#isLookingForHung = true;
      await dropHungNodes(this.#client);
      this.#isLookingForHung = false;
    }
  }

  #failed(error: Error): void {
    const refusal = refusalIn(error);
    if (refusal !== undefined && !this.#isAdmitted) {
      this.#refuse(refusal);
      return;
    }
    // The connection stands, and whatever is sent on it lands in another database.
    if (isDatabaseRefused(error)) for (const node of answeringNodes(this.#client)) node.stream.destroy();
    this.#away(awayCause(error));
  }

  /** That a connection was closed is what is seen of it; the next try to connect says why, most often at once. */
  #closed(): void {
    if (this.#beginAway()) {
      setTimeout(() => {
        if (this.#awaySinceMs !== undefined && this.#loggedCauses.size === 0) this.#logAway(CLOSED);
      }, CAUSE_WITHIN_MS).unref();
    }
    this.#whenKnown?.();
  }

  /** Logs each cause once: tries to connect fail several times a second. */
  #away(cause: AwayCause): void {
    this.#beginAway();
    if (this.#awaySinceMs !== undefined && !this.#loggedCauses.has(cause.kind)) this.#logAway(cause);
    this.#whenKnown?.();
  }

  /** Answers whether it was there until now. */
  #beginAway(): boolean {
    if (this.#awaySinceMs !== undefined || this.#isClosed || this.#refusal !== undefined) return false;
    this.#awaySinceMs = performance.now();
    return true;
  }

  #logAway({ kind, words }: AwayCause): void {
    this.#loggedCauses.add(kind);
    this.#options.logger?.event('storage.unavailable', { detail: words });
  }

  #refuse(problem: string): void {
    if (this.#refusal !== undefined || this.#isClosed) {
      return;
    }
    this.#refusal = new StorageRefusedError(problem);
    this.#client.disconnect();
    this.#line.close(new StorageUnavailableError('Redis must not be used', { cause: this.#refusal }));
    if (this.#whenKnown === undefined) {
      this.#options.onRefused?.(this.#refusal);
    }
    this.#whenKnown?.();
  }
}

import { StorageUnavailableError } from '../../ledger/ledger.ts';
import type { RedisClient } from './redis-client.ts';
import { isReadOnly, isScriptUnknown, unavailable } from './redis-failure.ts';
import { TurnWrites } from './turn-writes.ts';

export interface CommandQueueDeps {
  /** The most that one command waits in all: for a connection, and for its answer. */
  waitMs: number;
  /** The most commands that are held at once. */
  maxWaiting: number;
  /** Whether a command can be sent now. */
  isOpen(): boolean;
  /** Called when a command that was sent got no answer in time. */
  onSilence(): void;
}

export type Send<T> = (client: RedisClient) => Promise<T>;

interface Ask {
  send: Send<unknown>;
  teach: Send<unknown> | undefined;
  read: ((reply: unknown) => unknown) | undefined;
  resolve(answer: unknown): void;
  reject(error: Error): void;
  askedAtMs: number;
  isSent: boolean;
  /** Its place in the line; -1 when it has left it. */
  place: number;
}

/** How often the oldest are looked at; with one timer for all, a command needs none of its own. */
const SWEEP_EVERY_MS = 100;

/**
 * The commands that wait for Redis: a bounded number, for a bounded time.
 *
 * ioredis has queues of its own, but drops what has waited too long from none of them. So it gets a command only while
 * it is connected; and a command that it got counts until ioredis is done with it, even when its caller has given up.
 */
export class CommandQueue {
  readonly #client: RedisClient;
  readonly #options: CommandQueueDeps;
  readonly #writes: TurnWrites;
  /**
   * In no order: who leaves is replaced by the last one. A Set would leave its old tables behind at every few hundred
   * commands, each keeping the next alive until the garbage collector's great round: a sixth of a poll's cost.
   */
  #asks: Ask[] = [];
  #held = 0;
  #closedBecause: StorageUnavailableError | undefined;
  #sweeper: NodeJS.Timeout;

  constructor(client: RedisClient, options: CommandQueueDeps) {
    this.#client = client;
    this.#options = options;
    this.#writes = new TurnWrites(client);
    // A process that was held up for seconds has the answers before it, behind its timers: they are read first.
    const sweep = (): void => {
      this.#giveUpOnOld();
      this.sendAll();
    };
    this.#sweeper = setInterval(() => setImmediate(sweep), SWEEP_EVERY_MS).unref();
  }

  /**
   * @param teach sent where Redis does not know the script that `send` names
   * @param read makes the answer of the reply, on its way to the one promise that the caller waits for
   */
  ask<T>(send: Send<unknown>, teach?: Send<unknown>, read?: (reply: unknown) => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closedBecause !== undefined) {
        reject(this.#closedBecause);
        return;
      }
      if (this.#held >= this.#options.maxWaiting) {
        reject(new StorageUnavailableError(`${this.#held} commands are waiting for Redis already`));
        return;
      }
      const ask = { send, teach, read, resolve, reject, askedAtMs: performance.now(), isSent: false, place: -1 } as Ask;
      this.#held += 1;
      ask.place = this.#asks.push(ask) - 1;
      if (this.#options.isOpen()) {
        this.#send(ask);
      }
    });
  }

  /** Sends what could not be sent before. */
  sendAll(): void {
    for (const ask of this.#asks.filter(({ isSent }) => !isSent)) {
      if (this.#options.isOpen()) {
        this.#send(ask);
      }
    }
  }

  /** Nobody waits any more, now or later. */
  close(because: StorageUnavailableError): void {
    clearInterval(this.#sweeper);
    this.#closedBecause = because;
    for (const ask of this.#asks) {
      ask.reject(because);
    }
    this.#asks = [];
  }

  #send(ask: Ask): void {
    ask.isSent = true;
    this.#writes.hold();
    ask.send(this.#client).then(
      (answer) => {
        this.#held -= 1;
        this.#leave(ask);
        try {
          ask.resolve(ask.read === undefined ? answer : ask.read(answer));
        } catch (error) {
          ask.reject(unavailable(error));
        }
      },
      (error: unknown) => {
        if (this.#willSendAgain(ask, error)) {
          return;
        }
        this.#held -= 1;
        this.#leave(ask);
        ask.reject(unavailable(error));
      },
    );
  }

  #willSendAgain(ask: Ask, error: unknown): boolean {
    if (!(error instanceof Error) || ask.place < 0) {
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

  #leave(ask: Ask): void {
    const last = this.#asks.at(-1);
    if (ask.place < 0 || last === undefined) {
      return;
    }
    this.#asks[ask.place] = last;
    last.place = ask.place;
    this.#asks.pop();
    ask.place = -1;
  }

  #giveUpOnOld(): void {
    const latestMs = performance.now() - this.#options.waitMs + SWEEP_EVERY_MS;
    for (const ask of this.#asks.filter(({ askedAtMs }) => askedAtMs <= latestMs)) {
      this.#leave(ask);
      ask.reject(new StorageUnavailableError(`no answer from Redis within ${this.#options.waitMs} ms`));
      if (ask.isSent) {
        this.#options.onSilence();
      } else {
        this.#held -= 1;
      }
    }
  }
}

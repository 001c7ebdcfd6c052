import { startDeadline } from './within-deadline.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

export interface KeptAnswerDeps<T> {
  load: (deadline: AbortSignal) => Promise<T>;
  /** Milliseconds since the epoch. */
  clock: () => number;
  freshMs: number;
  timeoutMs: number;
  /** Told when a renewal failed and the old answer is used instead. */
  onStale: (error: unknown) => void;
}

/**
 * Something that the upstream publishes (metadata, keys), kept while it is fresh and, for up to a day, while the
 * upstream cannot renew it. Callers who come at once share one request.
 */
export class KeptAnswer<T> {
  readonly #options: KeptAnswerDeps<T>;
  #kept: { answer: T; atMs: number; number: number } | undefined;
  #pending: Promise<T> | undefined;
  #begun = 0;
  #failedAtMs = Number.NEGATIVE_INFINITY;
  #forcedAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: KeptAnswerDeps<T>) {
    this.#options = options;
  }

  /** How many requests for it were begun. */
  get begun(): number {
    return this.#begun;
  }

  async current(): Promise<T> {
    const kept = this.#kept;
    const nowMs = this.#options.clock();
    if (kept === undefined || nowMs - kept.atMs > STALE_MS) return this.#load(this.#options.timeoutMs);
    const isFresh = nowMs - kept.atMs < this.#options.freshMs;
    if (isFresh || nowMs - this.#failedAtMs < RETRY_AFTER_MS) return kept.answer;
    try {
      // Half the time, so that an upstream that hangs here leaves the caller some for the rest of its work.
      return await this.#load(this.#options.timeoutMs / 2);
    } catch (error) {
      this.#failedAtMs = nowMs;
      this.#options.onStale(error);
      return kept.answer;
    }
  }

  /**
   * Looks whether the upstream answers, unless it did so a moment ago.
   *
   * @throws what loading threw; the kept answer stays
   */
  async look(freshMs: number): Promise<void> {
    const nowMs = this.#options.clock();
    if (this.#kept !== undefined && nowMs - this.#kept.atMs < freshMs) return;
    try {
      await this.#load(this.#options.timeoutMs / 2);
    } catch (error) {
      this.#failedAtMs = nowMs;
      throw error;
    }
  }

  /**
   * Loads anew because the kept answer lacks something; `undefined` where that was done less than half a minute ago.
   * Without the limit anybody could make us ask the upstream as often as they like, by sending tokens with made-up keys.
   */
  async renewed(): Promise<T | undefined> {
    const nowMs = this.#options.clock();
    if (this.#pending !== undefined) return this.#pending;
    if (nowMs - this.#forcedAtMs < FORCE_AGAIN_AFTER_MS) return undefined;
    this.#forcedAtMs = nowMs;
    return this.#load(this.#options.timeoutMs);
  }

  /** An answer to a request that began after the first `count` of them: what was under way before may be too old. */
  async begunAfter(count: number): Promise<T> {
    while (this.#pending !== undefined && this.#begun <= count) await this.#pending.catch(() => undefined);
    if (this.#kept !== undefined && this.#kept.number > count) return this.#kept.answer;
    return this.#load(this.#options.timeoutMs);
  }

  #load(timeoutMs: number): Promise<T> {
    if (this.#pending !== undefined) return this.#pending;
    const deadline = startDeadline(timeoutMs);
    this.#begun += 1;
    const number = this.#begun;
    this.#pending = this.#options
      .load(deadline.signal)
      .then((answer) => {
        this.#kept = { answer, atMs: this.#options.clock(), number };
        return answer;
      })
      .finally(() => {
        deadline.clear();
        this.#pending = undefined;
      });
    return this.#pending;
  }
}

const STALE_MS = 24 * HOUR;
const RETRY_AFTER_MS = 30 * SECOND;
const FORCE_AGAIN_AFTER_MS = 30 * SECOND;

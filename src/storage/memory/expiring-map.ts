import { StorageUnavailableError } from '../../ledger/ledger.ts';

/** How many old entries each write looks at: more than it adds, so that the map shrinks while it is written to. */
const LOOKED_AT_PER_WRITE = 4;
/** A full map is searched for expired entries at most this often. */
const FULL_SWEEP_EVERY_MS = 1000;

/**
 * A bounded map whose entries vanish at a moment of their own. It has no timer: what has expired is never handed out,
 * and its memory is freed by the writes that follow.
 */
export class ExpiringMap<V extends { readonly expiresAtMs: number }> {
  readonly #entries = new Map<string, V>();
  readonly #maxEntries: number;
  #sweep: MapIterator<[string, V]> = this.#entries.entries();
  #sweptAtMs = Number.NEGATIVE_INFINITY;

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  get(key: string, nowMs: number): V | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs > nowMs) {
      return entry;
    }
    this.#entries.delete(key);
    return undefined;
  }

  /** @throws {StorageUnavailableError} when the map is full; nothing is ever pushed out to make room. */
  set(key: string, entry: V, nowMs: number): void {
    if (entry.expiresAtMs <= nowMs) {
      this.#entries.delete(key);
      return;
    }
    if (!this.#entries.has(key)) {
      this.makeRoom(1, nowMs);
    }
    this.#entries.set(key, entry);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  /** Sees to it that `count` more entries fit, so that several can be written together or not at all. */
  makeRoom(count: number, nowMs: number): void {
    for (let looked = 0; looked < LOOKED_AT_PER_WRITE; looked += 1) {
      const { value, done } = this.#sweep.next();
      if (done) {
        this.#sweep = this.#entries.entries();
        break;
      }
      this.#dropIfExpired(value[0], value[1], nowMs);
    }
    if (this.#entries.size + count <= this.#maxEntries) {
      return;
    }
    if (Math.abs(nowMs - this.#sweptAtMs) >= FULL_SWEEP_EVERY_MS) {
      this.#sweptAtMs = nowMs;
      for (const [key, entry] of this.#entries) {
        this.#dropIfExpired(key, entry, nowMs);
      }
    }
    if (this.#entries.size + count > this.#maxEntries) {
      throw new StorageUnavailableError(`the memory storage is full (${this.#maxEntries} entries)`);
    }
  }

  *keys(nowMs: number): Iterable<string> {
    for (const [key, entry] of this.#entries) {
      if (entry.expiresAtMs > nowMs) {
        yield key;
      }
    }
  }

  /** Entries held, those included that have expired and are not freed yet. */
  get size(): number {
    return this.#entries.size;
  }

  #dropIfExpired(key: string, entry: V, nowMs: number): void {
    if (entry.expiresAtMs <= nowMs) {
      this.#entries.delete(key);
    }
  }
}

import { type SessionData, Store } from 'express-session';
import { browserSessionLifeMs } from './browser-session-life.ts';
import { ExpiringMap } from './expiring-map.ts';

/** Browser sessions of one process; like the ledger it is bounded, and refuses rather than forgets. */
export class MemoryBrowserSessions extends Store {
  readonly #clock: () => number;
  readonly #sessions: ExpiringMap<{ json: string; expiresAtMs: number }>;

  constructor(clock: () => number, maxEntries: number) {
    super();
    this.#clock = clock;
    this.#sessions = new ExpiringMap(maxEntries);
  }

  override get(key: string, done: (error: unknown, session?: SessionData | null) => void): void {
    const kept = this.#sessions.get(key, this.#clock());
    setImmediate(done, null, kept === undefined ? null : JSON.parse(kept.json));
  }

  override set(key: string, session: SessionData, done?: (error?: unknown) => void): void {
    let failure: unknown = null;
    try {
      const nowMs = this.#clock();
      const expiresAtMs = nowMs + browserSessionLifeMs(session);
      this.#sessions.set(key, { json: JSON.stringify(session), expiresAtMs }, nowMs);
    } catch (error) {
      failure = error;
    }
    setImmediate(() => done?.(failure));
  }

  override touch(key: string, session: SessionData, done?: () => void): void {
    const kept = this.#sessions.get(key, this.#clock());
    if (kept !== undefined) {
      kept.expiresAtMs = this.#clock() + browserSessionLifeMs(session);
    }
    setImmediate(() => done?.());
  }

  override destroy(key: string, done?: (error?: unknown) => void): void {
    this.#sessions.delete(key);
    setImmediate(() => done?.(null));
  }
}

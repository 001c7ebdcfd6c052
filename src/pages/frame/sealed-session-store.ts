import { createHash } from 'node:crypto';
import { callbackify } from 'node:util';
import { type SessionData, Store } from 'express-session';
import { type Form, isReadableElsewhere, openVersioned, sealVersioned } from '../../ledger/versioned-seal.ts';
import { SealBrokenError, type Sealing } from '../../sealing/sealing.ts';
import { Secret } from '../../sealing/secret.ts';
import type { BrowserSessions } from '../../storage/storage.ts';

export interface SealedSessionStoreDeps {
  inner: BrowserSessions;
  sealing: Sealing;
  /** Somebody without a sealing key wrote to the storage. */
  onForgery: (error: Error) => void;
}

const FORM: Form = { kind: 'browser session', format: 1 };
const SAME_MS = 1000;

interface Kept {
  browser: string;
  isLeft?: boolean | undefined;
  expiresAtMs: number;
}

/**
 * Browser sessions as the storage may see them: kept under the hash of the session id, sealed to that place and to the
 * id itself. A copy of the storage, even together with the sealing key, gives no cookie that works, and no cookie of the thief's own
 * opens what was copied.
 *
 * There is no `touch`: a session ends with its grant, however often somebody looks at it.
 */
export class SealedSessionStore extends Store {
  readonly #options: SealedSessionStoreDeps;
  /** express-session saves once more at the end of an answer what we have saved before it: by then it is a moment older. */
  readonly #kept = new WeakMap<SessionData, Kept & { id: string }>();

  constructor(options: SealedSessionStoreDeps) {
    super();
    this.#options = options;
  }

  override get(id: string, done: (error: unknown, session?: SessionData | null) => void): void {
    callbackify(() => this.#load(id))(done);
  }

  override set(id: string, session: SessionData, done: (error?: unknown) => void = () => {}): void {
    callbackify(() => this.#keep(id, session))(done);
  }

  override destroy(id: string, done: (error?: unknown) => void = () => {}): void {
    callbackify(() => this.#options.inner.destroy(storeKey(id)))(done);
  }

  async #load(id: string): Promise<SessionData | null> {
    const key = storeKey(id);
    const stored = await this.#options.inner.get(key);
    return stored === undefined ? null : this.#open(id, key, stored);
  }

  async #keep(id: string, session: SessionData): Promise<void> {
    const { inner, sealing } = this.#options;
    const key = storeKey(id);
    const { expires, originalMaxAge } = session.cookie;
    // A cookie without an end, which none of ours is, opens nothing.
    const expiresAtMs = expires === null || expires === undefined ? 0 : new Date(expires).getTime();
    const kept: Kept = { browser: session.browser ?? '', isLeft: session.isLeft, expiresAtMs };
    const before = this.#kept.get(session);
    if (before !== undefined && before.id === id && isSame(before, kept)) return;
    const sealed = await sealVersioned(sealing, FORM, kept, context(key), new Secret(id));
    await inner.set(key, JSON.stringify({ cookie: { expires, originalMaxAge }, sealed }), expiresAtMs - Date.now());
    this.#kept.set(session, { ...kept, id });
  }

  async #open(id: string, key: string, stored: string): Promise<SessionData | null> {
    try {
      const sealed = sealedPart(stored);
      const kept = await openVersioned<Kept>(this.#options.sealing, FORM, sealed, context(key), new Secret(id));
      const lifeMs = kept.expiresAtMs - Date.now();
      if (lifeMs <= 0) return null;
      const cookie = { expires: new Date(kept.expiresAtMs), originalMaxAge: lifeMs };
      return { cookie, browser: kept.browser, isLeft: kept.isLeft } as SessionData;
    } catch (error) {
      // A key that is not here yet, or no longer, or another release's form: the person types the code again, which works.
      if (isReadableElsewhere(error)) return null;
      if (!(error instanceof SealBrokenError)) throw error;
      this.#options.onForgery(error);
      return null;
    }
  }
}

/** Nobody sees a difference of less than a second in how long a session lives. */
function isSame(left: Kept, right: Kept): boolean {
  return (
    left.browser === right.browser &&
    left.isLeft === right.isLeft &&
    Math.abs(left.expiresAtMs - right.expiresAtMs) < SAME_MS
  );
}

/** The cookie beside it is for other releases, which read it there; what counts is sealed. */
function sealedPart(stored: string): string {
  try {
    const { sealed } = JSON.parse(stored) as { sealed?: unknown };
    if (typeof sealed === 'string') return sealed;
  } catch {
    // Answered below, as any other text that none of us wrote.
  }
  throw new SealBrokenError('a browser session that is stored in no form of ours');
}

function storeKey(id: string): string {
  return createHash('sha256').update('gatehouse browser session\n').update(id).digest('base64url');
}

function context(key: string): string {
  return `browser session ${key}`;
}

import type { Adapter, AdapterPayload } from 'oidc-provider';

export type EmbeddedStore = Map<string, { payload: AdapterPayload; expiresAtMs: number }>;

/** Where oidc-provider keeps what it makes: a map that belongs to one provider and dies with it. */
export class MemoryAdapter implements Adapter {
  readonly #model: string;
  readonly #store: EmbeddedStore;

  constructor(model: string, store: EmbeddedStore) {
    this.#model = model;
    this.#store = store;
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds?: number): Promise<void> {
    const expiresAtMs =
      expiresInSeconds === undefined ? Number.POSITIVE_INFINITY : Date.now() + expiresInSeconds * 1000;
    this.#store.set(this.#key(id), { payload, expiresAtMs });
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const entry = this.#store.get(this.#key(id));
    return entry !== undefined && entry.expiresAtMs > Date.now() ? entry.payload : undefined;
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.#search((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.#search((payload) => payload.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    const payload = await this.find(id);
    if (payload !== undefined) payload['consumed'] = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    this.#store.delete(this.#key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, { payload }] of this.#store) {
      if (payload.grantId === grantId) this.#store.delete(key);
    }
  }

  #key(id: string): string {
    return `${this.#model}:${id}`;
  }

  #search(matches: (payload: AdapterPayload) => boolean): AdapterPayload | undefined {
    for (const [key, { payload, expiresAtMs }] of this.#store) {
      if (key.startsWith(`${this.#model}:`) && expiresAtMs > Date.now() && matches(payload)) return payload;
    }
    return undefined;
  }
}

/** The browser sessions in which somebody is signed in. */
export function sessionsOf(store: EmbeddedStore, subject: string): { key: string; payload: AdapterPayload }[] {
  return [...store]
    .filter(([key, { payload }]) => key.startsWith('Session:') && payload.accountId === subject)
    .map(([key, { payload }]) => ({ key, payload }));
}

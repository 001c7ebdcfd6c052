import { Redis } from 'ioredis';
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider';
import { pollBody, runSubject } from './subject.ts';

/**
 * `oidc-provider` with its own device flow and pending codes: `oidc-provider.ts CODES [REDIS]`. In memory it keeps what
 * its own adapter does; on Redis it gets an adapter in the form that its documentation suggests, one JSON value a model.
 */
const [codes = '1000', redisUrl] = process.argv.slice(2);
const redis = redisUrl === undefined ? undefined : new Redis(redisUrl, { keyPrefix: 'oidc:' });

class RedisAdapter implements Adapter {
  readonly #model: string;

  constructor(model: string) {
    this.#model = model;
  }

  async upsert(id: string, payload: AdapterPayload, expiresInSeconds: number): Promise<void> {
    await redis?.set(`${this.#model}:${id}`, JSON.stringify(payload), 'EX', expiresInSeconds);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    const stored = await redis?.get(`${this.#model}:${id}`);
    return stored ? JSON.parse(stored) : undefined;
  }

  async findByUserCode(): Promise<undefined> {}
  async findByUid(): Promise<undefined> {}
  async consume(): Promise<void> {}
  async destroy(): Promise<void> {}
  async revokeByGrantId(): Promise<void> {}
}

const provider = new Provider('http://127.0.0.1:8080', {
  clients: [
    {
      client_id: 'tv',
      token_endpoint_auth_method: 'none',
      grant_types: ['urn:ietf:params:oauth:grant-type:device_code'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: false } },
  ttl: { DeviceCode: 1800 },
  ...(redis === undefined ? {} : { adapter: RedisAdapter }),
});
const handle = provider.callback();

await runSubject(
  (request, response) => void handle(request, response),
  async () => {
    const client = await provider.Client.find('tv');
    if (client === undefined) throw new Error('oidc-provider does not know its client');
    const saved: string[] = [];
    while (saved.length < Number(codes)) {
      const userCode = String(saved.length).padStart(8, '0');
      const code = new provider.DeviceCode({
        client,
        params: { client_id: 'tv' },
        userCode,
        grantId: undefined,
      } as never);
      saved.push(await (code as unknown as { save(ttlSeconds: number): Promise<string> }).save(1800));
    }
    return { path: '/token', bodies: saved.map(pollBody) };
  },
);

import { GRANT_TYPES } from '../../oauth/grant-types.ts';
import { basicCredentials } from '../../upstream/requests/client-authentication.ts';
import { type Answer, errorOf, readAnswer, told } from './answer.ts';
import { CannotBeSeenError } from './cannot-be-seen-error.ts';
import type { FoundServer } from './find-server.ts';

/** What a device asked and got. */
export interface DeviceStart {
  deviceCode: string;
  userCode: string;
  verificationUri: string;
  verificationUriComplete: string | undefined;
  expiresInSeconds: number;
  intervalSeconds: number;
  atMs: number;
}

export type Fields = readonly (readonly [name: string, value: string])[];

export interface Asked {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string;
}

export type Decide = (start: DeviceStart, action: 'approve' | 'deny') => Promise<void>;

export interface Approach {
  issuer: string;
  clientId: string;
  clientSecret?: string | undefined;
  otherClientId?: string | undefined;
  scopes: readonly string[];
  /** How many codes are looked at. */
  starts: number;
  /** The longest that one check may wait. */
  waitSeconds: number;
  /** Plays the person; left out where nobody does. */
  decide?: Decide | undefined;
  fetch: typeof fetch;
  now: () => number;
  sleep: (milliseconds: number) => Promise<void>;
}

/** Of one run. */
export const MAX_REQUESTS = 300;
const REQUEST_MS = 15_000;
/** RFC 8628 §3.2: where the server sends none. */
const DEFAULT_INTERVAL_SECONDS = 5;

/** A server as a device meets it, by the protocol alone. */
export class ServerUnderTest {
  readonly approach: Approach;
  readonly found: FoundServer;
  /** What the first start got, for what is said before the others. */
  usualStart: DeviceStart | undefined;
  /** Everything that it answered, for what must hold of each answer. */
  readonly answers: Answer[] = [];
  #codes: Promise<DeviceStart[]> | undefined;
  #requests = 0;

  constructor(approach: Approach, found: FoundServer) {
    this.approach = approach;
    this.found = found;
  }

  /** @throws {CannotBeSeenError} where there were too many already: nobody's server is to be worn out */
  async ask(address: string, asked: Asked = {}): Promise<Answer> {
    this.#requests += 1;
    if (this.#requests > MAX_REQUESTS) throw new CannotBeSeenError(`${MAX_REQUESTS} requests were made already`);
    const answer = await askFor(this.approach.fetch, address, asked);
    this.answers.push(answer);
    return answer;
  }

  /** A form, with the client's authentication unless `client` says otherwise. */
  post(address: string, fields: Fields, client: ClientOf = this.client()): Promise<Answer> {
    const body = new URLSearchParams(
      [...(client.fields ?? []), ...fields].map(([name, value]) => [name, value] as [string, string]),
    );
    const headers = { 'content-type': FORM, ...client.headers };
    return this.ask(address, { method: 'POST', headers, body: body.toString() });
  }

  client(clientSecret = this.approach.clientSecret): ClientOf {
    const { clientId } = this.approach;
    if (clientSecret === undefined) return { fields: [['client_id', clientId]] };
    const methods = this.found.metadata?.['token_endpoint_auth_methods_supported'];
    const isInBody = Array.isArray(methods) && !methods.includes('client_secret_basic');
    if (!isInBody) return { headers: { authorization: basicCredentials(clientId, clientSecret) } };
    return {
      fields: [
        ['client_id', clientId],
        ['client_secret', clientSecret],
      ],
    };
  }

  scope(): Fields {
    const { scopes } = this.approach;
    return scopes.length === 0 ? [] : [['scope', scopes.join(' ')]];
  }

  askForCodes(more: Fields = [], client?: ClientOf): Promise<Answer> {
    return this.post(this.found.endpoints.start, [...this.scope(), ...more], client);
  }

  /** @throws {CannotBeSeenError} where no codes come; that they must is a check of its own */
  async start(): Promise<DeviceStart> {
    const atMs = this.approach.now();
    const answer = await this.askForCodes();
    const { json } = answer;
    const [deviceCode, userCode, uri, complete] = MEMBERS.map((name) => json?.[name]);
    if (answer.status !== 200 || typeof deviceCode !== 'string' || typeof userCode !== 'string') {
      throw new CannotBeSeenError(`no codes came: ${told(answer)}`);
    }
    const started: DeviceStart = {
      ...{ deviceCode, userCode, atMs },
      verificationUri: typeof uri === 'string' ? uri : '',
      verificationUriComplete: typeof complete === 'string' ? complete : undefined,
      expiresInSeconds: Number(json?.['expires_in']),
      intervalSeconds: Number(json?.['interval'] ?? DEFAULT_INTERVAL_SECONDS),
    };
    this.usualStart ??= started;
    return started;
  }

  /** The same for all checks that look at many: one after another, as a patient device would. */
  codes(): Promise<DeviceStart[]> {
    this.#codes ??= this.#startMany();
    return this.#codes;
  }

  async #startMany(): Promise<DeviceStart[]> {
    const started: DeviceStart[] = [];
    while (started.length < this.approach.starts) started.push(await this.start());
    return started;
  }

  poll({ deviceCode }: Pick<DeviceStart, 'deviceCode'>, client?: ClientOf): Promise<Answer> {
    const fields = [
      ['grant_type', GRANT_TYPES.device_code],
      ['device_code', deviceCode],
    ] as const;
    return this.post(this.found.endpoints.token, fields, client);
  }

  /** @throws {CannotBeSeenError} where nobody plays the person, or the person's pages do not let it */
  async decide(start: DeviceStart, action: 'approve' | 'deny'): Promise<void> {
    if (this.approach.decide === undefined) {
      throw new CannotBeSeenError(`needs a person: --approve-with COMMAND, which gets ACTION=${action}`);
    }
    await this.approach.decide(start, action);
  }

  wait(seconds: number): Promise<void> {
    return this.approach.sleep(seconds * 1000);
  }

  /** Polls as a device does until it hears more than "pending"; what it hears at last is the answer. */
  async pollUntilDecided(start: DeviceStart, polls = 5): Promise<Answer> {
    let interval = start.intervalSeconds;
    for (let n = 1; ; n += 1) {
      await this.wait(interval);
      const answer = await this.poll(start);
      if (errorOf(answer) === 'slow_down') interval += SLOW_DOWN_SECONDS;
      if (n === polls || !PENDING.has(errorOf(answer) ?? '')) return answer;
    }
  }
}

export interface ClientOf {
  fields?: Fields;
  headers?: Readonly<Record<string, string>>;
}

const FORM = 'application/x-www-form-urlencoded';
const MEMBERS = ['device_code', 'user_code', 'verification_uri', 'verification_uri_complete'] as const;
export const PENDING: ReadonlySet<string> = new Set(['authorization_pending', 'slow_down']);
/** RFC 8628 §3.5 */
export const SLOW_DOWN_SECONDS = 5;

export async function askFor(by: typeof fetch, address: string, { method = 'GET', headers, body }: Asked = {}) {
  const type = headers?.['content-type'];
  const isForm = type === undefined || type === FORM;
  const asked = `${method} ${new URL(address).pathname}${isForm ? '' : ` as ${type}`}`;
  const signal = AbortSignal.timeout(REQUEST_MS);
  const wanted = { accept: 'application/json', ...headers };
  const response = await by(address, {
    method,
    headers: wanted,
    redirect: 'manual',
    signal,
    ...(body !== undefined && { body }),
  });
  return readAnswer(response, asked);
}

import type { DpopKey } from './dpop-key.ts';

/** What a device sends with every request, besides what the request is about. */
export interface DeviceIdentity {
  clientId: string;
  /** Sent by Basic. */
  secret?: string;
  /** More parameters for the body: a secret there, an assertion. */
  credentials?: () => Promise<Parameters> | Parameters;
  dpop?: DpopKey;
}

export type Parameters = Record<string, string | readonly string[]>;

export interface DeviceAnswer {
  status: number;
  headers: Headers;
  /** As it came, byte for byte. */
  text: string;
  body: AnswerBody;
}

/** Of the members that tests take further the types are believed; all others are looked at as they come. */
export interface AnswerBody {
  [member: string]: unknown;
  device_code: string;
  user_code: string;
  access_token: string;
  refresh_token: string;
  id_token: string;
  error: string;
}

export const DEVICE_CODE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** A device at the device door, over HTTP. It sends what a test tells it to and interprets nothing. */
export class TestDevice {
  readonly identity: DeviceIdentity;
  readonly #origin: string;
  readonly #publicUrl: string;
  readonly #now: () => Promise<number>;

  /** @param at where to send requests, and what the broker calls itself */
  constructor(at: { origin: string; publicUrl: string; now: () => Promise<number> }, identity: DeviceIdentity) {
    this.#origin = at.origin;
    this.#publicUrl = at.publicUrl;
    this.#now = at.now;
    this.identity = identity;
  }

  start(more: Parameters = {}, headers: Record<string, string> = {}): Promise<DeviceAnswer> {
    return this.post('/device_authorization', more, headers);
  }

  poll(deviceCode: string, more: Parameters = {}, headers: Record<string, string> = {}): Promise<DeviceAnswer> {
    return this.post('/token', { grant_type: DEVICE_CODE_GRANT, device_code: deviceCode, ...more }, headers);
  }

  refresh(refreshToken: string, more: Parameters = {}, headers: Record<string, string> = {}): Promise<DeviceAnswer> {
    return this.post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken, ...more }, headers);
  }

  revoke(token: string, more: Parameters = {}): Promise<DeviceAnswer> {
    return this.post('/revoke', { token, ...more });
  }

  introspect(token: string, more: Parameters = {}): Promise<DeviceAnswer> {
    return this.post('/introspect', { token, ...more });
  }

  /** A proof of this device's key for one of the endpoints. */
  async proof(path: string, more: { nonce?: string; accessToken?: string; method?: string } = {}): Promise<string> {
    const { dpop } = this.identity;
    if (dpop === undefined) throw new Error('this device has no DPoP key');
    const { method = 'POST', ...rest } = more;
    return dpop.proof({ method, address: `${this.#publicUrl}${path}`, nowMs: await this.#now(), ...rest });
  }

  async post(path: string, parameters: Parameters, headers: Record<string, string> = {}): Promise<DeviceAnswer> {
    const { clientId, secret, credentials, dpop } = this.identity;
    const sent: Record<string, string> = {};
    if (secret !== undefined) {
      sent['authorization'] = `Basic ${Buffer.from(`${clientId}:${secret}`).toString('base64')}`;
    }
    const isProven = dpop !== undefined && (path === '/token' || path === '/device_authorization');
    if (isProven && headers['dpop'] === undefined) sent['dpop'] = await this.proof(path);
    const given = (await credentials?.()) ?? {};
    return this.send(path, {
      method: 'POST',
      headers: withoutEmpty({ ...sent, ...headers }),
      body: formOf({ ...(secret === undefined ? { client_id: clientId } : {}), ...given, ...parameters }),
    });
  }

  async send(path: string, init: RequestInit = {}): Promise<DeviceAnswer> {
    const response = await fetch(`${this.#origin}${path}`, { redirect: 'manual', ...init });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
    return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : {} };
  }
}

/** A header that a test sets to '' is left out. */
function withoutEmpty(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ''));
}

function formOf(parameters: Parameters): URLSearchParams {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const each of typeof value === 'string' ? [value] : value) form.append(name, each);
  }
  return form;
}

import type { IncomingHttpHeaders } from 'node:http';
import { type ClientCredentials, readClientCredentials } from '../../clients/client-credentials.ts';
import type { Form } from './form.ts';

/**
 * Endpoints are what machines call: form in, JSON out, no cookie, no session. Each is a pure function from a request to
 * a reply, so that it can be tested without a socket and mounted anywhere; `node-adapter.ts` puts them on node:http. Rules
 * of grants, sessions and tokens are not here: an endpoint reads, asks and answers.
 */
export type Endpoint = (request: DeviceRequest) => Promise<DeviceReply>;

export interface DeviceRequest {
  method: string;
  headers: IncomingHttpHeaders;
  /** Of the body; empty for GET and HEAD. */
  form: Form;
  /** Of the address; what a form has is never read from it. */
  query: () => URLSearchParams;
  /** The address that asked, as `trusted_proxies` lets us know it. */
  source: () => string;
  requestId: string;
  /** The registered client, as soon as it is known; for metrics, logs and CORS. */
  clientId?: string;
}

export interface DeviceReply {
  status: number;
  headers?: Readonly<Record<string, string>>;
  /** `no-store` where it is left out. */
  cacheControl?: string;
  /** Of the body; JSON where it is left out. */
  contentType?: string;
  /** JSON, or ready-made text of it. `undefined` is an empty body. */
  body?: object | string | undefined;
}

/** @throws {OAuthError} as `readClientCredentials` */
export function credentialsOf({ headers, form }: DeviceRequest): ClientCredentials {
  return readClientCredentials(headers.authorization, {
    client_id: form.get('client_id'),
    client_secret: form.get('client_secret'),
    client_assertion: form.get('client_assertion'),
    client_assertion_type: form.get('client_assertion_type'),
  });
}

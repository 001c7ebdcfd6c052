import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { DeviceReply, DeviceRequest } from './endpoint.ts';

/**
 * CORS for devices whose apps are web pages. A preflight cannot name its client, so it is answered for every origin
 * that some client lists; an answer is readable only for the origins of the client that asked. Pages never have it.
 */
export interface Cors {
  preflight(request: DeviceRequest, methods: string): DeviceReply;
  headers(request: DeviceRequest): Readonly<Record<string, string>> | undefined;
}

const DAY_SECONDS = 24 * 60 * 60;

export function createCors(clients: ReadonlyMap<string, RegisteredClient>): Cors {
  const all = new Set([...clients.values()].flatMap((client) => client.origins));

  return {
    preflight(_request, methods) {
      return {
        status: 204,
        headers: {
          Allow: methods,
          'Access-Control-Allow-Methods': methods,
          'Access-Control-Allow-Headers': 'Authorization, Content-Type, DPoP',
          'Access-Control-Max-Age': String(DAY_SECONDS),
        },
      };
    },

    headers(request) {
      const { origin } = request.headers;
      if (all.size === 0) return undefined;
      const client = request.clientId ?? request.form.get('client_id');
      const origins = client === undefined || request.method !== 'POST' ? all : clients.get(client)?.origins;
      const isAllowed = origin !== undefined && origins !== undefined && new Set(origins).has(origin);
      return isAllowed
        ? {
            Vary: 'Origin',
            'Access-Control-Allow-Origin': origin,
            'Access-Control-Expose-Headers': 'DPoP-Nonce, Retry-After, WWW-Authenticate, X-Request-Id',
          }
        : { Vary: 'Origin' };
    },
  };
}

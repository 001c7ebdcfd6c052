import type { RegisteredClient } from '../../clients/registered-client.ts';
import { isLoopback } from '../../network/loopback.ts';
import { createHostJudge } from '../../network/requested-host.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import type { DeviceRequest } from './endpoint.ts';

/**
 * What another site's page makes a browser send here. It could not read the answers, but what it starts would be counted
 * for the visitor's whole office.
 *
 * @returns what to refuse the request with, before its body is read or anything is counted
 */
export type ForeignRequest = (request: DeviceRequest) => OAuthError | undefined;

export function createForeignRequest(
  publicUrl: string,
  clients: ReadonlyMap<string, Pick<RegisteredClient, 'origins'>>,
): ForeignRequest {
  const known = new Set([...clients.values()].flatMap(({ origins }) => origins));
  known.add(new URL(publicUrl).origin);
  const hostOf = createHostJudge(publicUrl);

  return ({ method, headers }) => {
    if (hostOf(headers.host) === 'foreign') {
      return new OAuthError('invalid_request', `this is ${publicUrl}, and answers to no other name`, { status: 421 });
    }
    const { origin } = headers;
    // What GET answers is published, or wants a token that no other site has.
    if (method !== 'POST' || origin === undefined || known.has(origin)) return undefined;
    if (headers['sec-fetch-site'] === undefined && isProgramHere(origin)) return undefined;
    return new OAuthError('invalid_request', 'this Origin is in the origins of no client', { status: 403 });
  };
}

/** Some terminal programs send the Origin of the listener that they have for other flows. A browser says more than that. */
function isProgramHere(origin: string): boolean {
  return URL.canParse(origin) && isLoopback(new URL(origin).hostname);
}

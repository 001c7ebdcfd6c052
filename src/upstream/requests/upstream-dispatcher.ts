import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { isLoopbackAddress } from '../../network/loopback.ts';
import { isPublicAddress } from '../../network/public-address.ts';
import { UpstreamError } from '../upstream.ts';
import type { ProxySettings, Reach } from '../upstream-settings.ts';
import { IS_PRIVATE } from './address-rule.ts';
import { UnusableAddressError } from './request-failure.ts';

/**
 * The connections to one upstream, kept alive between requests. They trust whom this upstream's settings say, go over
 * its proxy, and lead to no private address where that is refused. undici does it, since the `fetch` of Node 20 takes
 * neither an authority nor a proxy of its own. It is loaded with the first request, so that starting need not wait for it.
 */
export async function upstreamDispatcher(
  { ca, proxy, allowsPrivateAddresses, timeoutSeconds }: Reach,
  lookup: LookupFunction = systemLookup as LookupFunction,
): Promise<Dispatcher> {
  const { Agent, ProxyAgent, buildConnector } = await import('undici');
  // Made once: of a list of authorities, OpenSSL would read every certificate for every connection.
  const trust = ca === undefined ? {} : { secureContext: createSecureContext({ ca }) };
  const timeout = timeoutSeconds * 1000;
  if (proxy === undefined) {
    const encrypted = buildConnector({
      timeout,
      ...trust,
      ...(!allowsPrivateAddresses && { lookup: checked(lookup, requirePublic) }),
    });
    const inClear = buildConnector({ timeout, lookup: checked(lookup, requireLoopback) });
    const connect: typeof encrypted = (to, done) => (to.protocol === 'http:' ? inClear : encrypted)(to, done);
    return new Agent({ connect });
  }
  const token = proxyCredentials(proxy);
  return new ProxyAgent({
    uri: proxy.url,
    ...(token !== undefined && { token }),
    proxyTls: { timeout },
    requestTls: { timeout, ...trust },
  });
}

/** RFC 7617 */
function proxyCredentials({ username, password }: ProxySettings): string | undefined {
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password?.reveal() ?? ''}`).toString('base64')}`;
}

/**
 * Looks names up and judges what they lead to. It is asked by the connection itself, which then goes to an address that
 * was judged: a name that says something else a moment later (DNS rebinding) gains nothing.
 */
function checked(lookup: LookupFunction, judge: (address: string, hostname: string) => void): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error !== null) return callback(error, '');
      const addresses = typeof found === 'string' ? [] : found;
      try {
        for (const { address } of addresses) judge(address, hostname);
      } catch (refusal) {
        return callback(refusal as Error, '');
      }
      const [{ address, family } = { address: '', family: 4 }] = addresses;
      return options.all === true ? callback(null, addresses) : callback(null, address, family);
    });
  };
}

function requirePublic(address: string, hostname: string): void {
  if (!isPublicAddress(address)) throw new UnusableAddressError(`${hostname} (${address}) ${IS_PRIVATE}`);
}

/** A resolver that gives a loopback name another address would have our secrets in clear. */
function requireLoopback(address: string, hostname: string): void {
  if (isLoopbackAddress(address)) return;
  throw new UpstreamError('invalid_answer', `${hostname} is not asked over https, and resolves to ${address}`);
}

import type { IncomingHttpHeaders } from 'node:http';
import type { Server, Socket } from 'node:net';
import { cidrSet } from './cidr.ts';
import { formatIpAddress, parseIpAddress } from './ip-address.ts';

/** The peer at the other end of a unix socket, which has no address. */
const UNIX_PEER = 'unix';

/**
 * The address of the peer; `undefined` where it has gone. At a unix socket it is a proxy on this machine, which the
 * socket's owner and mode let in: it is believed as a trusted proxy is.
 */
export function peerOf(socket: Socket): string | undefined {
  if (socket.remoteAddress !== undefined) return socket.remoteAddress;
  const { server } = socket as Socket & { server?: Server };
  return typeof server?.address() === 'string' ? UNIX_PEER : undefined;
}

/** Answers the address that a request came from, in the one way to write it. */
export type SourceAddress = (peerAddress: string | undefined, headers: IncomingHttpHeaders) => string;

/**
 * Each proxy appends the peer it saw to the forwarding header, so the header is believed from its right end, and only
 * as far as trusted proxies wrote it: the right-most hop that is not one of them is the source. What stands further
 * left is whatever the visitor liked to send. Exactly one header is read; a proxy that sets one may well hand a
 * visitor's own other one through. Where a trusted proxy wrote something that is no address, the proxy itself is the
 * last hop that is known.
 */
export function createSourceAddress(settings: SourceSettings): SourceAddress {
  const proxies = cidrSet(settings.trustedProxies);
  const hopsOf = settings.forwardedHeader === 'forwarded' ? forwardedHops : forwardedForHops;

  return (peerAddress, headers) => {
    const isUnix = peerAddress === UNIX_PEER;
    let known = isUnix ? 'unknown' : normalised(peerAddress ?? '');
    if (known === undefined) return 'unknown';
    if (!isUnix && !proxies.has(known)) return known;
    const header = headers[settings.forwardedHeader];
    // Several header lines are one list, in the order they came (RFC 9110 §5.3); Node has joined them in most cases.
    const line = typeof header === 'object' ? header.join(',') : (header ?? '');
    for (const hop of hopsOf(line)) {
      const address = hop === undefined ? undefined : normalised(withoutPort(hop));
      if (address === undefined) return known;
      known = address;
      if (!proxies.has(known)) return known;
    }
    return known;
  };
}

export function sourceAddress(
  peerAddress: string | undefined,
  headers: IncomingHttpHeaders,
  settings: SourceSettings,
): string {
  return createSourceAddress(settings)(peerAddress, headers);
}

/** From right to left, so that a header of any length costs no more than its trusted end. */
function* forwardedForHops(line: string): Generator<string> {
  let end = line.length;
  while (end > 0) {
    const comma = line.lastIndexOf(',', end - 1);
    const hop = line.slice(comma + 1, end).trim();
    // An empty element counts for nothing (RFC 9110 §5.6.1).
    if (hop !== '') yield hop;
    end = comma;
  }
}

/**
 * The `for` of each element of RFC 7239, from right to left; `undefined` for an element that has none, or several.
 * Quotes are paired from the right as well: were they paired from the left, one stray quote of the visitor would
 * swallow what the proxy wrote behind it.
 */
function* forwardedHops(line: string): Generator<string | undefined> {
  for (const element of splitFromRight(line, ',')) {
    if (element === '') continue;
    const values = [...splitFromRight(element, ';')].flatMap((pair) => {
      const [, value] = /^for\s*=\s*(.*)$/is.exec(pair) ?? [];
      return value === undefined ? [] : [value];
    });
    yield values.length === 1 ? unquoted(values[0] ?? '') : undefined;
  }
}

function* splitFromRight(text: string, divider: ',' | ';'): Generator<string> {
  let end = text.length;
  let isQuoted = false;
  for (let at = text.length - 1; at >= 0; at -= 1) {
    if (text[at] === '"' && !(isQuoted && isEscaped(text, at))) isQuoted = !isQuoted;
    else if (text[at] === divider && !isQuoted) {
      yield text.slice(at + 1, end).trim();
      end = at;
    }
  }
  yield text.slice(0, end).trim();
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0;
  while (text[at - 1 - backslashes] === '\\') backslashes += 1;
  return backslashes % 2 === 1;
}

function unquoted(value: string): string {
  return /^".*"$/s.test(value) ? value.slice(1, -1).replace(/\\(.)/gs, '$1') : value;
}

/** `[2001:db8::1]:4711`, `192.0.2.1:4711`; some proxies write ports into `X-Forwarded-For` too. */
function withoutPort(hop: string): string {
  const [, bracketed, plain] = /^(?:\[([^\]]*)\]|([^:]*))(?::[^:\]]*)?$/.exec(hop) ?? [];
  return bracketed ?? plain ?? hop;
}

function normalised(text: string): string | undefined {
  const address = parseIpAddress(text);
  return address === undefined ? undefined : formatIpAddress(address);
}

/** How the address that a request came from is found. */
export interface SourceSettings {
  /** Peers whose forwarding header is believed; empty: nobody's. */
  trustedProxies: readonly string[];
  /** Exactly this one is read, the other never: a proxy that sets one may pass a visitor's own other one through. */
  forwardedHeader: 'x-forwarded-for' | 'forwarded';
}

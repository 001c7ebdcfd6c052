/**
 * Every request to a provider: its address, its time, its size, and what an answer means. What it says of a person is in
 * `claims/`.
 */

import type { LookupFunction } from 'node:net';
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import type { Dispatcher } from 'undici';
import { UpstreamError } from '../upstream.ts';
import type { Reach } from '../upstream-settings.ts';
import { requireAllowed } from './address-rule.ts';
import { type AnswerHeaders, BufferedResponse } from './buffered-response.ts';
import { requestFailure, UnansweredError, UnusableAddressError } from './request-failure.ts';
import { upstreamDispatcher } from './upstream-dispatcher.ts';
import { wholeAnswer } from './whole-answer.ts';

const LARGEST_ANSWER_BYTES = 1024 * 1024;

export interface BoundedRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: RequestInit['body'] | undefined;
}

/** What came back, whatever it says. */
export interface PlainAnswer {
  status: number;
  headers: AnswerHeaders;
  body: Uint8Array<ArrayBuffer>;
}

/**
 * The one way out to an upstream. It goes only where the upstream's document may send us, follows no redirect (one
 * could carry a client secret to another host), reads a bounded number of bytes, and stops at the deadline of the
 * whole operation.
 */
export interface BoundedFetch {
  /**
   * Hands on every answer of the protocol, errors included; what has none in it is thrown.
   *
   * @throws {UpstreamError} `unavailable` or `invalid_answer`
   */
  (address: string, request: BoundedRequest, deadline: AbortSignal): Promise<BufferedResponse>;
  /** The same for who wants to see redirects and 5xx too. */
  plain(address: string, request: BoundedRequest, deadline: AbortSignal): Promise<PlainAnswer>;
}

/** @param lookup in place of the system's, for tests */
export function createBoundedFetch(
  { issuer, reach }: { issuer: string; reach: Reach },
  lookup?: LookupFunction,
): BoundedFetch {
  const { backChannel, endpoints, allowsPrivateAddresses, proxy, unusedProxy } = reach;
  const stated = [backChannel, ...Object.values(endpoints)].filter((one) => one !== undefined);
  const rule = { issuer, stated, allowsPrivateAddresses };
  const way = proxy === undefined ? '' : ` over the proxy ${proxy.url}`;
  let dispatcher: Promise<Dispatcher> | undefined;

  async function plain(address: string, request: BoundedRequest, deadline: AbortSignal): Promise<PlainAnswer> {
    const url = new URL(address);
    const place = placeOf(url);
    requireAllowed(url, rule);
    try {
      dispatcher ??= upstreamDispatcher(reach, lookup);
      const { status, headers, body } = await wholeAnswer(
        await dispatcher,
        {
          origin: url.origin,
          path: `${url.pathname}${url.search}`,
          method: (request.method ?? 'GET') as Dispatcher.HttpMethod,
          // What is compressed all the same is unfolded, within the same bound.
          headers: { 'accept-encoding': 'identity', ...request.headers },
          body: textOf(request.body),
        },
        { deadline, maxBytes: LARGEST_ANSWER_BYTES, tooLarge: () => tooLarge(place) },
      );
      return { status, headers, body: await unfolded(body, headers['content-encoding'], place) };
    } catch (error) {
      const isNamedThere = url.origin !== new URL(issuer).origin && !stated.includes(address);
      throw requestFailure(place, { way, unusedProxy, isNamedThere }, error);
    }
  }

  async function ofProtocol(
    address: string,
    request: BoundedRequest,
    deadline: AbortSignal,
  ): Promise<BufferedResponse> {
    const { status, headers, body } = await plain(address, request, deadline);
    if (status < 300) return new BufferedResponse(body, { status, headers });
    const url = new URL(address);
    const place = placeOf(url);
    if (status < 400) {
      const location = String(headers['location'] ?? '');
      const to = URL.canParse(location, url.href) ? placeOf(new URL(location, url)) : 'nowhere';
      throw new UnusableAddressError(`${place} redirects to ${to} (${status}), which is not followed`);
    }
    if (status >= 502 && status <= 504) throw new UnansweredError(`${place} answers ${status}`);
    if (status >= 500 || status === 429) throw new UpstreamError('unavailable', `${place} answers ${status}`);
    return new BufferedResponse(body, { status, headers });
  }

  return Object.assign(ofProtocol, { plain });
}

/** openid-client sends nothing but forms. */
function textOf(body: BoundedRequest['body']): string | null {
  if (typeof body === 'string') return body;
  return body instanceof URLSearchParams ? body.toString() : null;
}

/** An address without its query, which may have a code or a token in it. */
function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

const UNFOLD = new Map([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
]);

async function unfolded(
  body: Uint8Array<ArrayBuffer>,
  encoding: string | string[] | undefined,
  place: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const unfold = UNFOLD.get(String(encoding ?? '').toLowerCase());
  if (unfold === undefined || body.length === 0) return body;
  try {
    return await unfold(body, { maxOutputLength: LARGEST_ANSWER_BYTES });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(place);
    throw new UpstreamError('invalid_answer', `${place} answers with a body that cannot be decompressed`);
  }
}

function tooLarge(place: string): UpstreamError {
  return new UpstreamError('invalid_answer', `${place} answers with more than ${LARGEST_ANSWER_BYTES} bytes`);
}

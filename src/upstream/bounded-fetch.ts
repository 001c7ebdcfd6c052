import dns from 'node:dns/promises';
import { isLoopback, isLoopbackAddress } from '../network/loopback.ts';
import { UpstreamError } from './upstream.ts';

const LARGEST_ANSWER_BYTES = 1024 * 1024;

/** An address that waiting does not mend: nothing is there, it redirects, or its certificate is not trusted here. */
export class UnusableAddressError extends UpstreamError {
  constructor(detail: string) {
    super('unavailable', detail);
  }
}

interface BoundedRequest {
  method?: string;
  headers?: Record<string, string>;
  body?: RequestInit['body'] | null | undefined;
}

/**
 * The one way out to an upstream. It follows no redirect (one could carry a client secret to another host), reads a
 * bounded number of bytes, and stops at the deadline of the whole operation. What has no answer of the protocol in it
 * is thrown here; every other answer, errors included, is handed on.
 *
 * @throws {UpstreamError} `unavailable` or `invalid_answer`
 */
export async function boundedFetch(address: string, request: BoundedRequest, deadline: AbortSignal): Promise<Response> {
  const url = new URL(address);
  const place = placeOf(address, url);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw new UpstreamError('invalid_answer', `${place} is not https (http is accepted on loopback only)`);
  }
  try {
    if (url.protocol === 'http:') await refuseElsewhere(url);
    const { method = 'GET', headers = {}, body: sent = null } = request;
    const response = await fetch(url, { method, headers, body: sent, redirect: 'manual', signal: deadline });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      const to = placeOf(response.headers.get('location') ?? '', url);
      throw new UnusableAddressError(`${place} redirects to ${to} (${response.status}), which is not followed`);
    }
    if (response.status >= 500 || response.status === 429) {
      await response.body?.cancel();
      throw new UpstreamError('unavailable', `${place} answers ${response.status}`);
    }
    const body = await readBounded(response, place);
    const isBodyless = response.status === 204 || response.status === 205;
    return new Response(isBodyless ? null : body, { status: response.status, headers: plainHeaders(response.headers) });
  } catch (error) {
    throw error instanceof UpstreamError ? error : unanswered(place, error);
  }
}

/** A resolver that gives a loopback name another address would have our secrets in clear. */
async function refuseElsewhere({ hostname, origin }: URL): Promise<void> {
  if (/^[[\d]/.test(hostname)) return;
  const addresses = await dns.lookup(hostname, { all: true });
  const elsewhere = addresses.find(({ address }) => !isLoopbackAddress(address));
  if (elsewhere === undefined) return;
  throw new UpstreamError('invalid_answer', `${origin} is not https, and resolves to ${elsewhere.address}`);
}

/** An address without its query, which may have a code or a token in it. */
function placeOf(address: string, base: URL): string {
  const url = URL.canParse(address, base.href) ? new URL(address, base) : undefined;
  return url === undefined ? 'nowhere' : `${url.origin}${url.pathname}`;
}

async function readBounded(response: Response, place: string): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > LARGEST_ANSWER_BYTES) {
      throw new UpstreamError('invalid_answer', `${place} answers with more than ${LARGEST_ANSWER_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  const body = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** The body was decoded while it was read, so these no longer describe it. */
function plainHeaders(headers: Headers): Headers {
  const plain = new Headers(headers);
  plain.delete('content-encoding');
  plain.delete('content-length');
  return plain;
}

/** What OpenSSL calls a certificate of an authority that it does not know. */
const UNKNOWN_AUTHORITY = /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/;

function unanswered(place: string, error: unknown): UpstreamError {
  const detail = `${place}: ${reason(error)}`;
  const code = codeOf(error);
  if (UNKNOWN_AUTHORITY.test(code)) {
    return new UnusableAddressError(`${detail}; an authority of your own is named in NODE_EXTRA_CA_CERTS`);
  }
  return code.includes('CERT') ? new UnusableAddressError(detail) : new UpstreamError('unavailable', detail);
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'code' in cause ? String(cause.code) : '';
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'no answer in time';
  const { cause } = error;
  if (cause instanceof Error) return 'code' in cause ? `${String(cause.code)} (${cause.message})` : cause.message;
  return error.message;
}

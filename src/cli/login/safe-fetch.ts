import { isLoopback } from '../../network/loopback.ts';
import { type JsonObject, parseJsonObject } from '../../oauth/json-object.ts';

/**
 * HTTP as `gatehouse login` speaks it: the rules of safety that hold for every address a server names, and the leniency
 * that servers in the field need. What an answer means is not here.
 */
export interface SafeFetch {
  fetch: typeof fetch;
  signal: AbortSignal;
  /** Is told each JSON answer as it came, before anything was mended. */
  onAnswer: (body: JsonObject) => void;
  /** Where the status is the whole answer (RFC 7009 §2.2). */
  statusIsAnswer?: true;
}

export interface WireRequest {
  method: string;
  headers: Record<string, string>;
  body?: RequestInit['body'] | null | undefined;
  redirect: 'manual';
  signal?: AbortSignal | undefined;
}

/** An address that is refused because what is sent there could be read on the way. */
export class UnsafeAddressError extends Error {
  override readonly name = 'UnsafeAddressError';
}

/** The server did not answer, or answered with a status that says "later". The same request may be made again. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
  /** Absent where nothing answered at all. */
  readonly status: number | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    reason: string,
    answer: { status?: number; retryAfterSeconds?: number | undefined } = {},
    options?: ErrorOptions,
  ) {
    super(reason, options);
    this.status = answer.status;
    this.retryAfterSeconds = answer.retryAfterSeconds;
  }
}

/** Something answered, but not as an authorization server would. */
export class UnexpectedAnswerError extends Error {
  override readonly name = 'UnexpectedAnswerError';
}

/** Enough digits are Infinity, which no date and no JSON can hold. */
const MAX_RETRY_AFTER_SECONDS = 24 * 60 * 60;
const mostBytes = 1024 * 1024;
const laterStatuses = new Set([408, 425, 429]);

/** RFC 8628 §3.1 wants TLS; on the loopback interface there is nobody to read along. */
export function assertSafeAddress(address: string): void {
  const url = new URL(address);
  if (url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))) return;
  throw new UnsafeAddressError(
    `The address ${url.origin} is refused: without https, anybody on the way could read the tokens. On this machine itself (127.0.0.1, localhost) http will do.`,
  );
}

export function wireFetch(wire: SafeFetch): (url: string, init: WireRequest) => Promise<Response> {
  return async (url, init) => {
    assertSafeAddress(url);
    const signals = init.signal ? [wire.signal, init.signal] : [wire.signal];
    let response: Response;
    let text: string;
    try {
      response = await wire.fetch(url, { ...plainForm(init), signal: AbortSignal.any(signals) });
      text = await readText(response);
    } catch (cause) {
      wire.signal.throwIfAborted();
      if (cause instanceof UnexpectedAnswerError) throw cause;
      throw new UnreachableError(`cannot reach ${new URL(url).host} (${whyUnreachable(cause)})`, {}, { cause });
    }
    return mend(wire, url, response, text);
  };
}

/** oauthlib's servers (django-oauth-toolkit) refuse a content type that has `;charset=UTF-8` behind it. */
function plainForm({ method, redirect, body = null, headers }: WireRequest): RequestInit {
  if (!(body instanceof URLSearchParams)) return { method, redirect, headers, body };
  const sent = new Headers(headers);
  sent.set('content-type', 'application/x-www-form-urlencoded');
  return { method, redirect, headers: sent, body: body.toString() };
}

/** A server, or what sits in its place, may send without end. */
export async function readText(
  response: Response,
  most = mostBytes,
  tooLong: () => Error = () => new UnexpectedAnswerError(`${response.url} sends more than ${most} bytes`),
): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > most) throw tooLong();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function mend(wire: SafeFetch, url: string, response: Response, text: string): Response {
  const { status, headers } = response;
  if (status >= 500 || laterStatuses.has(status)) {
    throw new UnreachableError(`${new URL(url).host} answered ${status}`, {
      status,
      retryAfterSeconds: retryAfterSeconds(headers),
    });
  }
  // Signed userinfo is no JSON, and is judged elsewhere.
  if (headers.get('content-type')?.startsWith('application/jwt')) return new Response(text, { status, headers });
  const body = parseJsonObject(text);
  if (body === undefined && wire.statusIsAnswer === true && status === 200) return new Response('', { status });
  if (body === undefined) {
    const moved = status >= 300 && status < 400 ? `, a redirect to ${headers.get('location') ?? 'nowhere'}` : '';
    const kind = headers.get('content-type') ?? 'no content type';
    throw new UnexpectedAnswerError(`${url} answered ${status} (${kind})${moved}, and not with JSON`);
  }
  wire.onAnswer(body);
  return new Response(JSON.stringify(mended(body)), {
    // GitHub answers 200 to a pending poll, with an error in it; a few servers answer 201 to a good one.
    status: typeof body['error'] === 'string' && status < 400 ? 400 : status < 300 ? 200 : status,
    headers: { 'content-type': 'application/json' },
  });
}

/** `null` stands for "absent" in many servers; `interval` comes as text or 0 in some; Google says `verification_url`. */
function mended(body: JsonObject): JsonObject {
  const present = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  if ('device_code' in present) {
    present['verification_uri'] ??= present['verification_url'];
    const interval = Number(present['interval']);
    if (interval > 0) present['interval'] = interval;
    else delete present['interval'];
  }
  return present;
}

/** RFC 9110 §10.2.3: seconds, or a date. */
function retryAfterSeconds(headers: Headers): number | undefined {
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(value)) return Math.min(Number(value), MAX_RETRY_AFTER_SECONDS);
  const seconds = Math.ceil((Date.parse(value) - Date.now()) / 1000);
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_SECONDS) : undefined;
}

const untrusted = 'certificate of an unknown authority; NODE_EXTRA_CA_CERTS can name a file of further ones';

const plainWords: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ECONNREFUSED: 'connection refused',
    ECONNRESET: 'connection cut',
    UND_ERR_SOCKET: 'connection cut',
    ENOTFOUND: 'no such host',
    EAI_AGAIN: 'the name could not be looked up',
    ETIMEDOUT: 'no answer in time',
    UND_ERR_CONNECT_TIMEOUT: 'no answer in time',
    UND_ERR_HEADERS_TIMEOUT: 'no answer in time',
    ENETUNREACH: 'no network',
    EHOSTUNREACH: 'host away',
    DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
    SELF_SIGNED_CERT_IN_CHAIN: untrusted,
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
    CERT_HAS_EXPIRED: 'its certificate has expired',
  }),
);

function whyUnreachable(error: unknown): string {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause.name === 'TimeoutError') return 'no answer in time';
    const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : '';
    const words = plainWords.get(code);
    if (words !== undefined) return words;
    if (cause.cause === undefined && code !== '') return code;
  }
  return error instanceof Error ? error.message : String(error);
}

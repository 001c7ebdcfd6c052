import { readFileSync } from 'node:fs';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '../../telemetry/logger.ts';

/** What Node's parser gave up on, by its code; everything else is 400. `CONNECT` is our server's word for that method. */
const FAULTS: Readonly<Record<string, readonly [number, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers of the request are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of a chunk are too large'],
  CONNECT: [400, 'CONNECT is not served: this is no proxy'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not arrive in time'],
};
const UNREADABLE = [400, 'the request is not readable as HTTP'] as const;

/** How long the rest of what is being sent is read and dropped, so that the answer arrives before the end does. */
const LINGER_MS = 500;

const PAGE = new URL('../../../views/unreadable.html', import.meta.url);

interface ParserError extends Error {
  code?: string;
  rawPacket?: Buffer;
}

/**
 * Answers where no request came out of what was sent, in place of the bare status that Node would write: for the
 * `clientError` of a server. All that is known is the last packet, which may begin in the middle of a header.
 */
export function createUnreadableRequest(deps: { newRequestId: () => string; isHttps: boolean; logger: Logger }) {
  const answered = new WeakSet<Duplex>();
  let page: string | undefined;

  return (error: ParserError, socket: Duplex): void => {
    // What else is sent is no request either, and is told again.
    if (answered.has(socket)) return;
    answered.add(socket);
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const [status, description] = FAULTS[error.code ?? ''] ?? UNREADABLE;
    const requestId = deps.newRequestId();
    const isForPeople = isFromBrowser(error.rawPacket?.toString('latin1') ?? '', status);
    const logged = { requestId, route: 'none', status, detail: error.code };
    // A person has the reference before them: its line is there at the usual level too.
    if (isForPeople) deps.logger.event('page.refused', { ...logged, reason: 'unreadable' });
    else deps.logger.event('request.refused', logged);
    if (isForPeople) page ??= readFileSync(PAGE, 'utf8');
    const body = isForPeople
      ? (page ?? '').replaceAll('{reference}', requestId)
      : JSON.stringify({ error: 'invalid_request', error_description: description });
    const lines = [
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
      `X-Request-Id: ${requestId}`,
      'Cache-Control: no-store',
      'X-Content-Type-Options: nosniff',
      ...(deps.isHttps ? ['Strict-Transport-Security: max-age=31536000'] : []),
      ...(isForPeople ? PAGE_LINES : ['Content-Type: application/json']),
      `Content-Length: ${Buffer.byteLength(body)}`,
      'Connection: close',
    ];
    socket.end(`${lines.join('\r\n')}\r\n\r\n${body}`);
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  };
}

const PAGE_LINES = [
  'Content-Type: text/html; charset=utf-8',
  "Content-Security-Policy: default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'X-Frame-Options: DENY',
];

/** Where the packet has no beginning, too large a head is a browser's: nothing else gathers so many cookies. */
function isFromBrowser(packet: string, status: number): boolean {
  return /^[A-Z]+ \S+ HTTP\/1/.test(packet) ? /text\/html/i.test(packet) : status === 431;
}

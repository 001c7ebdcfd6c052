import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { Server as TlsServer } from 'node:tls';
import type { Listen } from '../../config/config.ts';
import { MAX_HEAD_KIBIBYTES, MAX_HEADERS } from '../../limits/head-fault.ts';

const SECOND = 1000;

/**
 * The server that devices and people come to. Keep-alive outlives the longest interval between two polls and the idle
 * time of proxies in front of us: with Node's own five seconds nearly every poll after a pause met a closing connection.
 * Slow headers, bodies and handshakes are cut. What Node would refuse with a bare status is answered like everything
 * else.
 */
export function createPublicServer(
  handle: RequestListener,
  unreadable: (error: Error, socket: Duplex) => void,
  tls?: Listen['tls'],
): Server {
  const options: ServerOptions = {
    keepAliveTimeout: 75 * SECOND,
    headersTimeout: 10 * SECOND,
    requestTimeout: 12 * SECOND,
    connectionsCheckingInterval: 2 * SECOND,
    maxHeaderSize: 3 * MAX_HEAD_KIBIBYTES * 1024,
    requireHostHeader: false,
  };
  const server =
    tls === undefined
      ? createServer(options, handle)
      : createTlsServer({ ...options, ...contextOf(tls), handshakeTimeout: 10 * SECOND }, handle);
  // One more, so that it is seen where there are more.
  server.maxHeadersCount = MAX_HEADERS + 1;
  // RFC 9110 §10.1.1 lets a server ignore an expectation that it does not know; Node would answer 417.
  server.on('checkExpectation', handle);
  // Node would close without a word. Whoever looks for an open proxy gets an answer and leaves a line in the log.
  server.on('connect', (_request, socket) => unreadable(Object.assign(new Error(), { code: 'CONNECT' }), socket));
  return server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Where no TLS came about there is nobody to answer: port scanners, and those who speak plain HTTP here.
    if (/^ERR_(SSL|TLS)/.test(error.code ?? '')) socket.destroy();
    else unreadable(error, socket);
  });
}

/** Shows another certificate to those who connect from now on; connections that stand go on. */
export function renewCertificate(server: Server, tls: NonNullable<Listen['tls']>): void {
  if (server instanceof TlsServer) server.setSecureContext(contextOf(tls));
}

function contextOf({ cert, key }: NonNullable<Listen['tls']>) {
  return { cert, key: key.reveal(), minVersion: 'TLSv1.2' } as const;
}

import { createServer, type RequestListener, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { MAX_HEAD_KIBIBYTES } from '../limits/head-fault.ts';

const SECOND = 1000;

/**
 * The server that devices and people come to. Keep-alive outlives the longest interval between two polls and the idle
 * time of proxies in front of us: with Node's own five seconds nearly every poll after a pause met a closing connection.
 * Slow headers and bodies are cut. What Node would refuse with a bare status is answered like everything else.
 */
export function createPublicServer(
  handle: RequestListener,
  unreadable: (error: Error, socket: Duplex) => void,
): Server {
  const server = createServer(
    {
      keepAliveTimeout: 75 * SECOND,
      headersTimeout: 10 * SECOND,
      requestTimeout: 12 * SECOND,
      connectionsCheckingInterval: 2 * SECOND,
      maxHeaderSize: 3 * MAX_HEAD_KIBIBYTES * 1024,
      requireHostHeader: false,
    },
    handle,
  );
  // RFC 9110 §10.1.1 lets a server ignore an expectation that it does not know; Node would answer 417.
  return server.on('checkExpectation', handle).on('clientError', unreadable);
}

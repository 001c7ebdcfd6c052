import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { equalTexts } from '../../sealing/sealing.ts';

/**
 * Waits on 127.0.0.1 for the browser to bring the proof that it runs on this machine (docs/protocol/same-device-proof.md).
 * There is one address, of 128 random bits. Whatever else comes gets 404 and changes nothing.
 */
export interface LoopbackListener {
  port: number;
  path: string;
  /** Aborted when the next proof comes. */
  readonly arrival: AbortSignal;
  /** The last proof that came and was not taken yet. */
  take(): string | undefined;
  /** The browser may be sent back to this server, and to no other. */
  returnTo(origin: string): void;
  close(): void;
}

const PATH_BYTES = 16;
const PROOF = /^[A-Za-z0-9_-]{22,128}$/;
/** More are none: the server denies at the third wrong one. */
const MAX_PROOFS = 3;
const MAX_CONNECTIONS = 16;
const REQUEST_MS = 5000;

const TOLD = `<!doctype html><html lang="en"><meta charset="utf-8"><title>Done</title>
<h1>Done</h1><p>You can return to your terminal. You may close this page.</p></html>
`;

/** `undefined` where this machine lets us listen nowhere. */
export async function openLoopbackListener(): Promise<LoopbackListener | undefined> {
  const path = randomBytes(PATH_BYTES).toString('base64url');
  const seen = new Set<string>();
  let arriving = new AbortController();
  let arrived: string | undefined;
  let origin: string | undefined;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader('Connection', 'close').setHeader('Cache-Control', 'no-store');
    const query = isNavigation(request) ? queryAt(request, `127.0.0.1:${port}`, path) : undefined;
    const proof = query?.get('proof') ?? '';
    if (!PROOF.test(proof) || (seen.size >= MAX_PROOFS && !seen.has(proof))) return void response.writeHead(404).end();
    if (!seen.has(proof)) {
      seen.add(proof);
      arrived = proof;
      arriving.abort();
    }
    const back = query?.get('return_uri') ?? '';
    // The server's own page says it better, and in the person's language.
    const address = URL.canParse(back) ? new URL(back) : undefined;
    if (address?.origin === origin && address !== undefined) {
      return void response.writeHead(303, { location: address.href }).end();
    }
    response.writeHead(200, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
      'referrer-policy': 'no-referrer',
    });
    response.end(TOLD);
  }

  const server = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS }, answer);
  server.maxConnections = MAX_CONNECTIONS;
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(0, '127.0.0.1', () => resolve(true));
  });
  if (!isListening) return undefined;
  const { port } = server.address() as AddressInfo;
  return {
    port,
    path,
    get arrival() {
      return arriving.signal;
    },
    take() {
      const taken = arrived;
      arrived = undefined;
      if (taken !== undefined) arriving = new AbortController();
      return taken;
    },
    returnTo(address) {
      origin = URL.canParse(address) ? new URL(address).origin : undefined;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A page that embeds our address, or fetches it, is not the browser on its way. */
function isNavigation({ method, headers }: IncomingMessage): boolean {
  const { 'sec-fetch-dest': destination = 'document' } = headers;
  return method === 'GET' && destination === 'document';
}

/** By another name of this machine no browser of ours comes (DNS rebinding). */
function queryAt({ url = '', headers }: IncomingMessage, host: string, path: string): URLSearchParams | undefined {
  const [asked = '', query = ''] = url.split('?', 2);
  return headers.host === host && equalTexts(asked, `/${path}`) ? new URLSearchParams(query) : undefined;
}

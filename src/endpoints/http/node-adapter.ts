import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HEAD_WORDS, type HeadFault, headFault, isTooLarge } from '../../limits/head-fault.ts';
import { FORM_TYPE, isFormType } from '../../oauth/form-type.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import { isReadParameter } from '../../oauth/parameters.ts';
import { quotable } from '../../oauth/quotable.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { ConnectionTurns } from './connection-turns.ts';
import type { Cors } from './cors.ts';
import type { DeviceReply, DeviceRequest, Endpoint } from './endpoint.ts';
import type { ForeignRequest } from './foreign-requests.ts';
import { Form, notUtf8, parseForm } from './form.ts';
import { asOAuthError, oauthErrorReply } from './oauth-reply.ts';

/** One path of the device door: what it answers to which method. GET answers HEAD too. */
export interface DeviceRoute {
  /** As in the list of routes. */
  path: string;
  GET?: Endpoint;
  POST?: Endpoint;
  /** Puts an answer, an error too, into another server's form. */
  shape?: (request: DeviceRequest, reply: DeviceReply) => DeviceReply;
  /** Whatever the method is; without it others are refused. Bodies are not read for it. */
  OTHERWISE?: Endpoint;
}

export interface NodeAdapterDeps {
  sourceAddress: (request: IncomingMessage) => string;
  newRequestId: () => string;
  cors: Cors;
  foreignRequest: ForeignRequest;
  isHttps: boolean;
  logger: Logger;
}

const MAX_BODY_BYTES = 8 * 1024;

/**
 * Puts endpoints on node:http. Ours is the short way in: no framework stands between a poll and its answer, since a
 * pending poll is nine tenths of all the traffic that this program will ever see.
 */
export function createNodeAdapter(deps: NodeAdapterDeps) {
  const turns = new ConnectionTurns();
  const always = ['X-Content-Type-Options', 'nosniff'];
  if (deps.isHttps) always.push('Strict-Transport-Security', 'max-age=31536000');

  return async function answer(message: IncomingMessage, response: ServerResponse, route: DeviceRoute): Promise<void> {
    const request: DeviceRequest = {
      method: message.method ?? '',
      headers: message.headers,
      form: NO_FORM,
      query: () => queryOf(message.url ?? ''),
      source: () => deps.sourceAddress(message),
      requestId: deps.newRequestId(),
    };
    let reply: DeviceReply;
    try {
      const endpoint = endpointFor(deps, message, request, route);
      if (request.method === 'POST' && endpoint === route.POST) {
        const body = readBody(message, request);
        request.form = parseForm(typeof body === 'string' ? body : await body);
        refuseRepeatedInQuery(message.url ?? '', request.form);
      }
      reply = await turns.answer(message.socket, endpoint, request);
    } catch (thrown) {
      const error = asOAuthError(thrown);
      log(deps.logger, request, route, error);
      reply = oauthErrorReply(error);
    }
    if (route.shape !== undefined) reply = route.shape(request, reply);
    const cors = deps.cors.headers(request);
    send(response, request, reply, cors === undefined ? always : [...always, ...Object.entries(cors).flat()]);
  };
}

const NO_FORM = new Form();

function refusedHead(fault: HeadFault): OAuthError {
  return new OAuthError('invalid_request', HEAD_WORDS[fault], { status: isTooLarge(fault) ? 431 : 400 });
}

/** What answers once a body is read; a body that nobody reads is let go. @throws {OAuthError} */
function endpointFor(
  deps: NodeAdapterDeps,
  message: IncomingMessage,
  request: DeviceRequest,
  route: DeviceRoute,
): Endpoint {
  const foreign = deps.foreignRequest(request);
  if (foreign !== undefined) {
    message.resume();
    throw foreign;
  }
  const { method } = request;
  const fault = headFault(message);
  if (fault !== undefined) {
    message.resume();
    throw refusedHead(fault);
  }
  const endpoint = method === 'POST' ? route.POST : method === 'GET' || method === 'HEAD' ? route.GET : undefined;
  if (endpoint !== undefined) return endpoint;
  message.resume();
  if (route.OTHERWISE !== undefined) return route.OTHERWISE;
  const allow = [route.GET && 'GET, HEAD', route.POST && 'POST'].filter(Boolean).join(', ');
  if (method === 'OPTIONS') return async () => deps.cors.preflight(request, allow);
  const error = new OAuthError('invalid_request', `use ${allow}`, { status: 405, headers: { Allow: allow } });
  return async () => oauthErrorReply(error);
}

/** @throws {OAuthError} `invalid_request` */
function readBody(message: IncomingMessage, { headers }: DeviceRequest): Promise<string> | string {
  const type = headers['content-type'] ?? '';
  if (!isFormType(type)) {
    message.resume();
    // Userinfo may be posted to with nothing but a header; everywhere else a parameter will be missing.
    if (type === '' && !hasBody(headers)) return '';
    const found = type === '' ? 'and has no Content-Type' : `not ${quotable(type)}`;
    throw new OAuthError('invalid_request', `the body must be ${FORM_TYPE}, ${found}`);
  }
  if (headers['content-encoding'] !== undefined) {
    message.resume();
    throw new OAuthError('invalid_request', 'the body must not have a Content-Encoding');
  }
  return collect(message);
}

function hasBody(headers: DeviceRequest['headers']): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function collect(message: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    // Put together once, at the end: a body may come byte by byte.
    let pieces: Buffer[] = [];
    let bytes = 0;
    message.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      // What is too much is still read to its end or to the request's time-out, but not kept.
      if (bytes <= MAX_BODY_BYTES) {
        pieces.push(chunk);
      } else {
        pieces = [];
        reject(new OAuthError('invalid_request', 'the body is larger than 8 KiB', CLOSE));
      }
    });
    message.on('end', () => {
      const [only = NOTHING] = pieces;
      const body = pieces.length > 1 ? Buffer.concat(pieces) : only;
      if (isUtf8(body)) resolve(body.toString('utf8'));
      else reject(notUtf8(body));
    });
    message.on('close', () => {
      if (!message.complete) reject(new OAuthError('invalid_request', 'the body broke off'));
    });
  });
}

const NOTHING = Buffer.alloc(0);
const CLOSE = { headers: { Connection: 'close' } };

function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
}

/** Parameters in the query are not read; but one that stands in both places is there twice (RFC 8628 §3.1). */
function refuseRepeatedInQuery(url: string, form: Form): void {
  if (!url.includes('?')) return;
  for (const name of queryOf(url).keys()) {
    if (isReadParameter(name) && form.has(name)) {
      throw new OAuthError('invalid_request', `${name} occurs in the query and in the body`);
    }
  }
}

function send(response: ServerResponse, request: DeviceRequest, reply: DeviceReply, more: readonly string[]): void {
  if (response.destroyed) return;
  const { body, headers, cacheControl = 'no-store', contentType = 'application/json' } = reply;
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body);
  // A flat list goes to the wire as it is; an object would be taken apart and copied for every poll.
  const lines = ['X-Request-Id', request.requestId, 'Content-Length', String(Buffer.byteLength(text)), ...more];
  lines.push('Cache-Control', cacheControl);
  if (body !== undefined) lines.push('Content-Type', contentType);
  if (headers !== undefined) for (const name in headers) lines.push(name, headers[name] ?? '');
  response.writeHead(reply.status, lines);
  response.end(request.method === 'HEAD' ? undefined : text);
}

function log(logger: Logger, request: DeviceRequest, route: DeviceRoute, error: OAuthError): void {
  const { requestId, clientId: client, method } = request;
  const { status, code: oauthError, detail } = error;
  if (status >= 500) {
    logger.event('request.failed', {
      requestId,
      client,
      method,
      route: route.path,
      status,
      error: error.cause ?? error,
    });
  } else if (oauthError === 'invalid_client') {
    logger.event('client.refused', { requestId, client, route: route.path, source: request.source(), detail });
  } else if (logger.writes('request.refused')) {
    const source = request.source();
    logger.event('request.refused', { requestId, client, route: route.path, status, oauthError, detail, source });
  }
}

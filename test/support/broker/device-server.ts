import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/**
 * A server of RFC 8628 that answers by a script, to see how a client takes what servers and networks do: one step for
 * each poll, the last step for ever.
 */
export interface DeviceServerScript {
  polls: readonly Step[];
  /** In place of the usual answer to the device authorization request, or changes to it (`null` takes a member away). */
  start?: Step | { change: Record<string, unknown> };
  /** Changes to the metadata; `undefined` takes a member away. */
  metadata?: Record<string, unknown>;
  hasUserinfo?: boolean;
  /** Where the metadata is; by default where OpenID Connect Discovery puts it. */
  metadataPath?: string;
  /** The path of the issuer, without a slash at its end. */
  issuerPath?: string;
}

export type Step =
  | 'pending'
  | 'slow_down'
  | 'denied'
  | 'expired'
  | 'tokens'
  /** The connection is cut without an answer. */
  | 'cut'
  /** Nothing is ever answered. */
  | 'hang'
  | { status: number; json: unknown; headers?: Record<string, string> }
  | { status: number; html: string; headers?: Record<string, string> }
  /** Tokens whose ID token differs: other claims, or another key. */
  | { idToken: JWTPayload; isForged?: boolean };

export interface SeenRequest {
  path: string;
  form: Record<string, string>;
  authorization: string | undefined;
  contentType: string | undefined;
}

export interface DeviceServer {
  issuer: string;
  userCode: string;
  /** All requests but those for metadata and keys. */
  requests: SeenRequest[];
  close(): Promise<void>;
}

const userCode = 'WDJB-MJHT';
const key = generateKeyPair('ES256');
const forgersKey = generateKeyPair('ES256');

export async function startDeviceServer(script: DeviceServerScript): Promise<DeviceServer> {
  const requests: SeenRequest[] = [];
  let issuer = '';
  let polls = 0;
  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname: path } = new URL(request.url ?? '/', issuer);
    const issuerPath = script.issuerPath ?? '';
    if (path === (script.metadataPath ?? `${issuerPath}/.well-known/openid-configuration`)) {
      sendJson(response, 200, {
        ...metadataOf(issuer),
        ...(script.hasUserinfo === true && { userinfo_endpoint: `${issuer}/userinfo` }),
        ...script.metadata,
      });
      return;
    }
    if (path === `${issuerPath}/jwks`) {
      sendJson(response, 200, {
        keys: [{ ...(await exportJWK((await key).publicKey)), alg: 'ES256', use: 'sig', kid: '1' }],
      });
      return;
    }
    const form = Object.fromEntries(new URLSearchParams(await text(request)));
    const { authorization, 'content-type': contentType } = request.headers;
    requests.push({ path, form, authorization, contentType });
    if (path === `${issuerPath}/device_authorization`) {
      await sendStart(response, issuer, script.start);
    } else if (path === `${issuerPath}/token`) {
      const step = script.polls[Math.min(polls, script.polls.length - 1)] ?? 'pending';
      polls += 1;
      await take(step, response, issuer, form['client_id'] ?? 'tv');
    } else if (path === `${issuerPath}/userinfo`) {
      sendJson(response, 200, { sub: 'alice', name: 'Alice Adams', email: 'alice@example.com' });
    } else {
      response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not here</h1>');
    }
  }
  issuer = `http://127.0.0.1:${await listen(server)}${script.issuerPath ?? ''}`;
  return {
    issuer,
    userCode,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function metadataOf(issuer: string): Record<string, unknown> {
  return {
    issuer,
    device_authorization_endpoint: `${issuer}/device_authorization`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    id_token_signing_alg_values_supported: ['ES256'],
  };
}

async function sendStart(response: ServerResponse, issuer: string, start: DeviceServerScript['start']): Promise<void> {
  const usual = {
    device_code: 'the-device-code',
    user_code: userCode,
    verification_uri: `${issuer}/device`,
    verification_uri_complete: `${issuer}/device?user_code=${userCode}`,
    expires_in: 600,
    interval: 5,
  };
  if (start === undefined) sendJson(response, 200, usual);
  else if (typeof start === 'object' && 'change' in start) sendJson(response, 200, { ...usual, ...start.change });
  else await take(start, response, issuer, 'tv');
}

async function take(step: Step, response: ServerResponse, issuer: string, audience: string): Promise<void> {
  if (typeof step === 'object') {
    if ('json' in step) sendJson(response, step.status, step.json, step.headers);
    else if ('html' in step) {
      response.writeHead(step.status, { 'content-type': 'text/html', ...step.headers }).end(step.html);
    } else {
      const changed = await idTokenOf(issuer, audience, step.idToken, step.isForged);
      sendJson(response, 200, { ...tokens, id_token: changed });
    }
    return;
  }
  switch (step) {
    case 'pending':
      sendJson(response, 400, { error: 'authorization_pending' });
      return;
    case 'slow_down':
      sendJson(response, 400, { error: 'slow_down' });
      return;
    case 'denied':
      sendJson(response, 400, { error: 'access_denied' });
      return;
    case 'expired':
      sendJson(response, 400, { error: 'expired_token' });
      return;
    case 'tokens':
      sendJson(response, 200, { ...tokens, id_token: await idTokenOf(issuer, audience) });
      return;
    case 'cut':
      response.destroy();
      return;
    case 'hang':
      return;
  }
}

const tokens = { access_token: 'the-access-token', token_type: 'Bearer', expires_in: 600 };

async function idTokenOf(
  issuer: string,
  audience: string,
  changes: JWTPayload = {},
  isForged = false,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const usual = { iss: issuer, aud: audience, sub: 'alice', name: 'Alice Adams', email: 'alice@example.com' };
  const { privateKey } = await (isForged ? forgersKey : key);
  return new SignJWT({ ...usual, iat: now, exp: now + 600, ...changes })
    .setProtectedHeader({ alg: 'ES256', kid: '1' })
    .sign(privateKey);
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

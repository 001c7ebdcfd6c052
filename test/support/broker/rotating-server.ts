import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { selfSigned } from '../samples/self-signed.ts';

export interface RotatingServerOptions {
  accessSeconds?: number;
  /** Whether an exchanged refresh token is answered once more, with the same answer, while its successor was not shown. */
  redelivers?: boolean;
  /** Tells for the n-th refresh, from 1, what becomes of it; the usual answer, unless it says otherwise. */
  onRefresh?: (count: number) => RefreshHabit | undefined;
  /** Without: the first answer has none. */
  givesRefreshTokens?: boolean;
  /** Whether a refresh brings a new refresh token. */
  rotates?: boolean;
  metadata?: Record<string, unknown>;
  scope?: string;
  /** How long a refresh takes, so that a second one at the same time is seen. */
  refreshMs?: number;
}

export type RefreshHabit =
  /** It is done, and its answer is lost. */
  'lost answer' | { status: number; json?: unknown; headers?: Record<string, string> };

/** A server of RFC 8628 that approves at once, with short tokens and refresh tokens that are good once, and an API. */
export interface RotatingServer {
  issuer: string;
  host: string;
  /** The same with a certificate that nobody knows: kubectl shows tokens nowhere else. */
  secureOrigin: string;
  /** Counts what clients did; `reused` are refresh tokens that were shown when they were over. */
  seen: { refreshes: number; atOnce: number; mostAtOnce: number; reused: number; refused: number; served: number };
  revoked: string[];
  forms: Record<string, string>[];
  /** Makes every access token that was given so far one that the API refuses. */
  refuseTokens(): void;
  close(): Promise<void>;
}

export async function startRotatingServer(options: RotatingServerOptions = {}): Promise<RotatingServer> {
  const { accessSeconds = 600, redelivers = false, rotates = true, givesRefreshTokens = true } = options;
  const seen = { refreshes: 0, atOnce: 0, mostAtOnce: 0, reused: 0, refused: 0, served: 0 };
  const forms: Record<string, string>[] = [];
  const revoked: string[] = [];
  const accessEnds = new Map<string, number>();
  let refreshToken = '';
  let last: { from: string; answer: Record<string, unknown> } | undefined;

  const newAnswer = () => {
    const accessToken = `at-${randomBytes(12).toString('base64url')}`;
    accessEnds.set(accessToken, Date.now() + accessSeconds * 1000);
    const next = rotates || refreshToken === '' ? `rt-${randomBytes(12).toString('base64url')}` : refreshToken;
    const isNew = next !== refreshToken;
    refreshToken = next;
    return {
      ...{ access_token: accessToken, token_type: 'Bearer', expires_in: accessSeconds, scope: options.scope },
      ...(givesRefreshTokens && isNew && { refresh_token: next }),
    };
  };

  const refresh = (form: Record<string, string>): { status: number; json: Record<string, unknown> } => {
    const shown = form['refresh_token'] ?? '';
    if (shown === refreshToken) {
      last = { from: shown, answer: newAnswer() };
      return { status: 200, json: last.answer };
    }
    if (redelivers && last?.from === shown) return { status: 200, json: last.answer };
    seen.reused += 1;
    return { status: 400, json: { error: 'invalid_grant' } };
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<unknown> => {
    const { pathname } = new URL(request.url ?? '/', issuer);
    const body = await text(request);
    const form = Object.fromEntries(new URLSearchParams(body));
    switch (pathname) {
      case '/.well-known/openid-configuration':
        return json(response, 200, {
          issuer,
          device_authorization_endpoint: `${issuer}/device_authorization`,
          token_endpoint: `${issuer}/token`,
          revocation_endpoint: `${issuer}/revoke`,
          ...options.metadata,
        });
      case '/device_authorization':
        forms.push(form);
        return json(response, 200, {
          ...{ device_code: 'the-device-code', user_code: 'WDJB-MJHT', verification_uri: `${issuer}/device` },
          ...{ expires_in: 600, interval: 1 },
        });
      case '/revoke':
        revoked.push(form['token'] ?? '');
        return response.writeHead(200).end();
      case '/token': {
        forms.push(form);
        if (form['grant_type'] !== 'refresh_token') {
          refreshToken = '';
          return json(response, 200, newAnswer());
        }
        seen.refreshes += 1;
        seen.atOnce += 1;
        seen.mostAtOnce = Math.max(seen.mostAtOnce, seen.atOnce);
        const habit = options.onRefresh?.(seen.refreshes);
        const answer = typeof habit === 'object' ? { json: {}, ...habit } : refresh(form);
        await delay(options.refreshMs ?? 0);
        seen.atOnce -= 1;
        if (habit === 'lost answer') return response.destroy();
        return json(response, answer.status, answer.json, typeof habit === 'object' ? habit.headers : {});
      }
      default:
        return api(request, response, pathname);
    }
  };

  const api = (request: IncomingMessage, response: ServerResponse, path: string): unknown => {
    const { authorization = '' } = request.headers;
    const [scheme = '', value = ''] = authorization.split(' ');
    const token = /^basic$/i.test(scheme) ? Buffer.from(value, 'base64').toString().split(':')[1] : value;
    if ((accessEnds.get(token ?? '') ?? 0) <= Date.now()) {
      if (authorization !== '') seen.refused += 1;
      const challenge = path.includes('.git/') ? 'Basic realm="git"' : 'Bearer';
      return response.writeHead(401, { 'www-authenticate': challenge }).end();
    }
    seen.served += 1;
    if (path.endsWith('/info/refs')) {
      // The plain form of git's protocol: a list of what there is.
      return response.writeHead(200, { 'content-type': 'text/plain' }).end(`${'1'.repeat(40)}\trefs/heads/main\n`);
    }
    if (path.endsWith('/selfsubjectreviews')) {
      const kind = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
      return json(response, 201, { ...kind, status: { userInfo: { username: 'alice' } } });
    }
    return json(response, 200, { ok: true });
  };

  const handle = (request: IncomingMessage, response: ServerResponse) => {
    serve(request, response).catch((error: unknown) => response.destroy(error as Error));
  };
  const servers = [createServer(handle), createSecureServer(selfSigned(), handle)];
  const [host = '', secureHost = ''] = await Promise.all(servers.map(listen));
  const issuer = `http://${host}`;
  return {
    ...{ issuer, host, seen, revoked, forms, secureOrigin: `https://${secureHost}` },
    refuseTokens: () => accessEnds.clear(),
    close: async () => {
      for (const server of servers) server.closeAllConnections();
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

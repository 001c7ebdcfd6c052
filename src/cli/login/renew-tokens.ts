import * as oauth from 'openid-client';
import type { JsonObject } from '../../oauth/json-object.ts';
import { connectServer, ownError, type ServerClient } from './connect-server.ts';
import { failureInWords, refusalInWords } from './messages.ts';
import { UnreachableError, wireFetch } from './safe-fetch.ts';

/** What came of one refresh (RFC 6749 §6). */
export type Renewal =
  | { outcome: 'tokens'; response: JsonObject }
  /** The refresh token is worth nothing any more. */
  | { outcome: 'ended'; reason: string }
  /** It is, but not for what was asked. */
  | { outcome: 'not allowed'; reason: string }
  /** The server is away or busy. */
  | { outcome: 'later'; reason: string; retryAfterSeconds?: number | undefined }
  | { outcome: 'refused'; reason: string }
  /** It answered with tokens that did not check. The refresh token that was shown may be over all the same. */
  | { outcome: 'unchecked'; reason: string; refreshToken: string | undefined };

export interface RenewalDeps extends ServerClient {
  fetch: typeof fetch;
  signal: AbortSignal;
  sleep: (milliseconds: number) => Promise<void>;
}

export interface RenewalRequest {
  refreshToken: string;
  /** Nothing is said of them where they are what the sign-in asked for. */
  scopes: readonly string[];
  resources: readonly string[];
}

/** How long is waited for a server that says "later", before the person is told instead. */
const MAX_WAIT_SECONDS = 5;
const TRIES = 3;

/**
 * Asks for new tokens. Where no answer comes, the same refresh token is shown again: a server that had taken it may have
 * answered, and the answer was lost (Gatehouse gives it again; others revoke, and a person must sign in either way).
 */
export async function renewTokens(deps: RenewalDeps, request: RenewalRequest): Promise<Renewal> {
  let waitSeconds = 0.5;
  for (let attempt = 1; ; attempt += 1) {
    const renewal = await renewOnce(deps, request);
    if (renewal.outcome !== 'later') return renewal;
    waitSeconds = renewal.retryAfterSeconds ?? waitSeconds;
    if (attempt === TRIES || waitSeconds > MAX_WAIT_SECONDS) return renewal;
    await deps.sleep(waitSeconds * 1000);
    waitSeconds *= 2;
  }
}

async function renewOnce(deps: RenewalDeps, request: RenewalRequest): Promise<Renewal> {
  let response: JsonObject | undefined;
  let isAsking = false;
  const fetch = wireFetch({
    fetch: deps.fetch,
    signal: deps.signal,
    onAnswer: (body) => {
      // The token endpoint's: metadata comes before it, keys after.
      if (isAsking && 'access_token' in body && !('error' in body)) response ??= body;
    },
  });
  const parameters = new URLSearchParams();
  if (request.scopes.length > 0) parameters.set('scope', request.scopes.join(' '));
  for (const resource of request.resources) parameters.append('resource', resource);
  try {
    const config = await connectServer(deps, fetch);
    isAsking = true;
    await oauth.refreshTokenGrant(config, request.refreshToken, parameters);
    return { outcome: 'tokens', response: response ?? {} };
  } catch (error) {
    // RFC 9700 §4.14.2: a rotated refresh token that is shown again ends the sign-in, so never "later".
    if (response !== undefined) return uncheckedFor(error, response);
    deps.signal.throwIfAborted();
    const unreachable = ownError(error, UnreachableError);
    if (unreachable !== undefined) {
      return { outcome: 'later', reason: unreachable.message, retryAfterSeconds: unreachable.retryAfterSeconds };
    }
    return refusalFor(error);
  }
}

function uncheckedFor(error: unknown, { refresh_token: next }: JsonObject): Renewal {
  const refreshToken = typeof next === 'string' && next !== '' ? next : undefined;
  return { outcome: 'unchecked', reason: failureInWords(error), refreshToken };
}

function refusalFor(error: unknown): Renewal {
  if (!(error instanceof oauth.ResponseBodyError)) return { outcome: 'refused', reason: failureInWords(error) };
  const reason = refusalInWords(error.error, error.error_description);
  switch (error.error) {
    case 'invalid_grant':
    // RFC 9470's and other servers' word for "a person is needed".
    case 'interaction_required':
    case 'login_required':
      return { outcome: 'ended', reason: `The server ended the sign-in (${error.error}).` };
    case 'invalid_scope':
    case 'invalid_target':
      return { outcome: 'not allowed', reason };
    case 'temporarily_unavailable':
    case 'slow_down':
      return { outcome: 'later', reason: 'the server is busy' };
    default:
      return { outcome: 'refused', reason };
  }
}

/** RFC 7009. Answers in words why it could not be said, `undefined` where it was. */
export async function revokeToken(deps: Omit<RenewalDeps, 'sleep'>, token: string): Promise<string | undefined> {
  const { signal } = deps;
  const fetch = wireFetch({ fetch: deps.fetch, signal, onAnswer: () => undefined, statusIsAnswer: true });
  try {
    const config = await connectServer(deps, fetch);
    if (config.serverMetadata().revocation_endpoint === undefined) {
      return 'the server has no way to revoke tokens (its metadata names no revocation_endpoint)';
    }
    await oauth.tokenRevocation(config, token);
    return undefined;
  } catch (error) {
    deps.signal.throwIfAborted();
    return failureInWords(error);
  }
}

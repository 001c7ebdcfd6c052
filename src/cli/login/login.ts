/**
 * `gatehouse login`: a device client for the terminal, for any server with RFC 8628 and metadata. This file speaks the
 * protocol, over openid-client. What the person sees on the way is in `login-flow.ts`, when to poll again in
 * `login-polling.ts`, what HTTP forgives and refuses in `safe-fetch.ts`.
 */
import { setTimeout as delay } from 'node:timers/promises';
import * as oauth from 'openid-client';
import { processEnvironment } from '../../config/environment.ts';
import type { JsonObject } from '../../oauth/json-object.ts';
import { desktopOf } from '../terminal/desktop.ts';
import { mayBrowseHere } from './browser-here.ts';
import { connectServer, ownError } from './connect-server.ts';
import {
  type DeviceClient,
  type DeviceClientDeps,
  type LoginSurroundings,
  logIn,
  type StartedGrant,
} from './login-flow.ts';
import type { PollAnswer } from './login-polling.ts';
import { failureInWords, type Person, refusalInWords } from './messages.ts';
import { UnreachableError, wireFetch } from './safe-fetch.ts';

/** The server's answer to what we can (docs/protocol/same-device-proof.md). */
const ASKED: ReadonlyMap<unknown, StartedGrant['asksFor']> = new Map([
  ['required', 'digits'],
  ['loopback', 'loopback'],
]);
const deviceCodeGrant = 'urn:ietf:params:oauth:grant-type:device_code';

/** `gatehouse login …`; `argv` begins after `login`. Answers the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.once('SIGINT', interrupt);
  try {
    return await login(argv, {
      stdin: process.stdin,
      stdout: process.stdout,
      stderr: process.stderr,
      environment: processEnvironment(),
      folder: process.cwd(),
      desktop: mayBrowseHere(processEnvironment(), process.platform)
        ? desktopOf(processEnvironment(), process.platform)
        : undefined,
      platform: process.platform,
      signal: interruption.signal,
      now: Date.now,
      sleep: (milliseconds, signal) => delay(milliseconds, undefined, { signal }),
      fetch,
    });
  } finally {
    process.off('SIGINT', interrupt);
  }
}

export function login(argv: readonly string[], around: LoginSurroundings): Promise<number> {
  return logIn(argv, around, connect);
}

async function connect(options: DeviceClientDeps): Promise<DeviceClient> {
  let tokenAnswer: JsonObject | undefined;
  const fetch = wireFetch({
    fetch: options.fetch,
    signal: options.signal,
    onAnswer: (body) => {
      if ('access_token' in body) tokenAnswer = body;
    },
  });
  const config = await connectServer(options, fetch);
  const metadata = config.serverMetadata();
  const codeVerifier = metadata.supportsPKCE() ? oauth.randomPKCECodeVerifier() : undefined;

  return {
    takesProof: isListed(metadata['confirmation_methods_supported'], 'loopback'),
    async start({ scopes, resources, confirmation }) {
      const parameters = new URLSearchParams();
      for (const resource of resources) parameters.append('resource', resource);
      if (confirmation !== undefined) setConfirmation(parameters, confirmation);
      if (codeVerifier !== undefined) {
        parameters.set('code_challenge', await oauth.calculatePKCECodeChallenge(codeVerifier));
        parameters.set('code_challenge_method', 'S256');
      }
      const answer = await startWithScopes(config, scopes, parameters).catch((error: unknown) => {
        // Of several replicas one may be older than the metadata.
        if (typeof confirmation !== 'object' || !isOAuthError(error, 'invalid_request')) throw error;
        setConfirmation(parameters, 'supported');
        return startWithScopes(config, scopes, parameters);
      });
      return {
        deviceCode: answer.device_code,
        userCode: answer.user_code,
        verificationUri: answer.verification_uri,
        verificationUriComplete: answer.verification_uri_complete,
        expiresInSeconds: answer.expires_in,
        intervalSeconds: answer.interval,
        asksFor: ASKED.get(answer['confirmation']),
      };
    },
    async poll(deviceCode, { resources, confirmationCode }) {
      const parameters = new URLSearchParams({ device_code: deviceCode });
      // Some servers issue a token for one resource only when it is named here too; several are refused by most.
      if (resources.length === 1) parameters.set('resource', resources[0] ?? '');
      if (confirmationCode !== undefined) parameters.set('confirmation_code', confirmationCode);
      if (codeVerifier !== undefined) parameters.set('code_verifier', codeVerifier);
      try {
        const tokens = await oauth.genericGrantRequest(config, deviceCodeGrant, parameters);
        const person = await whoSignedIn(config, tokens);
        const verified = tokens.claims() !== undefined && metadata.jwks_uri !== undefined;
        const response = tokenAnswer ?? {};
        return {
          answer: 'tokens',
          tokens: { response, person, idTokenIssuer: verified ? metadata.issuer : undefined },
        };
      } catch (error) {
        options.signal.throwIfAborted();
        if (tokenAnswer === undefined) return pollAnswerFor(error);
        const why = failureInWords(error);
        return { answer: 'refused', reason: `The server sent tokens, but they do not check and were dropped. ${why}` };
      }
    },
  };
}

function setConfirmation(
  parameters: URLSearchParams,
  confirmation: 'supported' | 'required' | { port: number; path: string },
): void {
  const isListening = typeof confirmation === 'object';
  parameters.set('confirmation', isListening ? 'loopback' : confirmation);
  parameters.delete('loopback_port');
  parameters.delete('loopback_path');
  if (!isListening) return;
  parameters.set('loopback_port', String(confirmation.port));
  parameters.set('loopback_path', confirmation.path);
}

function isListed(list: unknown, member: string): boolean {
  return Array.isArray(list) && list.includes(member);
}

function isOAuthError(error: unknown, code: string): boolean {
  return error instanceof oauth.ResponseBodyError && error.error === code;
}

/** Without `--scope` the server decides; but `openid` is tried first where it can be had, to learn who signed in. */
async function startWithScopes(
  config: oauth.Configuration,
  scopes: readonly string[],
  parameters: URLSearchParams,
): Promise<oauth.DeviceAuthorizationResponse> {
  const isGuess = scopes.length === 0 && config.serverMetadata().scopes_supported?.includes('openid') === true;
  if (scopes.length > 0 || isGuess) parameters.set('scope', isGuess ? 'openid' : scopes.join(' '));
  try {
    return await oauth.initiateDeviceAuthorization(config, parameters);
  } catch (error) {
    if (!isGuess || !isOAuthError(error, 'invalid_scope')) throw error;
    parameters.delete('scope');
    return oauth.initiateDeviceAuthorization(config, parameters);
  }
}

async function whoSignedIn(
  config: oauth.Configuration,
  tokens: oauth.TokenEndpointResponse & oauth.TokenEndpointResponseHelpers,
): Promise<Person> {
  const claims = tokens.claims();
  const isNamed = claims !== undefined && ['name', 'preferred_username', 'email'].some((claim) => claim in claims);
  if (isNamed || config.serverMetadata().userinfo_endpoint === undefined) return claims ?? {};
  try {
    const userinfo = await oauth.fetchUserInfo(config, tokens.access_token, claims?.sub ?? oauth.skipSubjectCheck);
    return { ...claims, ...userinfo };
  } catch {
    // A name is a courtesy: the tokens are good without it.
    return claims ?? {};
  }
}

/** RFC 8628 §3.5. */
function pollAnswerFor<T>(error: unknown): PollAnswer<T> {
  const unreachable = ownError(error, UnreachableError);
  if (unreachable !== undefined) {
    const { message: reason, retryAfterSeconds } = unreachable;
    return { answer: 'unreachable', reason, retryAfterSeconds };
  }
  if (!(error instanceof oauth.ResponseBodyError)) return { answer: 'refused', reason: failureInWords(error) };
  switch (error.error) {
    case 'authorization_pending':
      return { answer: 'pending' };
    case 'slow_down': {
      const intervalSeconds = Number(error.cause['interval']);
      return { answer: 'slow_down', intervalSeconds: intervalSeconds > 0 ? intervalSeconds : undefined };
    }
    case 'temporarily_unavailable':
      return { answer: 'unreachable', reason: 'the server is busy' };
    case 'access_denied':
    case 'authorization_declined': // Entra ID's word for it.
      return { answer: 'denied' };
    case 'expired_token':
      return { answer: 'expired' };
    default:
      return { answer: 'refused', reason: refusalInWords(error.error, error.error_description) };
  }
}

import { clockWords } from './clock-words.ts';
import { BufferedResponse } from './requests/buffered-response.ts';
import { printable, quoteError } from './requests/foreign-text.ts';
import { refusedRequest, type UpstreamStep } from './requests/refused-request.ts';
import { UpstreamError } from './upstream.ts';

/** What openid-client's errors carry. They are told apart by their `code`, so that only the adapter imports it. */
interface ProtocolFailure extends Error {
  code?: string;
  error?: string;
  error_description?: string;
  response?: BufferedResponse;
}

/**
 * Turns whatever an operation threw into one of the port's faults. The original error is not kept as a cause: it holds
 * whole answers, tokens among them, and would end up in the log.
 */
export async function asUpstreamError(thrown: unknown, step: UpstreamStep): Promise<UpstreamError> {
  const own = ownError(thrown);
  if (own !== undefined) return own;
  if (!(thrown instanceof Error)) return new UpstreamError('invalid_answer', `${step}: ${typeof thrown} thrown`);
  const failure: ProtocolFailure = thrown;
  switch (failure.code) {
    case 'OAUTH_AUTHORIZATION_RESPONSE_ERROR':
      return refusedSignIn(failure.error ?? '', failure.error_description);
    case 'OAUTH_RESPONSE_BODY_ERROR':
      return refusedRequest(step, {
        error: failure.error,
        description: failure.error_description,
        status: failure.response?.status,
      });
    case 'OAUTH_WWW_AUTHENTICATE_CHALLENGE':
      return refusedChallenge(step, failure);
    case 'OAUTH_TIMEOUT':
    case 'OAUTH_ABORT':
      return new UpstreamError('unavailable', `${step}: no answer in time`);
    case 'OAUTH_JWT_TIMESTAMP_CHECK_FAILED':
      return clockDiffers(step, failure);
    default:
      if (step === 'userinfo' && isRefused(failure.cause)) return refusedUserinfo(failure.cause.status);
      if (step === 'refresh' && failure.cause instanceof BufferedResponse && failure.cause.status === 400) {
        return refusedRequest(step, { error: undefined, description: undefined, status: 400 });
      }
      return new UpstreamError('invalid_answer', `${step}: ${describe(failure)}`);
  }
}

/**
 * What a token is held against that somebody sent. Where it cannot be had, for whatever reason, that is the provider's fault
 * and no word about the token.
 */
export async function neededForCheck<T>(step: UpstreamStep, needed: Promise<T>): Promise<T> {
  try {
    return await needed;
  } catch (error) {
    const { detail } = await asUpstreamError(error, step);
    throw new UpstreamError('unavailable', detail);
  }
}

/** Keycloak says so of a sign-in page that was left open too long, with an error code that means something else. */
const LEFT_OPEN = 'authentication_expired';

/** RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6. Only `access_denied` is a refusal. */
function refusedSignIn(error: string, description: string | undefined): UpstreamError {
  const detail = `the upstream sent the browser back with ${quoteError(error, description)}`;
  if (error === LEFT_OPEN || description === LEFT_OPEN) {
    return new UpstreamError('not_signed_in', `${detail}: its sign-in page was left open too long`);
  }
  switch (error) {
    case 'access_denied':
      return new UpstreamError('access_denied', detail);
    case 'temporarily_unavailable':
    case 'server_error':
      return new UpstreamError('unavailable', detail);
    case 'invalid_scope':
      return new UpstreamError(
        'client_rejected',
        `${detail}; check which scopes the client may ask for there (offline_access: never leaves that one out)`,
      );
    case 'unauthorized_client':
    case 'unsupported_response_type':
    case 'invalid_request':
      return new UpstreamError('client_rejected', `${detail}; check the client's registration there`);
    default:
      return new UpstreamError('not_signed_in', detail);
  }
}

/** An answer with `WWW-Authenticate`. What its body says of the error is read first, then what the challenge says. */
async function refusedChallenge(step: UpstreamStep, { response, cause }: ProtocolFailure): Promise<UpstreamError> {
  if (step === 'userinfo' && isRefused(response)) return refusedUserinfo(response.status);
  const body: unknown = await response?.json().catch(() => undefined);
  const said = [body, ...challengeParameters(cause)].find((one) => textOf(one, 'error') !== undefined);
  return refusedRequest(step, {
    error: textOf(said, 'error'),
    description: textOf(said, 'error_description'),
    status: response?.status,
  });
}

/** RFC 9110 §11.6.1 as openid-client reads it: a list of challenges with their parameters. */
function challengeParameters(challenges: unknown): unknown[] {
  if (!Array.isArray(challenges)) return [];
  return challenges.map((challenge) => (challenge as { parameters?: unknown } | null)?.parameters);
}

function textOf(from: unknown, name: string): string | undefined {
  if (typeof from !== 'object' || from === null || !Object.hasOwn(from, name)) return undefined;
  const value = (from as Record<string, unknown>)[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function isRefused(response: unknown): response is BufferedResponse {
  return response instanceof BufferedResponse && (response.status === 401 || response.status === 403);
}

/** Not about our credentials: userinfo may want an access token for another audience than the one that we asked for. */
function refusedUserinfo(status: number): UpstreamError {
  return new UpstreamError('client_rejected', `userinfo does not accept the access token (status ${status})`);
}

function ownError(thrown: unknown): UpstreamError | undefined {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 5; error = error.cause, depth += 1) {
    if (error instanceof UpstreamError) return error;
  }
  return undefined;
}

/** The issuer is compared as text: a `/` at the end makes it another one (OpenID Connect Discovery §4.3). */
export function issuerMismatch(expected: string, found: unknown): UpstreamError {
  return new UpstreamError(
    'invalid_answer',
    `the upstream's metadata says issuer "${printable(String(found))}", the configuration says "${expected}": ` +
      'the two must be the same, character by character',
  );
}

/** Nothing is published where the document should be: most often the issuer's path is wrong. */
export function foundNothing(thrown: unknown, address: string): UpstreamError | undefined {
  const { cause } = (thrown ?? {}) as ProtocolFailure;
  if (!(cause instanceof BufferedResponse) || cause.status === 200) return undefined;
  return new UpstreamError(
    'invalid_answer',
    `${address} answers ${cause.status}: check the issuer in the configuration`,
  );
}

/** What openid-client tells about a comparison that failed. */
interface Comparison {
  expected?: unknown;
  now?: unknown;
  tolerance?: unknown;
  claim?: string;
  claims?: Record<string, unknown>;
  attribute?: string;
  body?: Record<string, unknown>;
}

/** Which check failed. Of the answer's values only those are named that an administrator compares with their own. */
function describe(failure: ProtocolFailure): string {
  const { cause } = failure;
  if (cause instanceof BufferedResponse) return printable(`${failure.message} (status ${cause.status})`);
  const inner = cause instanceof Error ? cause : failure;
  const { expected, claim = '', claims } = (inner.cause ?? {}) as Comparison;
  const isOurs = ['iss', 'aud', 'azp'].includes(claim);
  const seen = isOurs ? `: ${JSON.stringify(claims?.[claim])}, not ${JSON.stringify(expected)}` : '';
  return printable(`${inner.message}${seen}`);
}

function clockDiffers(step: UpstreamStep, failure: ProtocolFailure): UpstreamError {
  const inner = failure.cause instanceof Error ? failure.cause : failure;
  const { claim = '', claims, now, tolerance } = (inner.cause ?? {}) as Comparison;
  const [atSeconds, nowSeconds, toleranceSeconds] = [claims?.[claim], now, tolerance].map(Number);
  const difference = {
    claim,
    atSeconds: atSeconds ?? 0,
    nowSeconds: nowSeconds ?? 0,
    toleranceSeconds: toleranceSeconds ?? 0,
  };
  return new UpstreamError(
    'clock_differs',
    `${step}: the ID token does not fit to our time: ${clockWords(difference)}`,
  );
}

/** openid-client's way of saying so; it does not hand on how the configuration writes the issuer. */
export function foundOtherIssuer(thrown: unknown, expected: string): UpstreamError | undefined {
  const { code, cause } = (thrown ?? {}) as ProtocolFailure;
  const { attribute, body } = (cause ?? {}) as Comparison;
  const isOther = code === 'OAUTH_JSON_ATTRIBUTE_COMPARISON_FAILED' && attribute === 'issuer';
  return isOther ? issuerMismatch(expected, body?.['issuer']) : undefined;
}

import { createHash, timingSafeEqual } from 'node:crypto';
import { OAuthError } from '../oauth/oauth-error.ts';
import { Secret } from '../sealing/secret.ts';
import { claimedClient, type VerifyAssertion } from './client-assertion.ts';
import { basicChallenge, type ClientCredentials } from './client-credentials.ts';
import type { RegisteredClient } from './registered-client.ts';

export interface ClientRegistry {
  clients: ReadonlyMap<string, RegisteredClient>;
  verifyAssertion: VerifyAssertion;
  /** Counts a failure before anybody hears of it, and answers how long to wait where there were too many. */
  admit: (attempt: Attempt) => Promise<{ retryAfterSeconds: number; limit: string } | undefined>;
  /** Whether somebody near there failed lately, so that a right secret may be a guess. */
  hasFailedLately: (attempt: Pick<Attempt, 'name' | 'source'>) => boolean;
}

/** Somebody at an address claims to be a client. */
export interface Attempt {
  name: string;
  source: string;
  hasFailed: boolean;
}

/** A client that has proven itself, while it is still asked whether its source may be told so. */
export interface IdentifiedClient {
  client: RegisteredClient;
  /**
   * Rejects with 429 where this source failed too often. Until it resolves nothing may be done for the client, and
   * neither an answer nor an error be told: either would say that the secret was right. Left out where there was no
   * secret to guess.
   */
  admitted?: Promise<void>;
}

/**
 * The client that asks, proven as the client's configuration wants it (RFC 6749 §2.3, RFC 8628 §3.1 and §3.4). An unknown client and
 * a wrong secret get the same answer, after the same work, and count alike.
 *
 * @param source the address that asks, for the count of failures
 * @param options `withoutSecret`: at device authorization, clients whose configuration says so may leave the secret out
 * @throws {OAuthError} `invalid_client`, with 429 where this source failed too often (RFC 6749 §2.3.1)
 */
export async function authenticateClient(
  registry: ClientRegistry,
  credentials: ClientCredentials,
  source: string,
  options: { withoutSecret?: boolean } = {},
): Promise<RegisteredClient> {
  const { client, admitted } = await identifyClient(registry, credentials, () => source, options);
  await admitted;
  return client;
}

/**
 * As `authenticateClient`, but with the last question still on its way: a poll asks the storage for its grant in the
 * same round trip. Of a public client nothing need be waited for.
 *
 * @param source asked for where there is a secret to guess: to read an address is a twentieth of a poll
 */
export function identifyClient(
  registry: ClientRegistry,
  credentials: ClientCredentials,
  source: () => string,
  options: { withoutSecret?: boolean } = {},
): IdentifiedClient | Promise<IdentifiedClient> {
  switch (credentials.method) {
    case 'none': {
      const client = registry.clients.get(credentials.clientId);
      if (client === undefined) throw refused(credentials, 'unknown client');
      const isEnough =
        client.authentication === 'none' || (options.withoutSecret === true && client.startWithoutSecret);
      if (!isEnough) throw refused(credentials, 'the client did not authenticate');
      return { client };
    }
    case 'basic': {
      // x/oauth2 tries Basic with an empty password first, for public clients too. Nobody's secret is empty.
      const isBare = credentials.readings.every(({ secret }) => secret.reveal() === '');
      const open = credentials.readings.map(({ clientId }) => registry.clients.get(clientId));
      const client = isBare ? open.find((each) => each?.authentication === 'none') : undefined;
      if (client !== undefined) return { client };
      if (isBare) throw refused(credentials, 'unknown client or no secret');
      return bySecret(registry, credentials, ['client_secret', 'client_secret_basic'], source());
    }
    case 'body':
      return bySecret(registry, credentials, ['client_secret', 'client_secret_post'], source());
    case 'assertion':
      return byAssertion(registry, credentials, source()).then((client) => ({ client }));
  }
}

type SecretCredentials = ClientCredentials & { method: 'basic' | 'body' };

async function bySecret(
  registry: ClientRegistry,
  credentials: SecretCredentials,
  allowed: readonly RegisteredClient['authentication'][],
  source: string,
): Promise<IdentifiedClient> {
  const guesses = guessesIn(credentials);
  const owners = guesses.map(({ clientId, secret }) => ownerOf(registry.clients.get(clientId), secret));
  const client = owners.find((owner) => owner !== undefined);
  const names = client === undefined ? guesses.map(({ clientId }) => clientId) : [client.id];
  const admitted = requireAdmitted(registry, names, { source, hasFailed: client === undefined });
  if (client !== undefined && allowed.includes(client.authentication)) {
    if (registry.hasFailedLately({ name: client.id, source })) await admitted;
    // A caller that goes on meanwhile waits for it later; an error before that must not end the process.
    else admitted.catch(() => {});
    return { client, admitted };
  }
  await admitted;
  // The right secret by the wrong method is no guess: x/oauth2 tries both with every poll, and listens to the second.
  throw refused(credentials, 'unknown client or wrong secret');
}

async function byAssertion(
  registry: ClientRegistry,
  credentials: ClientCredentials & { method: 'assertion' },
  source: string,
): Promise<RegisteredClient> {
  const { assertion, clientId } = credentials;
  const names = [claimedClient(assertion) ?? clientId ?? ''];
  // First, since a signature costs more to check than a counter does.
  await requireAdmitted(registry, names, { source, hasFailed: false });
  const { client, isForged } = await registry.verifyAssertion(assertion, clientId);
  if (client?.authentication === 'private_key_jwt') return client;
  // What the client itself has signed, too late or for somebody else, is no guess at its key.
  if (isForged) await requireAdmitted(registry, names, { source, hasFailed: true });
  throw refused(credentials, 'the assertion does not check');
}

/** What a request says somebody's secret is. */
export function guessesIn(credentials: ClientCredentials): readonly { clientId: string; secret: Secret }[] {
  switch (credentials.method) {
    case 'basic':
      return credentials.readings;
    case 'body':
      return [credentials];
    default:
      return [];
  }
}

/**
 * Counts a failure, or asks whether failures have left room.
 *
 * @param names each a guess of its own
 * @throws {OAuthError} `invalid_client` with 429
 */
export async function requireAdmitted(
  registry: Pick<ClientRegistry, 'admit'>,
  names: readonly string[],
  attempt: Omit<Attempt, 'name'>,
): Promise<void> {
  for (const name of names) {
    const refusal = await registry.admit({ name, ...attempt });
    if (refusal === undefined) continue;
    throw new OAuthError('invalid_client', 'too many failed client authentications from here; try again later', {
      status: 429,
      headers: { 'Retry-After': String(refusal.retryAfterSeconds) },
      detail: refusal.limit,
    });
  }
}

const NOBODY = new Secret('no client has this secret');

function ownerOf(client: RegisteredClient | undefined, secret: Secret): RegisteredClient | undefined {
  const isRight = isSameSecret(secret, client?.clientSecret ?? NOBODY);
  return isRight && client?.clientSecret !== undefined ? client : undefined;
}

/** Compares in a time that tells nothing about where two secrets differ. */
export function isSameSecret(given: Secret, expected: Secret): boolean {
  return timingSafeEqual(digest(given), digest(expected));
}

/** Equal lengths for the comparison, whatever was sent. */
function digest(secret: Secret): Buffer {
  return createHash('sha256').update(secret.reveal()).digest();
}

function refused(credentials: ClientCredentials, detail: string): OAuthError {
  const headers = credentials.method === 'basic' ? basicChallenge() : {};
  return new OAuthError('invalid_client', 'unknown client, or client authentication failed', { headers, detail });
}

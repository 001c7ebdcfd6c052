import { createHash, timingSafeEqual } from 'node:crypto';
import { OAuthError } from '../oauth/oauth-error.ts';
import { Secret } from '../sealing/secret.ts';
import { basicChallenge, type ClientCredentials } from './client-credentials.ts';
import type { RegisteredClient } from './registered-client.ts';

export interface ClientRegistry {
  clients: ReadonlyMap<string, RegisteredClient>;
  /** Checks a `private_key_jwt` assertion (RFC 7523) and answers whose it is, or `undefined`. */
  verifyAssertion: (assertion: string, clientId: string | undefined) => Promise<RegisteredClient | undefined>;
}

/**
 * Who asks, proven as the client's configuration wants it (RFC 6749 §2.3, RFC 8628 §3.1 and §3.4). An unknown client and
 * a wrong secret get the same answer, after the same work.
 *
 * @param options `withoutSecret`: at device authorization, clients whose configuration says so may leave the secret out
 * @throws {OAuthError} `invalid_client`
 */
export async function authenticateClient(
  registry: ClientRegistry,
  credentials: ClientCredentials,
  options: { withoutSecret?: boolean } = {},
): Promise<RegisteredClient> {
  switch (credentials.method) {
    case 'none': {
      const client = registry.clients.get(credentials.clientId);
      if (client === undefined) throw refused(credentials, 'unknown client');
      const isEnough =
        client.authentication === 'none' || (options.withoutSecret === true && client.startWithoutSecret);
      if (!isEnough) throw refused(credentials, 'the client did not authenticate');
      return client;
    }
    case 'basic': {
      for (const { clientId, secret } of credentials.readings) {
        const client = registry.clients.get(clientId);
        // x/oauth2 tries Basic with an empty password first, for public clients too.
        if (client?.authentication === 'none' && secret.reveal() === '') return client;
        if (isSecretOf(client, secret, ['client_secret', 'client_secret_basic'])) return client;
      }
      throw refused(credentials, 'unknown client or wrong secret');
    }
    case 'body': {
      const client = registry.clients.get(credentials.clientId);
      if (isSecretOf(client, credentials.secret, ['client_secret', 'client_secret_post'])) return client;
      throw refused(credentials, 'unknown client or wrong secret');
    }
    case 'assertion': {
      const client = await registry.verifyAssertion(credentials.assertion, credentials.clientId);
      if (client?.authentication === 'private_key_jwt') return client;
      throw refused(credentials, 'the assertion does not check');
    }
  }
}

const NOBODY = new Secret('no client has this secret');

function isSecretOf(
  client: RegisteredClient | undefined,
  secret: Secret,
  allowed: readonly RegisteredClient['authentication'][],
): client is RegisteredClient {
  const isRight = isSameSecret(secret, client?.clientSecret ?? NOBODY);
  return isRight && client?.clientSecret !== undefined && allowed.includes(client.authentication);
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

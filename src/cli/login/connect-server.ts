import * as oauth from 'openid-client';
import { assertIssuer, assertSafeEndpoints, metadataAddresses, noDeviceFlow } from './login-metadata.ts';
import { UnreachableError } from './safe-fetch.ts';

/** Who asks, and at which server. */
export interface ServerClient {
  issuer: URL;
  /** For a server whose metadata does not name it. */
  deviceAuthorizationEndpoint: string | undefined;
  clientId: string;
  clientSecret: string | undefined;
}

const requestSeconds = 10;
// Machines without a browser often have a clock that is off.
const clockToleranceSeconds = 60;

/** Reads the server's metadata, and is ready to ask it as this client. */
export async function connectServer(client: ServerClient, fetch: oauth.CustomFetch): Promise<oauth.Configuration> {
  const metadata = await discover(client, fetch);
  assertSafeEndpoints(metadata);
  return configure(metadata, client, fetch);
}

/** OpenID discovery and RFC 8414 put the same document in different places, and servers under a path mix them up. */
async function discover(
  { issuer, deviceAuthorizationEndpoint }: ServerClient,
  fetch: oauth.CustomFetch,
): Promise<oauth.ServerMetadata> {
  let failure: unknown;
  for (const address of metadataAddresses(issuer)) {
    try {
      const config = await oauth.discovery(address, 'unused', undefined, oauth.None(), {
        [oauth.customFetch]: fetch,
        execute: [oauth.allowInsecureRequests],
        timeout: requestSeconds,
      });
      const metadata = config.serverMetadata();
      assertIssuer(metadata.issuer, issuer);
      const start = deviceAuthorizationEndpoint ?? metadata.device_authorization_endpoint;
      if (start !== undefined && metadata.token_endpoint !== undefined) {
        return Object.assign(metadata, { device_authorization_endpoint: start });
      }
      failure = noDeviceFlow(metadata.issuer);
    } catch (error) {
      failure ??= error;
      // Where nothing answers at all, the other addresses would only take as long again.
      const unreachable = ownError(error, UnreachableError);
      if (unreachable !== undefined && unreachable.status === undefined) break;
    }
  }
  throw failure;
}

function configure(
  metadata: oauth.ServerMetadata,
  { clientId, clientSecret }: ServerClient,
  fetch: oauth.CustomFetch,
): oauth.Configuration {
  const tolerance = { [oauth.clockTolerance]: clockToleranceSeconds };
  const config = new oauth.Configuration(metadata, clientId, tolerance, authentication(metadata, clientSecret));
  config[oauth.customFetch] = fetch;
  config.timeout = requestSeconds;
  // The wire refuses http for every address that is not on this machine, so the library need not.
  oauth.allowInsecureRequests(config);
  if (metadata.jwks_uri !== undefined) oauth.enableNonRepudiationChecks(config);
  return config;
}

function authentication(metadata: oauth.ServerMetadata, secret: string | undefined): oauth.ClientAuth {
  if (secret === undefined) return oauth.None();
  // RFC 8414 §2: Basic is meant where the server names no method.
  const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const wantsBody = methods.includes('client_secret_post') && !methods.includes('client_secret_basic');
  return wantsBody ? oauth.ClientSecretPost(secret) : oauth.ClientSecretBasic(secret);
}

/** openid-client wraps what a fetch of ours threw. */
export function ownError<E extends Error>(error: unknown, kind: new (...parameters: never[]) => E): E | undefined {
  if (error instanceof kind) return error;
  return error instanceof Error && error.cause instanceof kind ? error.cause : undefined;
}

import { assertIssuer, metadataAddresses } from '../login/login-metadata.ts';
import { assertSafeAddress } from '../login/safe-fetch.ts';
import type { Answer } from './answer.ts';

/** What a server says of itself, at either place. */
export interface FoundServer {
  /** RFC 8414 §3 or OpenID Connect Discovery §4; `undefined` where neither is there. */
  metadata: Readonly<Record<string, unknown>> | undefined;
  /** Where it was found. */
  address: string | undefined;
  endpoints: Endpoints;
}

export interface Endpoints {
  start: string;
  token: string;
}

export interface NamedEndpoints {
  start?: string | undefined;
  token?: string | undefined;
}

/**
 * Looks where metadata may be. What the caller names wins over what is found, since not every server publishes it.
 *
 * @throws {Error} where an endpoint is neither found nor named, or could be read on the way
 */
export async function findServer(
  issuer: URL,
  named: NamedEndpoints,
  ask: (address: string) => Promise<Answer>,
): Promise<FoundServer> {
  let found: Pick<FoundServer, 'metadata' | 'address'> = { metadata: undefined, address: undefined };
  for (const { href } of metadataAddresses(issuer)) {
    const { status, json } = await ask(href);
    if (status !== 200 || json === undefined || typeof json['issuer'] !== 'string') continue;
    // The first of them that is this server's; of another one nothing is believed.
    if (isOf(json['issuer'], issuer) && (found.metadata === undefined || has(json) > has(found.metadata))) {
      found = { metadata: json, address: href };
    } else found.address ??= href;
  }
  const endpoint = (name: string, option: string, given: string | undefined) => {
    const address = given ?? found.metadata?.[name];
    if (typeof address !== 'string' || !URL.canParse(address)) {
      const seen = found.address === undefined ? `${issuer.href} has no metadata` : `its metadata names no ${name}`;
      throw new Error(`${seen}: name it with ${option} URL`);
    }
    assertSafeAddress(address);
    return address;
  };
  const endpoints = {
    start: endpoint('device_authorization_endpoint', '--device-authorization-endpoint', named.start),
    token: endpoint('token_endpoint', '--token-endpoint', named.token),
  };
  return { ...found, endpoints };
}

function isOf(written: string, issuer: URL): boolean {
  try {
    assertIssuer(written, issuer);
    return true;
  } catch {
    return false;
  }
}

/** A document that names the device flow is better than one that does not. */
function has(document: Readonly<Record<string, unknown>>): number {
  return document['device_authorization_endpoint'] === undefined ? 0 : 1;
}

import { shellWord } from '../terminal/shell-word.ts';
import { assertSafeAddress, UnexpectedAnswerError } from './safe-fetch.ts';

/**
 * Where a server's metadata may be: OpenID Connect Discovery appends its path to the issuer's, RFC 8414 §3 puts its own
 * before it, and some servers do it the other way round. An address within `/.well-known/` is taken as it is.
 */
export function metadataAddresses(issuer: URL): URL[] {
  if (issuer.pathname.includes('/.well-known/')) return [issuer];
  const path = issuer.pathname.replace(/\/$/, '');
  const addresses = [
    `${path}/.well-known/openid-configuration`,
    `/.well-known/oauth-authorization-server${path}`,
    `${path}/.well-known/oauth-authorization-server`,
    `/.well-known/openid-configuration${path}`,
  ];
  return [...new Set(addresses)].map((address) => new URL(address, issuer.origin));
}

/**
 * RFC 8414 §3.3: a document that names another issuer is not this server's, else one server could pass for another.
 * Only a slash at the end is forgiven, since people leave it out.
 */
export function assertIssuer(found: string, expected: URL): void {
  const isSame = expected.pathname.includes('/.well-known/')
    ? URL.canParse(found) && new URL(found).origin === expected.origin
    : withoutSlash(found) === withoutSlash(expected.href);
  if (isSame) return;
  throw new UnexpectedAnswerError(
    `${expected.href} says that its issuer is ${found}. If that is the server you mean, use --issuer ${shellWord(found)}`,
  );
}

function withoutSlash(address: string): string {
  return address.replace(/\/$/, '');
}

export function noDeviceFlow(issuer: string): UnexpectedAnswerError {
  return new UnexpectedAnswerError(
    `${issuer} has no device flow: its metadata names no device_authorization_endpoint. ` +
      'If it has one all the same, name it with --device-authorization-endpoint',
  );
}

/** Every endpoint that will be used, before a person is asked for anything. */
export function assertSafeEndpoints(metadata: Readonly<Record<string, unknown>>): void {
  const names = [
    'device_authorization_endpoint',
    'token_endpoint',
    'jwks_uri',
    'userinfo_endpoint',
    'revocation_endpoint',
  ];
  for (const name of names) {
    const address = metadata[name];
    if (typeof address === 'string') assertSafeAddress(address);
  }
}

import type { IncomingMessage } from 'node:http';
import { isFormType } from '../../oauth/form-type.ts';
import type { IssuerAddresses } from '../../oauth/metadata.ts';
import { OAuthError } from '../../oauth/oauth-error.ts';
import type { DeviceRoute } from './node-adapter.ts';

/** What other servers call a path → what stands in its place here; the first that fits counts. */
const LIKELY: readonly [RegExp, (at: IssuerAddresses) => string][] = [
  [/introspect/i, (at) => `the introspection endpoint is ${at.introspection}`],
  [/revo|logout/i, (at) => `the revocation endpoint is ${at.revocation}`],
  [/user-?info/i, (at) => `the userinfo endpoint is ${at.userinfo}`],
  [/jwks|certs|keys/i, (at) => `the keys are at ${at.jwks}`],
  [/device/i, (at) => `the device authorization endpoint is ${at.deviceAuthorization}`],
  [/token/i, (at) => `the token endpoint is ${at.token}`],
];

/**
 * The answer at a path that nobody has. A program that has another server's paths built in prints what it gets, and what
 * it gets names the path that it needs, or the document that names them all.
 */
export function notFoundEndpoint(path: string, addresses: IssuerAddresses): DeviceRoute {
  const likely = LIKELY.find(([words]) => words.test(path))?.[1](addresses);
  const all = `all endpoints are named in ${addresses.issuer}/.well-known/openid-configuration`;
  const description = `there is nothing at this path; ${likely ?? all}`;
  const refusal = new OAuthError('invalid_request', description, { status: 404 });
  return { path: 'none', OTHERWISE: () => Promise.reject(refusal) };
}

/** Whether whoever asks for a path that nobody has is a person: browsers name HTML, and programs post forms. */
export function isForPeople({ method, headers }: Pick<IncomingMessage, 'method' | 'headers'>): boolean {
  if (method === 'POST' && isFormType(headers['content-type'] ?? '')) return false;
  return /text\/html|application\/xhtml\+xml/i.test(headers.accept ?? '');
}

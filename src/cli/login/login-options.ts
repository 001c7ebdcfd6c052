import { readArguments } from '../read-arguments.ts';
import type { ValuesOf } from '../tables/command-table.ts';
import { loginTable } from '../tables/login-table.ts';
import type { SecretPlace } from './client-secret.ts';

export interface LoginOptions {
  issuer: URL;
  /** For servers whose metadata does not name it. */
  deviceAuthorizationEndpoint: string | undefined;
  clientId: string;
  clientSecret?: SecretPlace;
  scopes: string[];
  resources: string[];
  json: boolean;
  qr: boolean;
  plain: boolean;
  confirm: boolean;
}

export type ReadLoginOptions = { options: LoginOptions } | { problem: string };

export function readLoginOptions(args: readonly string[]): ReadLoginOptions {
  let values: ValuesOf<typeof loginTable>;
  try {
    ({ values } = readArguments(loginTable, args));
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  const issuer = readAddress('--issuer', values.issuer);
  if (typeof issuer === 'string') return { problem: issuer };
  const endpoint = values['device-authorization-endpoint'];
  const start = endpoint === undefined ? undefined : readAddress('--device-authorization-endpoint', endpoint);
  if (typeof start === 'string') return { problem: start };
  const clientId = values['client-id'] ?? '';
  if (clientId === '') return { problem: '--client-id is missing: the client that is registered at the server' };
  const env = values['client-secret-env'];
  const file = values['client-secret-file'];
  if (env !== undefined && file !== undefined) {
    return { problem: '--client-secret-env and --client-secret-file exclude each other' };
  }
  return {
    options: {
      issuer,
      deviceAuthorizationEndpoint: start?.href,
      clientId,
      ...(env === undefined ? {} : { clientSecret: { env } }),
      ...(file === undefined ? {} : { clientSecret: { file } }),
      scopes: (values.scope ?? []).flatMap((scope) => scope.split(/\s+/)).filter((scope) => scope !== ''),
      resources: values.resource ?? [],
      json: values.json ?? false,
      qr: values['no-qr'] !== true,
      plain: values.plain ?? false,
      confirm: values.confirm ?? false,
    },
  };
}

function readAddress(option: string, value = ''): URL | string {
  if (value === '') return `${option} is missing: an address such as https://login.example.com`;
  const address = URL.canParse(value) ? new URL(value) : undefined;
  if (address === undefined || (address.protocol !== 'https:' && address.protocol !== 'http:')) {
    return `${option}: found ${value}, expected an address such as https://login.example.com`;
  }
  if (address.username !== '' || address.password !== '') {
    return `${option}: an address with a user name or password is refused`;
  }
  return address;
}

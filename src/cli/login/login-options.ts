import type { ParseArgsConfig } from 'node:util';
import { readArguments } from '../read-arguments.ts';

export interface LoginOptions {
  issuer: URL;
  /** For servers whose metadata does not name it. */
  deviceAuthorizationEndpoint: string | undefined;
  clientId: string;
  clientSecret?: { env: string } | { file: string };
  scopes: string[];
  resources: string[];
  json: boolean;
  qr: boolean;
  plain: boolean;
  confirm: boolean;
}

export const loginUsage = `Usage: gatehouse login --issuer URL --client-id ID [options]

Signs in to a server that has the device flow (RFC 8628), here in the terminal.

  --issuer URL               the server's issuer; https, or http on this machine
  --client-id ID             the client that is registered there
  --scope SCOPE              what to ask for; may be repeated (without it: openid)
  --resource URI             what the token is for (RFC 8707); may be repeated
  --client-secret-env NAME   take the client's secret from this environment variable
  --client-secret-file FILE  take the client's secret from this file
  --device-authorization-endpoint URL
                             for a server whose metadata does not name it
  --json                     print the token response to standard output; without it the tokens are dropped
  --confirm                  make the server ask for 4 digits, typed here, after the approval
  --no-qr                    no QR code
  --plain                    no QR code, no large letters, no motion
  --help                     this text

Exit: 0 signed in, 1 error, 3 denied, 4 the code ran out, 64 wrong options, 130 Ctrl-C.
`;

const flags = {
  issuer: { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret-env': { type: 'string' },
  'client-secret-file': { type: 'string' },
  'device-authorization-endpoint': { type: 'string' },
  scope: { type: 'string', multiple: true },
  resource: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  confirm: { type: 'boolean' },
  qr: { type: 'boolean', default: true },
  plain: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} satisfies ParseArgsConfig['options'];

export type ReadLoginOptions = { options: LoginOptions } | { problem: string } | { help: true };

export function readLoginOptions(args: readonly string[]): ReadLoginOptions {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(args);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
  if (values.help === true) return { help: true };
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
      qr: values.qr,
      plain: values.plain ?? false,
      confirm: values.confirm ?? false,
    },
  };
}

function parse(args: readonly string[]) {
  return readArguments({ args: [...args], options: flags, strict: true, allowPositionals: false, allowNegative: true })
    .values;
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

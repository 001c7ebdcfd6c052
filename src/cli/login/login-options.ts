import type { AskedProfile } from '../profiles/choose-profile.ts';
import { readIssuer } from '../profiles/read-issuer.ts';
import { readArguments, tooMuch, UsageError } from '../read-arguments.ts';
import { loginTable } from '../tables/login-table.ts';
import type { SecretPlace } from './client-secret.ts';

/** What the arguments say, before anything is looked up. */
export interface LoginOptions {
  asked: AskedProfile;
  /** For servers whose metadata does not name it. */
  deviceAuthorizationEndpoint: string | undefined;
  clientSecret?: SecretPlace;
  scopes: string[];
  resources: string[];
  json: boolean;
  /** Whether the tokens are kept. */
  isKept: boolean;
  qr: boolean;
  plain: boolean;
  confirm: boolean;
}

/** @throws {UsageError} */
export function readLoginOptions(args: readonly string[]): LoginOptions {
  const { values, operands } = readArguments(loginTable, args);
  const [issuer, ...more] = operands;
  if (more.length > 0 || (issuer !== undefined && values.issuer !== undefined)) {
    throw new UsageError(tooMuch(more[0] ?? issuer));
  }
  const endpoint = values['device-authorization-endpoint'];
  const env = values['client-secret-env'];
  const file = values['client-secret-file'];
  if (env !== undefined && file !== undefined) {
    throw new UsageError('--client-secret-env and --client-secret-file exclude each other');
  }
  return {
    asked: issuer === undefined ? values : { ...values, issuer },
    deviceAuthorizationEndpoint:
      endpoint === undefined ? undefined : readIssuer(endpoint, '--device-authorization-endpoint').href,
    ...(env === undefined ? {} : { clientSecret: { env } }),
    ...(file === undefined ? {} : { clientSecret: { file } }),
    scopes: (values.scope ?? []).flatMap((scope) => scope.split(/\s+/)).filter((scope) => scope !== ''),
    resources: values.resource ?? [],
    json: values.json ?? false,
    isKept: values.store !== 'none' && (values.json !== true || values.profile !== undefined),
    qr: values['no-qr'] !== true,
    plain: values.plain ?? false,
    confirm: values.confirm ?? false,
  };
}

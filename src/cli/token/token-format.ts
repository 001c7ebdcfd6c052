import type { KeptToken } from '../profiles/profile.ts';
import { UsageError } from '../read-arguments.ts';

export type TokenFormat = 'raw' | 'json' | 'header' | 'env' | 'kubectl';

export interface TokenToPrint {
  token: KeptToken;
  isIdToken: boolean;
  envName: string;
  /** What kubectl says to its helper. */
  execInfo: string | undefined;
}

/** What goes to stdout. Characters that a shell or a header would read otherwise never got into the cache. */
export function tokenText(format: TokenFormat, print: TokenToPrint): string {
  const { token, isIdToken, envName } = print;
  const { secret, endMs } = revealed(print);
  switch (format) {
    case 'raw':
      return `${secret}\n`;
    case 'header':
      return `Authorization: ${schemeOf(token)} ${secret}\n`;
    case 'env':
      return `export ${envName}='${secret.replaceAll("'", String.raw`'\''`)}'\n`;
    case 'kubectl':
      return `${JSON.stringify(execCredential(secret, endMs, print.execInfo))}\n`;
    case 'json': {
      const kind = isIdToken ? { id_token: secret } : { access_token: secret, token_type: token.tokenType };
      return `${JSON.stringify({ ...kind, scope: token.scope, expires_at: timeOf(endMs) })}\n`;
    }
  }
}

export function revealed({ token, isIdToken }: Pick<TokenToPrint, 'token' | 'isIdToken'>) {
  if (!isIdToken) return { secret: token.accessToken.reveal(), endMs: token.expiresAtMs };
  // Nothing would pass for a token in a script.
  if (token.idToken === undefined) {
    throw new UsageError('The server gave no ID token (some give one with --scope openid)');
  }
  return { secret: token.idToken.reveal(), endMs: token.idTokenExpiresAtMs };
}

const EXEC_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];

/** client-go takes the version that it asked for, and no other. */
function execCredential(token: string, endMs: number | undefined, execInfo: string | undefined) {
  const asked = /"apiVersion":\s*"([^"]+)"/.exec(execInfo ?? '')?.[1];
  const apiVersion = EXEC_VERSIONS.find((version) => version === asked) ?? EXEC_VERSIONS[0];
  return { apiVersion, kind: 'ExecCredential', status: { token, expirationTimestamp: timeOf(endMs) } };
}

/** RFC 6750 §2.1; the type's letters may be of any case in the answer, and some APIs know one. */
function schemeOf({ tokenType }: KeptToken): string {
  return /^bearer$/i.test(tokenType) ? 'Bearer' : tokenType;
}

/** RFC 3339, whole seconds, never later than it is. */
export function timeOf(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `${new Date(Math.floor(ms / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}

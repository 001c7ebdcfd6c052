/**
 * Every parameter that an endpoint reads from a form body. All others are ignored, however often they occur
 * (RFC 6749 §3.2); these MUST NOT occur more than once, in the body or beside it in the query (RFC 8628 §3.1).
 */
const PARAMETERS = [
  ...['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'],
  ...['scope', 'code_challenge', 'code_challenge_method', 'dpop_jkt', 'device_label', 'confirmation'],
  ...['loopback_port', 'loopback_path'],
  ...['grant_type', 'device_code', 'code_verifier', 'confirmation_code', 'refresh_token'],
  ...['token', 'access_token', 'logout_token', 'client_info'],
] as const;

export type ParameterName = (typeof PARAMETERS)[number];

/** Only this one may occur more than once in a body (RFC 8707 §2). */
export const REPEATABLE_PARAMETER = 'resource';

const READ: ReadonlySet<string> = new Set([...PARAMETERS, REPEATABLE_PARAMETER]);

export function isReadParameter(name: string): boolean {
  return READ.has(name);
}

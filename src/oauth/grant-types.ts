/** What a client's configuration calls a grant type → what it is called on the wire. */
export const GRANT_TYPES = {
  /** RFC 8628 §3.4 */
  device_code: 'urn:ietf:params:oauth:grant-type:device_code',
  /** RFC 6749 §6 */
  refresh_token: 'refresh_token',
} as const;

export type GrantType = keyof typeof GRANT_TYPES;

/** `client_assertion_type` of `private_key_jwt` (RFC 7523 §2.2). */
export const JWT_BEARER_ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The grant type that a request named, or `undefined` for one that we do not have. */
export function grantTypeOf(parameter: string): GrantType | undefined {
  for (const grantType of ['device_code', 'refresh_token'] as const) {
    if (GRANT_TYPES[grantType] === parameter) return grantType;
  }
  return undefined;
}

import type { DeviceRequest } from './endpoint.ts';

/** The port of DPoP (RFC 9449) at the device door's endpoints. */
export interface DpopProofs {
  /**
   * The thumbprint of the key that the request's proof shows, '' without a proof.
   *
   * @throws {OAuthError} `invalid_dpop_proof`, `use_dpop_nonce`
   */
  keyOf(request: DeviceRequest): Promise<string>;
}

import { isLoopback } from '../../network/loopback.ts';
import { isPrivateHost, leadsHere } from '../../network/public-address.ts';
import { UpstreamError } from '../upstream.ts';

export interface AddressRule {
  issuer: string;
  /** Addresses that the configuration states in place of the document's. */
  stated: readonly string[];
  allowsPrivateAddresses: boolean;
}

export const IS_PRIVATE = 'is a private address, which allow_private_addresses: false refuses';

/**
 * What an upstream's document may send us to: https, or http on loopback; and loopback, in whatever scheme, only where
 * the issuer is or where the configuration itself leads. Else a document, or whoever can change it, could make us call
 * what listens on this machine.
 *
 * @throws {UpstreamError} `invalid_answer`
 */
export function requireAllowed(url: URL, { issuer, stated, allowsPrivateAddresses }: AddressRule): void {
  const place = `${url.origin}${url.pathname}`;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isLoopback(url.hostname))) {
    throw new UpstreamError('invalid_answer', `${place} is not https (http is accepted on loopback only)`);
  }
  const isMeant = leadsHere(new URL(issuer).hostname) || stated.some((one) => new URL(one).origin === url.origin);
  if (leadsHere(url.hostname) && !isMeant) {
    throw new UpstreamError('invalid_answer', `${place} is on loopback, where the issuer is not; it is not called`);
  }
  if (!allowsPrivateAddresses && isPrivateHost(url.hostname)) {
    throw new UpstreamError('invalid_answer', `${place} ${IS_PRIVATE}`);
  }
}

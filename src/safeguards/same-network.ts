import type { Safeguards } from '../clients/registered-client.ts';
import { contains } from '../network/cidr.ts';
import { parseIpAddress } from '../network/ip-address.ts';
import type { Networks } from '../network/networks.ts';

/** What one access provider gives to one customer, with some room; unlike a limit's source, which must not be too wide. */
const IPV4_BITS = 24;
const IPV6_BITS = 56;

/** Whether two addresses are in one network: a named one, or the same /24 (IPv6: /56). */
export function isSameNetwork(left: string, right: string, networks: Networks): boolean {
  const named = networks.networkOf(left);
  if (named !== undefined && named.id === networks.networkOf(right)?.id) return true;
  const address = parseIpAddress(left);
  const other = parseIpAddress(right);
  if (address === undefined || other === undefined) return false;
  return contains({ address, bits: address.length === 4 ? IPV4_BITS : IPV6_BITS }, other);
}

/** A phone on mobile data is in another network than the television in front of it: hence `warn`. */
export function judgeSameNetwork(mode: Safeguards['sameNetwork'], isSame: boolean): 'ok' | 'warn' | 'refuse' {
  if (mode === 'off' || isSame) return 'ok';
  return mode === 'warn' ? 'warn' : 'refuse';
}

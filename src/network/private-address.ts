import { cidrSet } from './cidr.ts';

/** Loopback, private, shared and link-local addresses (RFC 1918, 6598, 3927, 4193, 4291). */
const PRIVATE = cidrSet([
  '127.0.0.0/8',
  '10.0.0.0/8',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '100.64.0.0/10',
  '169.254.0.0/16',
  '::1/128',
  'fc00::/7',
  'fe80::/10',
]);

/** Whether an address means something else in each network: it says nothing of where somebody is. */
export function isPrivateAddress(address: string): boolean {
  return PRIVATE.has(address);
}

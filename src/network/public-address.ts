import { cidrSet } from './cidr.ts';
import { formatIpAddress, type IpAddress, parseIpAddress } from './ip-address.ts';
import { isLoopback } from './loopback.ts';

/** IPv4 that is not of the public internet: IANA's special-purpose registry (RFC 6890), multicast and reserved. */
const NOT_PUBLIC_IPV4 = cidrSet([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]);
/** What is in use of IPv6 is in here (RFC 4291 §2.4), but for these parts; some of them carry an IPv4 address. */
const IPV6 = cidrSet(['2000::/3']);
const NOT_PUBLIC_IPV6 = cidrSet(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);
/** RFC 6052: IPv4 as a network without it reaches it. */
const TRANSLATED = cidrSet(['64:ff9b::/96']);

/** Whether an address is one of the public internet; what is no address is none. */
export function isPublicAddress(text: string): boolean {
  const address = parseIpAddress(text);
  return address !== undefined && isPublic(TRANSLATED.has(text) ? address.subarray(12) : address);
}

function isPublic(address: IpAddress): boolean {
  const text = formatIpAddress(address);
  return address.length === 4 ? !NOT_PUBLIC_IPV4.has(text) : IPV6.has(text) && !NOT_PUBLIC_IPV6.has(text);
}

/**
 * Whether a URL's host is private as far as its text shows it. What a name leads to is judged when it is looked up; an
 * address in the place of a name never is.
 */
export function isPrivateHost(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, '$1');
  return parseIpAddress(address) === undefined ? leadsHere(hostname) : !isPublicAddress(address);
}

/** `0.0.0.0` and `::` are this machine to whoever connects to them, on Linux. */
const UNSPECIFIED = cidrSet(['0.0.0.0/8', '::']);

/** Whether a connection to this host would end at the machine that makes it. */
export function leadsHere(hostname: string): boolean {
  return isLoopback(hostname) || UNSPECIFIED.has(hostname.replace(/^\[(.*)\]$/, '$1'));
}

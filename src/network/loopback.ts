import { parseIpAddress } from './ip-address.ts';

/**
 * Whether a URL's host name is this machine and nothing else. Plain http is allowed there and nowhere else. Names below
 * `localhost` are loopback to browsers (RFC 6761 §6.3), but a resolver may say otherwise: who sends secrets to such a
 * name looks at the address as well.
 */
export function isLoopback(hostname: string): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '');
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return isLoopbackAddress(hostname.replace(/^\[(.*)\]$/, '$1'));
}

/** `127.0.0.0/8`, in its IPv6 form too, and `::1`. */
export function isLoopbackAddress(text: string): boolean {
  const address = parseIpAddress(text);
  if (address === undefined) return false;
  if (address.length === 4) return address[0] === 127;
  return address.every((byte, index) => byte === (index === 15 ? 1 : 0));
}

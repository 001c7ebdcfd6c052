import { isIP } from 'node:net';

/** A network as it is kept, `192.0.2.0/24` or `2001:db8::/32`; a bare address is a network of one. */
export function parseCidr(text: string): { cidr: string; family: 4 | 6; prefix: number } | undefined {
  const [address = '', length, ...more] = text.split('/');
  const family = address.includes('%') ? 0 : isIP(address);
  if ((family !== 4 && family !== 6) || more.length > 0) return undefined;
  const longest = family === 4 ? 32 : 128;
  if (length === undefined) return { cidr: `${address}/${longest}`, family, prefix: longest };
  if (!/^(0|[1-9][0-9]{0,2})$/.test(length)) return undefined;
  const prefix = Number(length);
  return prefix > longest ? undefined : { cidr: text, family, prefix };
}

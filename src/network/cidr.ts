import { formatIpAddress, type IpAddress, parseIpAddress } from './ip-address.ts';

/** A network: the addresses that share the first bits of this one. */
export interface Cidr {
  address: IpAddress;
  bits: number;
}

/**
 * Reads `192.0.2.0/24`, `2001:db8::/32` or a bare address, which is a network of one. A network of IPv4 addresses in
 * their IPv6 form is one of IPv4; one that is wider than those all is none, since no visitor is ever seen that way.
 */
export function parseCidr(text: string): Cidr | undefined {
  const [written = '', length, ...more] = text.split('/');
  const address = written.includes('%') ? undefined : parseIpAddress(written);
  if (address === undefined || more.length > 0) return undefined;
  const longest = address.length * 8;
  if (length === undefined) return { address, bits: longest };
  if (!/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  // The IPv6 form counts the 96 bits before an IPv4 address too.
  const bits = Number(length) - (longest === 32 && written.includes(':') ? 96 : 0);
  return bits >= 0 && bits <= longest ? { address, bits } : undefined;
}

export function contains({ address: network, bits }: Cidr, address: IpAddress): boolean {
  if (network.length !== address.length) return false;
  const whole = bits >> 3;
  for (let index = 0; index < whole; index += 1) if (network[index] !== address[index]) return false;
  const mask = (0xff00 >> (bits & 7)) & 0xff;
  return mask === 0 || ((network[whole] ?? 0) & mask) === ((address[whole] ?? 0) & mask);
}

/** The network of this many bits that an address is in, as text. */
export function networkText(address: IpAddress, bits: number): string {
  const network = address.map((byte, index) => byte & (0xff00 >> Math.max(0, Math.min(8, bits - index * 8))));
  return `${formatIpAddress(network)}/${bits}`;
}

/** Whether an address is in one of the networks; what is no address is in none. */
export function cidrSet(networks: readonly string[]): { has(address: string): boolean } {
  const cidrs = networks.map(parsedCidr);
  return {
    has(text) {
      const address = parseIpAddress(text);
      return address !== undefined && cidrs.some((cidr) => contains(cidr, address));
    },
  };
}

/** @throws {RangeError} for what the configuration should have refused: a network that is skipped would let people in or out */
export function parsedCidr(text: string): Cidr {
  const cidr = parseCidr(text);
  if (cidr === undefined) throw new RangeError(`not a network: ${JSON.stringify(text)}`);
  return cidr;
}

import { networkText } from './cidr.ts';
import { parseIpAddress } from './ip-address.ts';

/**
 * What limits count by. One customer of an access provider has one IPv4 address or at least one IPv6 /64, so that is
 * a source; a /24 or a /48 is the most that somebody gets for little money, and counts as well.
 */
export interface SourcePrefixes {
  /** `203.0.113.7/32` or `2001:db8:1:2::/64` */
  source: string;
  /** `203.0.113.0/24` or `2001:db8:1::/48` */
  wider: string;
}

/** All that has no address (a socket that is gone already) is one source. */
const UNKNOWN: SourcePrefixes = { source: 'unknown', wider: 'unknown' };

/** What a /24 or a /48 gets of the limit of a source. */
export const WIDER_FACTOR = 10;

export function sourcePrefixes(address: string): SourcePrefixes {
  const parsed = parseIpAddress(address);
  if (parsed === undefined) return UNKNOWN;
  return parsed.length === 4
    ? { source: networkText(parsed, 32), wider: networkText(parsed, 24) }
    : { source: networkText(parsed, 64), wider: networkText(parsed, 48) };
}

/** Both, the narrow one first: what before-marks of a source are looked up by. */
export function sourcePrefixList(address: string): readonly string[] {
  const { source, wider } = sourcePrefixes(address);
  return [source, wider];
}

import type { Cidr } from './cidr.ts';

interface Space {
  first: bigint;
  size: bigint;
  bytes: number;
}

/**
 * Where visitors come from: all of IPv4, the IPv6 addresses that are routed on the internet (RFC 4291 §2.4), and all of
 * IPv4 once more as a translator (RFC 6052 §2.1) and 6to4 (RFC 3056 §2) write it.
 */
const SPACES: readonly Space[] = [
  { bytes: 4, first: 0n, size: 1n << 32n },
  { bytes: 16, first: 1n << 125n, size: 1n << 125n },
  { bytes: 16, first: 0x64ff9bn << 96n, size: 1n << 32n },
  { bytes: 16, first: 0x2002n << 112n, size: 1n << 112n },
];

/**
 * Whether networks together have half of all addresses or more. Such a list names nobody: `/0` in two halves, or in
 * all pieces but one, means everybody just as well.
 */
export function coversMost(networks: readonly Cidr[]): boolean {
  return SPACES.some((space) => coveredOf(space, networks) * 2n >= space.size);
}

/** How many addresses of a space are in at least one of the networks. */
function coveredOf({ bytes, first, size }: Space, networks: readonly Cidr[]): bigint {
  const ranges = networks
    .filter(({ address }) => address.length === bytes)
    .map(rangeOf)
    .sort((left, right) => (left.from < right.from ? -1 : 1));
  let covered = 0n;
  let at = first;
  for (const { from, to } of ranges) {
    const begin = from > at ? from : at;
    const end = to < first + size ? to : first + size;
    if (end <= begin) continue;
    covered += end - begin;
    at = end;
  }
  return covered;
}

function rangeOf({ address, bits }: Cidr): { from: bigint; to: bigint } {
  const host = BigInt(address.length * 8 - bits);
  const value = address.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const from = (value >> host) << host;
  return { from, to: from + (1n << host) };
}

/**
 * Addresses, networks and loopback: one reader each, for the whole program. Which address a request came from is here too.
 * What follows from it is not.
 */

/** An address as its bytes: 4 or 16 of them. */
export type IpAddress = Uint8Array;

/** `::ffff:0:0/96`: an IPv4 peer as a socket that listens on IPv6 sees it. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255];

/**
 * Reads an address, or answers `undefined` where it is none. An IPv4 address is the same however it was written
 * (`::ffff:192.0.2.1`, `::ffff:c000:201`); otherwise one visitor would be two sources. A zone (`fe80::1%eth0`) is dropped.
 */
export function parseIpAddress(text: string): IpAddress | undefined {
  const bytes = text.includes(':') ? parseIpv6(text) : parseIpv4(text);
  if (bytes?.length === 16 && MAPPED.every((byte, index) => bytes[index] === byte)) return bytes.subarray(12);
  return bytes;
}

/** The one way to write an address (RFC 5952 §4), so that equal addresses are equal texts. */
export function formatIpAddress(address: IpAddress): string {
  if (address.length === 4) return address.join('.');
  const groups = Array.from({ length: 8 }, (_, n) => ((address[2 * n] ?? 0) << 8) | (address[2 * n + 1] ?? 0));
  const gap = longestZeroRun(groups);
  const hex = groups.map((group) => group.toString(16));
  if (gap.length < 2) return hex.join(':');
  return `${hex.slice(0, gap.start).join(':')}::${hex.slice(gap.start + gap.length).join(':')}`;
}

function parseIpv4(text: string): IpAddress | undefined {
  if (!/^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text)) return undefined;
  const bytes = text.split('.').map(Number);
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : undefined;
}

function parseIpv6(text: string): IpAddress | undefined {
  const [address = '', zone, ...more] = text.split('%');
  if (zone === '' || more.length > 0) return undefined;
  const [before = '', after, ...rest] = address.split('::');
  if (rest.length > 0) return undefined;
  const head = parseGroups(before, after === undefined);
  const tail = after === undefined ? [] : parseGroups(after, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (after === undefined ? missing !== 0 : missing < 2) return undefined;
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail]);
}

/** Groups of four hexadecimal digits as bytes; the last may be an IPv4 address where the whole address ends with it. */
function parseGroups(text: string, endsAddress: boolean): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (group.includes('.')) {
      const embedded = endsAddress && index === groups.length - 1 ? parseIpv4(group) : undefined;
      if (embedded === undefined) return undefined;
      bytes.push(...embedded);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(group)) return undefined;
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes;
}

/** The first of the longest runs of zero groups. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > longest.length) longest = { start, length: index + 1 - start };
  }
  return longest;
}

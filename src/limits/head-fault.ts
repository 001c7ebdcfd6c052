export type HeadFault = 'no_host' | 'several_hosts' | 'head_too_large' | 'too_many_headers';

/** Request line and headers together. Beyond three times as much nobody is asked any more. */
export const MAX_HEAD_KIBIBYTES = 16;

/** Twice what proxies let through. Node leaves out whatever comes after as many as it was told, and says nothing. */
export const MAX_HEADERS = 200;

export const HEAD_WORDS: Readonly<Record<HeadFault, string>> = {
  no_host: 'the Host header is missing',
  several_hosts: 'the Host header occurs more than once',
  head_too_large: `the headers are larger than ${MAX_HEAD_KIBIBYTES} KiB`,
  too_many_headers: `there are more than ${MAX_HEADERS} headers`,
};

export function isTooLarge(fault: HeadFault): boolean {
  return fault === 'head_too_large' || fault === 'too_many_headers';
}

/** The part of a request that is judged here. */
export interface RequestHead {
  url?: string | undefined;
  httpVersion: string;
  headers: { host?: string | undefined };
  /** Names and values in turn. */
  rawHeaders: readonly string[];
}

/**
 * What Node's server would refuse with a bare status. Here it is let through so far that the door that was meant can
 * answer in its own way: a program gets JSON, and a person with too many cookies is told what to do.
 */
export function headFault({ url = '', httpVersion, headers, rawHeaders }: RequestHead): HeadFault | undefined {
  // A proxy may write where a visitor came from behind all that they sent, where it would not be read.
  if (rawHeaders.length > 2 * MAX_HEADERS) return 'too_many_headers';
  // RFC 9112 §3.2: who speaks HTTP/1.1 names the host, once.
  if (headers.host === undefined && httpVersion !== '1.0') return 'no_host';
  let bytes = url.length;
  let hosts = 0;
  for (const [index, part] of rawHeaders.entries()) {
    bytes += part.length + 2;
    if (index % 2 === 0 && part.length === 4 && part.toLowerCase() === 'host') hosts += 1;
  }
  // Node keeps the first; a proxy in front may have gone by the last.
  if (hosts > 1) return 'several_hosts';
  return bytes > MAX_HEAD_KIBIBYTES * 1024 ? 'head_too_large' : undefined;
}

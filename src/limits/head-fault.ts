export type HeadFault = 'no_host' | 'head_too_large';

/** Request line and headers together. Beyond three times as much nobody is asked any more. */
export const MAX_HEAD_KIBIBYTES = 16;

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
  // RFC 9112 §3.2: who speaks HTTP/1.1 names the host.
  if (headers.host === undefined && httpVersion !== '1.0') return 'no_host';
  let bytes = url.length;
  for (const part of rawHeaders) bytes += part.length + 2;
  return bytes > MAX_HEAD_KIBIBYTES * 1024 ? 'head_too_large' : undefined;
}

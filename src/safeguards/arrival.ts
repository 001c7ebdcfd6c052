import type { Safeguards } from '../clients/registered-client.ts';

/**
 * How a browser came to the code page. A typed address, a scanned QR code and a link that a terminal opens are all
 * `typed`: no page sent the browser here. A phishing page, a chat or webmail in the browser is `cross_site`.
 */
export type Arrival = 'typed' | 'same_site' | 'cross_site' | 'unknown';

/** The request's headers, as Node gives them. */
export interface ArrivalHeaders {
  readonly 'sec-fetch-site'?: string | string[] | undefined;
  readonly referer?: string | undefined;
}

export interface ArrivalVerdict {
  /** When it is not `go`, a code in the address is dropped and the whole code must be typed. */
  verdict: 'go' | 'go_without_code' | 'stop_with_continue' | 'stop';
  arrival: Arrival;
  /** The host of the page that had the link, where the browser names it. */
  from?: string | undefined;
}

/**
 * No page can set `Sec-Fetch-Site`, whatever it does with `rel=noreferrer`, redirects or scripts; a chain of redirects
 * is as foreign as its most foreign part. Browsers without it are judged by `Referer`, which a page can suppress.
 */
export function arrivalOf(headers: ArrivalHeaders, publicUrl: string): Pick<ArrivalVerdict, 'arrival' | 'from'> {
  const referrer = urlOf(headers.referer);
  const isOwn = referrer?.origin === new URL(publicUrl).origin;
  const from = isOwn ? undefined : referrer?.hostname;
  switch (headers['sec-fetch-site']) {
    case 'none':
      return { arrival: 'typed', from };
    case 'same-origin':
    case 'same-site':
      return { arrival: 'same_site', from };
    case 'cross-site':
      return { arrival: 'cross_site', from };
    default:
      if (referrer === undefined) return { arrival: 'unknown' };
      return { arrival: isOwn ? 'same_site' : 'cross_site', from };
  }
}

/**
 * Whether a person may go on from where they came. An old browser that does not say is not stopped, since there may be
 * no link at all; but in `strict` a code in its address counts for nothing.
 *
 * @param wasFollowed a link led this browser to us before: what our own pages lead to, the link led to
 */
export function judgeArrival(
  mode: Safeguards['arrival'],
  headers: ArrivalHeaders,
  publicUrl: string,
  { wasFollowed }: { wasFollowed: boolean } = { wasFollowed: false },
): ArrivalVerdict {
  const { arrival: direct, from } = arrivalOf(headers, publicUrl);
  const arrival = wasFollowed && direct === 'same_site' ? 'cross_site' : direct;
  return { arrival, from, verdict: verdictOn(mode, arrival) };
}

function verdictOn(mode: Safeguards['arrival'], arrival: Arrival): ArrivalVerdict['verdict'] {
  if (mode === 'off' || arrival === 'typed' || arrival === 'same_site') return 'go';
  if (arrival === 'unknown') return mode === 'strict' ? 'go_without_code' : 'go';
  return mode === 'strict' ? 'stop' : 'stop_with_continue';
}

/**
 * The mode for a page that is shown before the client is known: what all clients agree on, and in between a stop that
 * can be passed. Once the code names its client, `mayFollowLink` judges again by that client's own mode.
 */
export function arrivalModeOfAll(clients: readonly { safeguards: Safeguards }[]): Safeguards['arrival'] {
  const modes = new Set(clients.map(({ safeguards }) => safeguards.arrival));
  const [only = 'off'] = modes;
  return modes.size <= 1 ? only : 'warn';
}

/** Whether a code may be entered by somebody who followed a link and went on past the stop page. */
export function mayFollowLink(mode: Safeguards['arrival']): boolean {
  return mode !== 'strict';
}

function urlOf(referer: string | undefined): URL | undefined {
  if (referer === undefined || !URL.canParse(referer)) return undefined;
  const url = new URL(referer);
  return url.protocol === 'https:' || url.protocol === 'http:' ? url : undefined;
}

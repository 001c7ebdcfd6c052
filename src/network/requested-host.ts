import { isLoopback } from './loopback.ts';

export type RequestedHost =
  | 'own'
  /** Another name of this machine, at our own port. */
  | 'other_name'
  /** A name that somebody lets resolve to this machine. */
  | 'foreign';

/**
 * Judges the `Host` of requests to a broker whose `public_url` is on loopback. A stranger's page whose name resolves to
 * 127.0.0.1 (DNS rebinding) has this broker for its own origin: it may send and read everything. A browser says which
 * name it asked, so another name than ours is nobody's business here. On https the certificate does the same.
 *
 * At another port there may be a replica, or a proxy that says to whom it passes on: such names are taken for our own.
 */
export function createHostJudge(publicUrl: string): (host: string | undefined) => RequestedHost {
  const own = new URL(publicUrl);
  let last: { host: string; judged: RequestedHost } | undefined;
  return (host) => {
    // Only HTTP/1.0 may leave it out, which no browser speaks.
    if (own.protocol === 'https:' || host === undefined) return 'own';
    if (last?.host !== host) last = { host, judged: judge(own, host) };
    return last.judged;
  };
}

/**
 * The same for a listener that has no address of its own to be called by.
 *
 * @param address where it listens
 * @returns `undefined` where it listens for other machines, whose names for it nobody here knows
 */
export function foreignToListener(address: string): ((host: string | undefined) => boolean) | undefined {
  if (!isLoopback(address)) return undefined;
  const judgeHost = createHostJudge('http://localhost');
  return (host) => judgeHost(host) === 'foreign';
}

function judge(own: URL, host: string): RequestedHost {
  if (!/^[^\s/?#@\\]+$/.test(host) || !URL.canParse(`http://${host}`)) return 'foreign';
  const asked = new URL(`http://${host}`);
  if (asked.hostname === own.hostname) return 'own';
  if (!isLoopback(asked.hostname)) return 'foreign';
  return asked.port === own.port ? 'other_name' : 'own';
}

import { UpstreamError } from './upstream.ts';

/** An address that waiting does not mend: nothing is there, it redirects, or its certificate is not trusted here. */
export class UnusableAddressError extends UpstreamError {
  constructor(detail: string) {
    super('unavailable', detail);
  }
}

/** What OpenSSL calls a certificate of an authority that it does not know. */
const UNKNOWN_AUTHORITY = /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/;

/** How undici says that a proxy opened no tunnel. */
const PROXY_ANSWER = /^Proxy response \((\d{3})\)/;

/**
 * Says why a request had no answer of the protocol.
 *
 * @param way what stands between us and the place, as words that follow it
 */
export function requestFailure(place: string, way: string, error: unknown): UpstreamError {
  if (error instanceof UpstreamError) return error;
  const refusedBy = PROXY_ANSWER.exec(error instanceof Error ? error.message : '')?.[1];
  if (refusedBy !== undefined) return proxyFailure(`${place}${way}`, Number(refusedBy));
  const detail = `${place}${way}: ${reason(error)}`;
  const code = codeOf(error);
  if (UNKNOWN_AUTHORITY.test(code)) {
    return new UnusableAddressError(
      `${detail}; name the authority that signed its certificate as this upstream’s ca, or in NODE_EXTRA_CA_CERTS`,
    );
  }
  return code.includes('CERT') ? new UnusableAddressError(detail) : new UpstreamError('unavailable', detail);
}

/** A proxy that answers 4xx has decided; any other did not get there itself. */
function proxyFailure(place: string, status: number): UpstreamError {
  const advice = status === 407 ? '; check its username and password' : '';
  const detail = `${place}: the proxy answers ${status}${advice}`;
  const isDecided = status >= 400 && status < 500;
  return isDecided ? new UnusableAddressError(detail) : new UpstreamError('unavailable', detail);
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

function reason(error: unknown): string {
  if (!(error instanceof Error)) return 'the request failed';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const code = codeOf(error);
  return code === '' ? error.message : `${code} (${error.message})`;
}

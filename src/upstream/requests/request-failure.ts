import { UpstreamError } from '../upstream.ts';

/** An address that waiting does not mend: nothing is there, it redirects, or its certificate is not trusted here. */
export class UnusableAddressError extends UpstreamError {
  constructor(detail: string) {
    super('unavailable', detail);
  }
}

/** Nobody is there, or nobody behind what stands before it: whoever is sent there now sees no sign-in page either. */
export class UnansweredError extends UpstreamError {
  constructor(detail: string) {
    super('unavailable', detail);
  }
}

/** What OpenSSL calls a certificate of an authority that it does not know. */
const UNKNOWN_AUTHORITY = /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/;

/** How undici says that a proxy opened no tunnel. */
const PROXY_ANSWER = /^Proxy response \((\d{3})\)/;

/** What is known of the way to a place that did not answer. */
export interface RequestRoute {
  /** What stands between us and the place, as words that follow it. */
  way: string;
  /** The variable that names a proxy, where it is not used. */
  unusedProxy?: string | undefined;
  /** Nobody but the upstream's own document says that it is there. */
  isNamedThere?: boolean;
}

/** Says why a request had no answer of the protocol. */
export function requestFailure(place: string, known: RequestRoute, error: unknown): UpstreamError {
  const { way } = known;
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
  if (code.includes('CERT')) return new UnusableAddressError(detail);
  return new UnansweredError(detail + whatToLookAt(known, code, error));
}

const NO_ADDRESS = ['ENOTFOUND', 'EAI_AGAIN'];
const NOBODY_THERE = ['ECONNREFUSED'];
const NO_WAY = ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

/** The upstream may be in order and the way to it not: whoever reads this can change the way. */
function whatToLookAt({ way, unusedProxy, isNamedThere }: RequestRoute, code: string, error: unknown): string {
  const isSilent = NO_WAY.includes(code) || (error instanceof Error && error.name === 'TimeoutError');
  if (!isSilent && !NO_ADDRESS.includes(code) && !NOBODY_THERE.includes(code)) return '';
  return [
    ...(NO_ADDRESS.includes(code) ? ['the name has no address: look at the DNS here'] : []),
    ...(NOBODY_THERE.includes(code) ? [`nothing accepts connections ${way === '' ? 'there' : 'at the proxy'}`] : []),
    ...(NO_WAY.includes(code) ? ['a firewall or a route may be in the way'] : []),
    ...(unusedProxy === undefined ? [] : [`${unusedProxy} is set and is not used: write proxy: with its address`]),
    ...(isNamedThere === true
      ? ['its own document names that address: endpoints: or back_channel: say where it is for us']
      : []),
  ]
    .map((words) => `; ${words}`)
    .join('');
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

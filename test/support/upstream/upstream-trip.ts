import { randomBytes } from 'node:crypto';
import type { SignIn, TripParameters, Upstream, UpstreamFault } from '../../../src/upstream/upstream.ts';
import { UpstreamError } from '../../../src/upstream/upstream.ts';

export const PUBLIC_URL = 'http://127.0.0.1:8080';
export const CALLBACK = `${PUBLIC_URL}/callback/corp`;

export function newTrip(changes: Partial<TripParameters> = {}): TripParameters {
  const random = () => randomBytes(32).toString('base64url');
  return { redirectUri: CALLBACK, state: random(), nonce: random(), codeVerifier: random(), ...changes };
}

/** Goes to an upstream that needs no person, and answers where it sends the browser. */
export async function goThere(upstream: Upstream, trip: TripParameters): Promise<URL> {
  let address = await upstream.signInAddress(trip);
  for (let hops = 0; hops < 5; hops += 1) {
    const location = (await fetch(address, { redirect: 'manual' })).headers.get('location') ?? '';
    address = new URL(location, address);
    if (address.href.startsWith(trip.redirectUri)) return address;
  }
  throw new Error(`the upstream does not send the browser back: ${address.href}`);
}

export async function signInThere(upstream: Upstream, trip: TripParameters = newTrip()): Promise<SignIn> {
  return upstream.finishSignIn(await goThere(upstream, trip), trip);
}

/** The fault that something ends in, with its detail for the log. Anything but an `UpstreamError` is a bug. */
export async function faultOf(work: Promise<unknown>): Promise<{ fault: UpstreamFault; detail: string }> {
  const thrown: unknown = await work.then(
    () => new Error('it succeeded'),
    (error: unknown) => error,
  );
  if (!(thrown instanceof UpstreamError)) throw thrown;
  return { fault: thrown.fault, detail: thrown.detail };
}

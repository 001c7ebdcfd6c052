import type { Request, Response } from 'express';
import type { BrowserValue, Trip } from '../../grants/decide/trip.ts';
import type { NeededClaims, SignIn, Upstream } from '../../upstream/upstream.ts';

/** A trip whose answer is here, with all that is needed to finish it. */
export interface ReturnedTrip {
  request: Request;
  response: Response;
  browser: BrowserValue;
  trip: Trip;
  /** Names the arrival. */
  tag: string;
  upstream: Upstream;
  /** Where the person may set out once more: this answer counts no second time. */
  again: string;
  /** Gives the answer to the upstream's adapter, which checks it and fetches what it stands for. */
  finish: (needed?: NeededClaims) => Promise<SignIn>;
}

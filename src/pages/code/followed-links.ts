import type { CookieOptions, Request, Response } from 'express';
import { type ArrivalVerdict, arrivalModeOfAll, arrivalOf, judgeArrival } from '../../safeguards/arrival.ts';
import { cookieOf, type PageAddresses } from '../frame/page-addresses.ts';
import type { PagesDeps } from '../frame/page-deps.ts';

/**
 * Whether a browser followed a link from another site, and which pages remember it. Every page of ours leads to the code form by some
 * way (the language switch, the name of the product, "try again"), so every one that a link can lead to would be a way
 * past the stop page. An address that is typed ends it.
 */
export interface FollowedLinks {
  /** How the browser came, and what all clients together think of that. */
  judge(request: Request): ArrivalVerdict;
  /** Whether another site sent the browser to this very address. */
  isFollowed(request: Request): boolean;
  /** To be called for each page that is shown. */
  remember(request: Request, response: Response): void;
  forget(request: Request, response: Response): void;
  /**
   * The request brought something that we gave this browser and nobody else has: a ticket, the state of its own trip. So
   * no link led here, though the upstream's site comes before it.
   */
  noteOwnAddress(response: Response): void;
}

const LINK = 'link';
const LINK_MS = 30 * 60 * 1000;
const IS_OWN = 'isOwnAddress';

export function createFollowedLinks(
  { clients, publicUrl }: Pick<PagesDeps, 'clients' | 'publicUrl'>,
  { cookieName, cookieFlags }: PageAddresses,
): FollowedLinks {
  const name = cookieName(LINK);
  const options: CookieOptions = cookieFlags;
  const isFollowed = ({ headers }: Request) => arrivalOf(headers, publicUrl.href).arrival === 'cross_site';
  const modeOfAll = () => arrivalModeOfAll([...clients.values()]);

  return {
    isFollowed,

    judge: (request) =>
      judgeArrival(modeOfAll(), request.headers, publicUrl.href, { wasFollowed: cookieOf(request, name) === '1' }),

    remember(request, response) {
      if (response.locals[IS_OWN] === true || !isFollowed(request) || modeOfAll() === 'off') return;
      response.cookie(name, '1', { ...options, maxAge: LINK_MS });
    },

    forget(request, response) {
      if (cookieOf(request, name) !== undefined) response.clearCookie(name, options);
    },

    noteOwnAddress(response) {
      response.locals[IS_OWN] = true;
    },
  };
}

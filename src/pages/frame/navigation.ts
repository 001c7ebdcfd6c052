import type { Request, RequestHandler } from 'express';
import { PageProblem } from './page-problem.ts';

/**
 * Pages are for somebody who goes there. An image, a frame or a script of another site can ask for them as well: it sees
 * nothing, but each such visit is counted for the visitor's whole office. Frames are navigations too, and no page of
 * ours is ever shown in one.
 */
export const onlyNavigations: RequestHandler = (request, _response, next) => {
  if (request.method !== 'POST' && !isNavigation(request)) {
    const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = request.headers;
    const detail = `Sec-Fetch-Mode ${String(mode)}, Sec-Fetch-Dest ${String(destination)}`;
    throw new PageProblem('bad_request', { status: 403, detail });
  }
  next();
};

function isNavigation({ headers }: Request): boolean {
  const { 'sec-fetch-mode': mode, 'sec-fetch-dest': destination } = headers;
  // Fetched in advance, for somebody who may never come: it would begin a sign-in, or use up an answer.
  if (/\bprefetch\b/.test(String(headers['sec-purpose'] ?? headers['purpose'] ?? headers['x-moz']))) return false;
  // A browser that says what it asks for goes there for a document only.
  if (destination !== undefined) return destination === 'document';
  // A program's fetch says `cors`, whatever it was told to say; a browser that does names a destination too.
  return mode === undefined || mode === 'navigate' || mode === 'cors';
}

import type { SessionData } from 'express-session';

/** For a cookie that says nothing of its end, which none of ours does: long enough to finish a sign-in. */
const LIFE_WITHOUT_END_MS = 10 * 60 * 1000;

/** How long a browser session is kept from now on: as long as its cookie lives, and never longer. */
export function browserSessionLifeMs(session: SessionData): number {
  const { expires, originalMaxAge } = session.cookie;
  if (expires !== undefined && expires !== null) {
    return new Date(expires).getTime() - Date.now();
  }
  return originalMaxAge ?? LIFE_WITHOUT_END_MS;
}

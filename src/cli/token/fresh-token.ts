import type { Environment } from '../../config/environment.ts';
import { waitForLock } from '../profiles/process-lock.ts';
import { isGood, type KeptToken, keptFor, type Need, type Profile, type Wish } from '../profiles/profile.ts';
import type { ProfileFiles } from '../profiles/profile-files.ts';

export type FreshToken =
  | { outcome: 'token'; token: KeptToken; profile: Profile }
  /** A person must sign in. */
  | { outcome: 'sign in'; reason: string }
  | { outcome: 'away'; reason: string }
  | { outcome: 'refused'; reason: string };

export interface FreshTokenDeps {
  files: ProfileFiles;
  environment: Environment;
  now: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  fetch: typeof fetch;
  signal: AbortSignal;
}

/** From the cache, else by a refresh, which one process makes at a time; the others get what it brought. */
export async function freshToken(deps: FreshTokenDeps, name: string, wish: Wish, need: Need): Promise<FreshToken> {
  const asKept = () => keptToken(deps, name, wish, need);
  const kept = asKept();
  if (kept.outcome !== 'refresh') return kept;
  const isServed = () => asKept().outcome !== 'refresh';
  const lock = await waitForLock(deps.files.locks, name, { ...deps, isServed });
  const before = asKept();
  if (lock === undefined) {
    if (before.outcome !== 'refresh') return before;
    return { outcome: 'away', reason: 'Another gatehouse has been refreshing this profile for a minute. Try again.' };
  }
  try {
    if (before.outcome !== 'refresh') return before;
    const { refreshUnderLock } = await import('./refresh-profile.ts');
    const refreshed = await refreshUnderLock(deps, before.profile, wish, need);
    if (refreshed !== 'overtaken') return refreshed;
  } finally {
    lock.release();
  }
  return freshToken(deps, name, wish, need);
}

export const withoutIdToken = {
  outcome: 'sign in',
  reason: 'There is no ID token that is good, and the server renews none (some give one with --scope openid).',
} as const;

type Kept = Extract<FreshToken, { outcome: 'token' | 'sign in' | 'away' }> | { outcome: 'refresh'; profile: Profile };

/** What the file alone says. */
function keptToken({ files, now }: FreshTokenDeps, name: string, wish: Wish, need: Need): Kept {
  const profile = files.read(name);
  if (profile === undefined) return { outcome: 'sign in', reason: `There is no profile ${name} yet.` };
  const token = keptFor(profile, wish);
  const canRefresh = profile.refreshToken !== undefined;
  if (token !== undefined && isGood(token, need, now(), canRefresh)) return { outcome: 'token', token, profile };
  if (!canRefresh) return { outcome: 'sign in', reason: profile.ended ?? withoutRefresh(profile) };
  // The last answer had none, and the next would be as this one: nobody asks for it on each call.
  const isWithout = need.wantsIdToken && token !== undefined && token.idToken === undefined;
  if (isWithout && isGood(token, { ...need, wantsIdToken: false }, now(), canRefresh)) return withoutIdToken;
  const { notBeforeMs = 0 } = profile;
  // A moment far ahead is of another clock.
  if (notBeforeMs > now() && notBeforeMs < now() + 3_600_000) {
    const seconds = Math.ceil((notBeforeMs - now()) / 1000);
    return { outcome: 'away', reason: `The server is busy, and asked to be left alone for ${seconds} s more.` };
  }
  return { outcome: 'refresh', profile };
}

function withoutRefresh({ tokens }: Profile): string {
  if (tokens.length === 0) return 'Nobody is signed in.';
  return 'The token is over, or not for this, and the server gave no refresh token (some give one with --scope offline_access).';
}

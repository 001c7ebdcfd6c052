import type { Secret } from '../../sealing/secret.ts';
import type { SecretPlace } from '../login/client-secret.ts';

/** One sign-in that is used day by day: where, as which client, and what came of it. */
export interface Profile {
  name: string;
  issuer: string;
  clientId: string;
  clientSecret?: SecretPlace | undefined;
  deviceAuthorizationEndpoint?: string | undefined;
  /** What was asked for at the sign-in. */
  scopes: readonly string[];
  resources: readonly string[];
  /** Who signed in, as the server named them. */
  person?: string | undefined;
  refreshToken?: Secret | undefined;
  tokens: readonly KeptToken[];
  /** Why there is no refresh token any more, in words. */
  ended?: string | undefined;
  /** The server wants no refresh before. */
  notBeforeMs?: number | undefined;
}

export interface Wish {
  scopes: readonly string[];
  resources: readonly string[];
}

/** With what it was asked for: a kept answer is given to the same question alone. */
export interface KeptToken extends Wish {
  accessToken: Secret;
  tokenType: string;
  /** What the server says it is good for. */
  scope?: string | undefined;
  idToken?: Secret | undefined;
  /** When the request was sent, by this machine's clock: what the answer says of its life begins no earlier. */
  askedAtMs: number;
  /** Absent where the server names no end. */
  expiresAtMs?: number | undefined;
  idTokenExpiresAtMs?: number | undefined;
}

/** A token with no named end is asked for anew after this time, where that costs no sign-in. */
const UNNAMED_LIFE_MS = 5 * 60_000;
const CLOCK_STEP_MS = 30_000;

export function keptFor(profile: Profile, { scopes, resources }: Wish): KeptToken | undefined {
  return profile.tokens.find((token) => isSame(token.scopes, scopes) && isSame(token.resources, resources));
}

function isSame(some: readonly string[], others: readonly string[]): boolean {
  return some.length === others.length && some.every((one) => others.includes(one));
}

export interface Need {
  minValidMs: number;
  wantsIdToken: boolean;
}

/**
 * Whether it lasts as long as is wanted. Where a server's tokens never live that long, half of their life must do: else
 * each call would ask for another one.
 */
export function isGood(
  token: KeptToken,
  { minValidMs, wantsIdToken }: Need,
  nowMs: number,
  canRefresh: boolean,
): boolean {
  // A clock that was set back: nothing is known of how old it is. Clocks that are kept right step by less.
  if (token.askedAtMs > nowMs + CLOCK_STEP_MS) return false;
  const endMs = wantsIdToken
    ? token.idToken && token.idTokenExpiresAtMs
    : (token.expiresAtMs ?? unnamedEnd(token, canRefresh));
  if (endMs === undefined) return false;
  const lifeMs = endMs - token.askedAtMs;
  return endMs - nowMs >= (lifeMs > minValidMs ? minValidMs : lifeMs / 2) && endMs > nowMs;
}

function unnamedEnd({ askedAtMs }: KeptToken, canRefresh: boolean): number {
  return canRefresh ? askedAtMs + UNNAMED_LIFE_MS : Number.POSITIVE_INFINITY;
}

/** The profile with a new answer in it; what is over goes. */
export function withToken(profile: Profile, token: KeptToken, nowMs: number): Profile {
  const others = profile.tokens.filter(
    (kept) =>
      !(isSame(kept.scopes, token.scopes) && isSame(kept.resources, token.resources)) &&
      (kept.expiresAtMs ?? Number.POSITIVE_INFINITY) > nowMs,
  );
  return { ...profile, tokens: [token, ...others], ended: undefined, notBeforeMs: undefined };
}

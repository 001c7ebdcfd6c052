import { Secret } from '../../sealing/secret.ts';
import { readClientSecret } from '../login/client-secret.ts';
import { type Renewal, renewTokens } from '../login/renew-tokens.ts';
import { hasFitToken, withAnswer } from '../profiles/kept-answer.ts';
import { keptFor, type Need, type Profile, type Wish } from '../profiles/profile.ts';
import { printable } from '../terminal/printable.ts';
import { type FreshToken, type FreshTokenDeps, withoutIdToken } from './fresh-token.ts';

/** A server may ask for any wait; after this one is asked again. */
const MAX_NOT_BEFORE_SECONDS = 300;

/** One refresh, kept before anybody hears of it: the old refresh token may be worth nothing from now on. */
export async function refreshUnderLock(
  deps: FreshTokenDeps,
  profile: Profile,
  wish: Wish,
  { wantsIdToken }: Need,
): Promise<FreshToken | 'overtaken'> {
  const { files, environment, now, fetch, signal, sleep } = deps;
  const { clientId, deviceAuthorizationEndpoint, refreshToken } = profile;
  if (refreshToken === undefined) return { outcome: 'sign in', reason: 'Nobody is signed in.' };
  const clientSecret = await readClientSecret(profile.clientSecret, environment);
  const issuer = new URL(profile.issuer);
  const askedAtMs = now();
  const renewal = await renewFit(
    { issuer, deviceAuthorizationEndpoint, clientId, clientSecret, fetch, signal, sleep },
    { refreshToken: refreshToken.reveal(), ...wordsOf(profile, wish) },
  );
  const here = files.read(profile.name) ?? profile;
  // A machine that slept here: another has refreshed, and what it keeps is newer than our answer.
  // The file alone tells: a lock that was lost takes nothing from an answer that nobody else has.
  const isOurs = here.refreshToken?.reveal() === refreshToken.reveal();
  if (renewal.outcome === 'tokens') {
    const next = withAnswer(here, renewal.response, wish, askedAtMs, now());
    if (isOurs) files.write(next);
    const token = keptFor(next, wish);
    if (token === undefined) throw new TypeError('what was kept is not there');
    if (wantsIdToken && token.idToken === undefined) return withoutIdToken;
    return { outcome: 'token', token, profile: next };
  }
  if (!isOurs) return 'overtaken';
  const told = wordsFor(renewal);
  keepFailure(deps, here, renewal, told.reason);
  return told;
}

/** A token that no header can carry (RFC 6750 §2.1) is of no use, but the refresh token beside it is. */
async function renewFit(...asked: Parameters<typeof renewTokens>): Promise<Renewal> {
  const renewal = await renewTokens(...asked);
  if (renewal.outcome !== 'tokens' || hasFitToken(renewal.response)) return renewal;
  const next = renewal.response['refresh_token'];
  return {
    outcome: 'unchecked',
    reason: 'The server sent an access token that no header can carry.',
    refreshToken: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

/** RFC 6749 §6 and RFC 8707 §2.2: what the sign-in asked for is meant where nothing is said. */
function wordsOf(profile: Profile, wish: Wish): Wish {
  const isSame = (some: readonly string[], others: readonly string[]) =>
    some.length === others.length && some.every((one) => others.includes(one));
  return {
    scopes: isSame(profile.scopes, wish.scopes) ? [] : wish.scopes,
    resources: isSame(profile.resources, wish.resources) && wish.resources.length !== 1 ? [] : wish.resources,
  };
}

function keepFailure({ files, now, signal }: FreshTokenDeps, profile: Profile, renewal: Renewal, reason: string): void {
  if (renewal.outcome === 'ended') files.write({ ...profile, refreshToken: undefined, ended: reason });
  if (renewal.outcome === 'unchecked' && renewal.refreshToken !== undefined) {
    files.write({ ...profile, refreshToken: new Secret(renewal.refreshToken) });
    // An interrupt came second: what was answered is kept first.
    signal.throwIfAborted();
  }
  if (renewal.outcome !== 'later' || renewal.retryAfterSeconds === undefined) return;
  const seconds = Math.min(renewal.retryAfterSeconds, MAX_NOT_BEFORE_SECONDS);
  files.write({ ...profile, notBeforeMs: now() + seconds * 1000 });
}

function wordsFor(renewal: Exclude<Renewal, { outcome: 'tokens' }>): Exclude<FreshToken, { outcome: 'token' }> {
  const reason = printable(renewal.reason);
  switch (renewal.outcome) {
    case 'ended':
      return { outcome: 'sign in', reason };
    case 'not allowed':
      return { outcome: 'sign in', reason: `${reason} A new sign-in may be allowed it.` };
    case 'later': {
      const { retryAfterSeconds } = renewal;
      const wait = retryAfterSeconds === undefined ? '' : ` It asked to wait ${retryAfterSeconds} s.`;
      return { outcome: 'away', reason: `The token is over, and there is no new one: ${reason}.${wait}` };
    }
    case 'refused':
    case 'unchecked':
      return { outcome: 'refused', reason };
  }
}

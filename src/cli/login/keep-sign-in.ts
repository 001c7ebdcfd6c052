import type { JsonObject } from '../../oauth/json-object.ts';
import { withAnswer } from '../profiles/kept-answer.ts';
import { waitForLock } from '../profiles/process-lock.ts';
import { keptFor, type Profile } from '../profiles/profile.ts';
import { ProfileFileError } from '../profiles/state-folder.ts';
import { printable } from '../terminal/printable.ts';
import type { LoginTarget } from './login-target.ts';
import { timeOfDay } from './messages.ts';

export interface SignInToKeep {
  response: JsonObject;
  person: string | undefined;
  askedAtMs: number;
}

export interface KeepingDeps {
  now: () => number;
  sleep: (milliseconds: number) => Promise<void>;
}

/** Keeps what a sign-in brought, in place of what an earlier one did. Answers what to tell the person. */
export async function keepSignIn(target: LoginTarget, signIn: SignInToKeep, deps: KeepingDeps): Promise<string[]> {
  const { response, person, askedAtMs } = signIn;
  const profile = withAnswer(emptyProfile(target, person), response, target, askedAtMs, deps.now());
  if (target.keeping === undefined) return whatTheyCan(profile, target);
  const { files, name } = target.keeping;
  const lock = await waitForLock(files.locks, name, deps);
  if (lock === undefined) throw new ProfileFileError(`Another gatehouse has been busy with ${name} for a minute.`);
  try {
    files.write({ ...profile, name });
  } finally {
    lock.release();
  }
  return [...whatTheyCan(profile, target), `Kept as ${name}. For a token: gatehouse token --profile ${name}`];
}

function emptyProfile(target: LoginTarget, person: string | undefined): Profile {
  const { issuer, clientId, clientSecret, deviceAuthorizationEndpoint, scopes, resources } = target;
  return {
    ...{ name: '', issuer: issuer.href, clientId, clientSecret, deviceAuthorizationEndpoint, scopes, resources },
    ...{ person, tokens: [] },
  };
}

/** What the token is good for, and how long. */
function whatTheyCan(profile: Profile, target: LoginTarget): string[] {
  const token = keptFor(profile, target);
  const { scope, expiresAtMs } = token ?? {};
  const can = scope === undefined ? [] : [`It may: ${printable(scope.split(' ').join(', '))}.`];
  const end = expiresAtMs === undefined ? 'with no end that the server names' : `until ${timeOfDay(expiresAtMs)}`;
  const next =
    profile.refreshToken === undefined
      ? 'The server gave no refresh token: then a person must sign in again. (Some give one with --scope offline_access.)'
      : 'It is renewed without you while the sign-in stands.';
  return [...can, `The token is good ${end}. ${next}`];
}

import { setTimeout as delay } from 'node:timers/promises';
import { processEnvironment } from '../config/environment.ts';
import { complain } from './complain.ts';
import { EXIT } from './exit-codes.ts';
import { readClientSecret } from './login/client-secret.ts';
import { assertChosen, chooseProfile } from './profiles/choose-profile.ts';
import { type ProcessLock, waitForLock } from './profiles/process-lock.ts';
import type { Profile } from './profiles/profile.ts';
import { type ProfileFiles, profileFiles } from './profiles/profile-files.ts';
import { ProfileFileError, stateFolder } from './profiles/state-folder.ts';
import { readArguments, UsageError } from './read-arguments.ts';
import { logoutTable } from './tables/daily/logout-table.ts';
import { printable } from './terminal/printable.ts';

/** `gatehouse logout`; answers the exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const { values } = readArguments(logoutTable, argv);
  const { all = false, forget = false } = values;
  if (all && [values.profile, values.issuer, values['client-id']].some((one) => one !== undefined)) {
    throw new UsageError('--all is every one: leave it out, or the others');
  }
  const environment = processEnvironment();
  let exitCode: number = EXIT.done;
  try {
    const files = profileFiles(stateFolder(environment));
    const names = all ? files.names() : [await chosenName(values, files)];
    if (names.length === 0) process.stderr.write('No sign-in is kept.\n');
    for (const name of names) {
      try {
        exitCode = Math.max(exitCode, await end(name, files, forget));
      } catch (error) {
        exitCode = Math.max(exitCode, told(error));
      }
    }
  } catch (error) {
    exitCode = told(error);
  }
  return exitCode;
}

async function chosenName(asked: Parameters<typeof chooseProfile>[0], files: ProfileFiles): Promise<string> {
  const chosen = await chooseProfile(asked, { files, environment: processEnvironment(), folder: process.cwd() });
  assertChosen(chosen, files);
  return chosen.name;
}

function told(error: unknown): number {
  if (!(error instanceof ProfileFileError)) throw error;
  complain('logout', error.message);
  return EXIT.failed;
}

/** A refresh that is under way is waited for: else its answer would bring the sign-in back. */
async function end(name: string, files: ProfileFiles, forget: boolean): Promise<number> {
  if (files.read(name) === undefined) {
    complain('logout', `there is no profile ${name}; gatehouse profiles lists them`);
    return EXIT.failed;
  }
  const lock = await lockFor(name, files);
  try {
    const profile = files.read(name);
    if (profile === undefined) return EXIT.done;
    // First, so that a server that is slow, or a Ctrl-C meanwhile, leaves nothing behind.
    const kept = forgetHere(profile, files, forget);
    const { problem, isRevoked } = await revoke(profile);
    if (kept !== undefined) {
      const there = isRevoked ? 'signed out at the server' : 'not signed out at the server';
      complain('logout', `${name} is ${there}, but its file could not be changed and stays: ${printable(kept)}`);
      return EXIT.failed;
    }
    if (problem !== undefined) {
      complain('logout', `${name} is forgotten here, but the server was not told: ${printable(problem)}`);
      return EXIT.unavailable;
    }
    process.stderr.write(`${name}: signed out${isRevoked ? ', at the server too' : ''}.\n`);
    return EXIT.done;
  } finally {
    lock?.release();
  }
}

/** Without it a refresh may write its answer after us, but of a sign-in that is revoked: no reason to forget nothing. */
async function lockFor(name: string, files: ProfileFiles): Promise<ProcessLock | undefined> {
  try {
    return await waitForLock(files.locks, name, { now: Date.now, sleep: (milliseconds) => delay(milliseconds) });
  } catch {
    // A folder that cannot be written: what that means for the profile is told where its file is changed.
    return undefined;
  }
}

/** Answers in words why the file stays as it is. */
function forgetHere(profile: Profile, files: ProfileFiles, forget: boolean): string | undefined {
  try {
    if (forget) files.remove(profile.name);
    else files.write({ ...profile, refreshToken: undefined, tokens: [], person: undefined, ended: 'You signed out.' });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The refresh token's end is the others' too at most servers; where there is none, the access token's. */
async function revoke(profile: Profile): Promise<{ problem?: string | undefined; isRevoked: boolean }> {
  const { refreshToken, tokens, issuer, clientId, deviceAuthorizationEndpoint } = profile;
  const token = refreshToken ?? tokens[0]?.accessToken;
  if (token === undefined) return { isRevoked: false };
  const { revokeToken } = await import('./login/renew-tokens.ts');
  try {
    const clientSecret = await readClientSecret(profile.clientSecret, processEnvironment());
    const { signal } = new AbortController();
    const client = { issuer: new URL(issuer), deviceAuthorizationEndpoint, clientId, clientSecret, fetch, signal };
    const problem = await revokeToken(client, token.reveal());
    return { problem, isRevoked: problem === undefined };
  } catch (error) {
    return { problem: (error as Error).message, isRevoked: false };
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { processEnvironment } from '../config/environment.ts';
import { complain } from './complain.ts';
import { EXIT } from './exit-codes.ts';
import { readClientSecret } from './login/client-secret.ts';
import { assertChosen, chooseProfile } from './profiles/choose-profile.ts';
import { waitForLock } from './profiles/process-lock.ts';
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
  const lock = await waitForLock(files.locks, name, { now: Date.now, sleep: (milliseconds) => delay(milliseconds) });
  if (lock === undefined) throw new ProfileFileError(`Another gatehouse has been busy with ${name} for a minute.`);
  try {
    const profile = files.read(name);
    const problem = profile === undefined ? undefined : await revoke(profile);
    if (profile !== undefined && forget) files.remove(name);
    else if (profile !== undefined) {
      files.write({ ...profile, refreshToken: undefined, tokens: [], person: undefined, ended: 'You signed out.' });
    }
    if (problem === undefined) {
      process.stderr.write(`${name}: signed out, at the server too.\n`);
      return EXIT.done;
    }
    complain('logout', `${name} is forgotten here, but the server was not told: ${printable(problem)}`);
    return EXIT.unavailable;
  } finally {
    lock.release();
  }
}

/** The refresh token's end is the others' too at most servers; where there is none, the access token's. */
async function revoke(profile: Profile): Promise<string | undefined> {
  const { refreshToken, tokens, issuer, clientId, deviceAuthorizationEndpoint } = profile;
  const token = refreshToken ?? tokens[0]?.accessToken;
  if (token === undefined) return undefined;
  const { revokeToken } = await import('./login/renew-tokens.ts');
  try {
    const clientSecret = await readClientSecret(profile.clientSecret, processEnvironment());
    const { signal } = new AbortController();
    const client = { issuer: new URL(issuer), deviceAuthorizationEndpoint, clientId, clientSecret, fetch, signal };
    return await revokeToken(client, token.reveal());
  } catch (error) {
    return (error as Error).message;
  }
}

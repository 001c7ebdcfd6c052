import { openAsker } from '../init/asker.ts';
import { type ChosenProfile, chooseProfile } from '../profiles/choose-profile.ts';
import type { Wish } from '../profiles/profile.ts';
import { type ProfileFiles, profileFiles } from '../profiles/profile-files.ts';
import { readIssuer } from '../profiles/read-issuer.ts';
import { openStateFolder, stateFolder } from '../profiles/state-folder.ts';
import { UsageError } from '../read-arguments.ts';
import { printable } from '../terminal/printable.ts';
import { shellWord } from '../terminal/shell-word.ts';
import type { SecretPlace } from './client-secret.ts';
import type { LoginOptions } from './login-options.ts';
import { chooseClient } from './published-clients.ts';
import type { TargetDeps } from './target-deps.ts';

/** Where the sign-in goes, and where its tokens are kept. */
export interface LoginTarget {
  issuer: URL;
  clientId: string;
  clientSecret: SecretPlace | undefined;
  deviceAuthorizationEndpoint: string | undefined;
  scopes: readonly string[];
  resources: readonly string[];
  /** `undefined` where nothing is kept. */
  keeping: { files: ProfileFiles; name: string } | undefined;
}

/** @throws {UsageError} where nothing says where to sign in, or the person says no */
export async function loginTarget(options: LoginOptions, around: TargetDeps): Promise<LoginTarget> {
  const files = profileFiles(placeFor(options, around));
  const choosing = { files, environment: around.environment, folder: around.folder };
  let chosen = await chooseProfile(options.asked, choosing);
  if (chosen.issuer === undefined) {
    throw new UsageError('--issuer is missing: an address such as https://login.example.com');
  }
  const published = chosen.clientId === undefined ? await chooseClient(readIssuer(chosen.issuer), around) : undefined;
  if (published !== undefined) {
    const { issuer } = chosen;
    chosen = await chooseProfile({ ...options.asked, issuer, 'client-id': published.clientId }, choosing);
  }
  const { issuer = '', clientId, kept } = chosen;
  if (clientId === undefined || clientId === '') {
    throw new UsageError('--client-id is missing: the client that is registered at the server');
  }
  await consentToProject(chosen, around);
  // Before anybody signs in for nothing.
  if (options.isKept) openStateFolder(files.folder);
  return {
    issuer: readIssuer(issuer),
    clientId,
    clientSecret: options.clientSecret ?? kept?.clientSecret,
    deviceAuthorizationEndpoint: options.deviceAuthorizationEndpoint ?? kept?.deviceAuthorizationEndpoint,
    ...wordsFor(options, kept ?? chosen.unknownProject ?? published),
    keeping: options.isKept ? { files, name: chosen.name } : undefined,
  };
}

function placeFor(options: LoginOptions, { environment }: TargetDeps): string {
  const { profile, issuer, 'client-id': clientId } = options.asked;
  const needsNone = !options.isKept && profile === undefined && issuer !== undefined && clientId !== undefined;
  // A machine without a home can sign in all the same.
  return needsNone ? '' : stateFolder(environment);
}

function wordsFor({ scopes, resources }: LoginOptions, usual: Wish | undefined) {
  return {
    scopes: scopes.length > 0 ? scopes : (usual?.scopes ?? []),
    resources: resources.length > 0 ? resources : (usual?.resources ?? []),
  };
}

/** Whoever wrote a repository's file might like people to sign in at a server of theirs. */
async function consentToProject({ unknownProject: project }: ChosenProfile, around: TargetDeps): Promise<void> {
  if (project === undefined) return;
  const { path, issuer, clientId } = project;
  const words = `${path} asks for a sign-in at ${new URL(issuer).host} (${issuer}), as the client ${printable(clientId)}.`;
  const instead = `gatehouse login --issuer ${shellWord(issuer)} --client-id ${shellWord(clientId)}`;
  if (around.stdin.isTTY !== true) {
    throw new UsageError(`${words} Nobody is at a terminal to be asked whether that is right. If it is: ${instead}`);
  }
  const asker = openAsker(around.stdin as NodeJS.ReadStream, around.stderr as NodeJS.WriteStream);
  try {
    asker.say(words);
    asker.say('Nobody has signed in there from here before. Go on only if you know this server.');
    const answer = await asker.ask({ words: 'Sign in there? y or n', fallback: 'n' });
    if (!/^y(es)?$/i.test(answer)) throw new UsageError('nothing was asked of that server');
  } finally {
    asker.close();
  }
}

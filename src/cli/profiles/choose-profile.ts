import type { Environment } from '../../config/environment.ts';
import { UsageError } from '../read-arguments.ts';
import { printable } from '../terminal/printable.ts';
import type { Profile } from './profile.ts';
import type { ProfileFiles } from './profile-files.ts';
import { isProfileName, PROFILE_NAME_RULE, profileNameOf } from './profile-name.ts';
import { findProjectFile, type ProjectFile } from './project-file.ts';
import { readIssuer } from './read-issuer.ts';

/** What options say. */
export interface AskedProfile {
  profile?: string | undefined;
  issuer?: string | undefined;
  'client-id'?: string | undefined;
}

export interface ChosenProfile {
  name: string;
  /** Known where it was said, or is kept. */
  issuer: string | undefined;
  clientId: string | undefined;
  /** What is kept under the name. */
  kept: Profile | undefined;
  /** Where a file of the folder named it, and nobody has signed in by it yet: its word alone must not do. */
  unknownProject?: ProjectFile | undefined;
}

export interface ChoosingDeps {
  files: ProfileFiles;
  environment: Environment;
  folder: string;
}

/** Which profile is meant: by options, else the environment, else a file of the folder, else the only one there is. */
export async function chooseProfile(asked: AskedProfile, deps: ChoosingDeps): Promise<ChosenProfile> {
  const { files, environment, folder } = deps;
  const issuer = asked.issuer ?? said(environment, 'GATEHOUSE_ISSUER');
  const clientId = asked['client-id'] ?? said(environment, 'GATEHOUSE_CLIENT_ID');
  const isByOption = asked.issuer !== undefined || asked['client-id'] !== undefined;
  const named = asked.profile ?? (isByOption ? undefined : said(environment, 'GATEHOUSE_PROFILE'));
  if (issuer !== undefined) readIssuer(issuer);
  if (named !== undefined) {
    const kept = keptAs(named, files);
    const project = kept === undefined && issuer === undefined ? await findProjectFile(folder) : undefined;
    if (project?.profile === named) return byProject(project, named, files);
    assertSame(kept, asked);
    return { name: named, issuer: kept?.issuer ?? issuer, clientId: kept?.clientId ?? clientId, kept };
  }
  if (isByOption || (issuer !== undefined && clientId !== undefined)) {
    if (issuer === undefined || clientId === undefined) return { name: '', issuer, clientId, kept: undefined };
    const name = profileNameOf(issuer, clientId);
    const kept = keptAs(name, files);
    assertSame(kept, { issuer, 'client-id': clientId });
    return { name, issuer, clientId, kept };
  }
  const project = await findProjectFile(folder);
  if (project !== undefined) return byProject(project, undefined, files);
  const names = files.names();
  const [only] = names;
  if (only === undefined || names.length > 1) return { name: '', issuer, clientId, kept: undefined };
  const kept = keptAs(only, files);
  return { name: only, issuer: kept?.issuer, clientId: kept?.clientId, kept };
}

/** @throws {UsageError} where nothing says which profile is meant */
export function assertChosen(chosen: ChosenProfile, files: ProfileFiles): void {
  if (chosen.name !== '') return;
  const names = files.names();
  const known =
    names.length === 0 ? 'Nobody has signed in here yet: gatehouse login.' : `There are: ${names.join(', ')}.`;
  throw new UsageError(`say --profile NAME, or --issuer and --client-id. ${known}`);
}

/**
 * A file of the folder may have come with somebody else's repository. It chooses among what a person has signed in to; what
 * is new is put to a person first.
 */
function byProject(project: ProjectFile, named: string | undefined, files: ProfileFiles): ChosenProfile {
  const { issuer, clientId } = project;
  const name = named ?? project.profile ?? profileNameOf(issuer, clientId);
  const kept = keptAs(name, files);
  if (kept !== undefined && !isOf(kept, issuer, clientId)) {
    throw new UsageError(
      `${project.path} means ${printable(clientId)} at ${issuer}, but the profile ${name} here is ${printable(kept.clientId)} at ${kept.issuer}. ` +
        'Say --profile NAME for another.',
    );
  }
  return { name, issuer, clientId, kept, unknownProject: kept === undefined ? project : undefined };
}

function keptAs(name: string, files: ProfileFiles): Profile | undefined {
  if (!isProfileName(name)) {
    throw new UsageError(`${JSON.stringify(printable(name))} cannot be a profile's name: ${PROFILE_NAME_RULE}`);
  }
  return files.read(name);
}

/** A name never comes to mean another server: its tokens would go there. */
function assertSame(kept: Profile | undefined, { issuer, 'client-id': clientId }: AskedProfile): void {
  if (kept === undefined || isOf(kept, issuer ?? kept.issuer, clientId ?? kept.clientId)) return;
  throw new UsageError(
    `the profile ${kept.name} is ${printable(kept.clientId)} at ${printable(kept.issuer)}; say another --profile for another, ` +
      `or gatehouse logout --profile ${kept.name} --forget first`,
  );
}

function isOf(kept: Profile, issuer: string, clientId: string): boolean {
  return withoutSlash(kept.issuer) === withoutSlash(new URL(issuer).href) && kept.clientId === clientId;
}

function withoutSlash(address: string): string {
  return address.replace(/\/$/, '');
}

function said(environment: Environment, name: string): string | undefined {
  return environment[name] || undefined;
}

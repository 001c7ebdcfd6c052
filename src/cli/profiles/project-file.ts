import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UsageError } from '../read-arguments.ts';
import { printable } from '../terminal/printable.ts';
import { isProfileName, PROFILE_NAME_RULE } from './profile-name.ts';
import { readIssuer } from './read-issuer.ts';

/** What a team ships with its repository, so that nobody has to know addresses by heart. */
export interface ProjectFile {
  path: string;
  profile: string | undefined;
  issuer: string;
  clientId: string;
  scopes: string[];
  resources: string[];
}

export const PROJECT_FILE = 'gatehouse-profile.yaml';
const KEYS = ['profile', 'issuer', 'client_id', 'scopes', 'resources'];
const MAX_CHARACTERS = 64 * 1024;

/** In this folder, or the next above that has one. */
export async function findProjectFile(folder: string): Promise<ProjectFile | undefined> {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, PROJECT_FILE);
    const text = await readIfThere(path);
    if (text !== undefined) return readProject(path, text);
    if (dirname(at) === at) return undefined;
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(code)) return undefined;
    throw error;
  }
}

async function readProject(path: string, text: string): Promise<ProjectFile> {
  const refuse = (why: string) => new UsageError(`${path}: ${printable(why)}`);
  if (text.length > MAX_CHARACTERS) throw refuse('is too large');
  const { parse } = await import('yaml');
  let file: unknown;
  try {
    file = parse(text);
  } catch (error) {
    throw refuse((error as Error).message.split('\n')[0] ?? 'is no YAML');
  }
  const members = new Map(Object.entries(typeof file === 'object' && file !== null ? file : {}));
  const unknown = [...members.keys()].find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw refuse(`there is no key ${unknown}; there are ${KEYS.join(', ')}`);
  const [issuer, clientId, profile] = ['issuer', 'client_id', 'profile'].map((key) => members.get(key));
  if (typeof issuer !== 'string' || typeof clientId !== 'string' || clientId === '') {
    throw refuse('needs issuer and client_id');
  }
  readIssuer(issuer, `${path}: issuer`);
  if (profile !== undefined && (typeof profile !== 'string' || !isProfileName(profile))) {
    throw refuse(`profile cannot be a name: ${PROFILE_NAME_RULE}`);
  }
  return {
    path,
    profile,
    issuer,
    clientId,
    scopes: list(members.get('scopes')),
    resources: list(members.get('resources')),
  };

  function list(value: unknown): string[] {
    if (value === undefined || value === null) return [];
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
    throw refuse('scopes and resources are lists of texts');
  }
}

import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { complain } from '../complain.ts';
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
const MAX_BYTES = 64 * 1024;
const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;

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
  // A pipe or a device must neither hold up nor flood who opens it. Windows has neither flag, and `|` takes that for 0.
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK).catch((error: NodeJS.ErrnoException) => {
    if (['ENOENT', 'EACCES', 'ENOTDIR'].includes(error.code ?? '')) return undefined;
    throw new UsageError(`${path}: ${error.code === 'ELOOP' ? 'is a symbolic link' : error.message}`);
  });
  if (file === undefined) return undefined;
  try {
    const found = await file.stat();
    const own = process.getuid?.();
    // The folders above may be anybody's, such as a shared one for temporary files.
    if (own !== undefined && found.uid !== own && found.uid !== 0) {
      complain('', `${path} belongs to another user (uid ${found.uid}), and is passed over.`);
      return undefined;
    }
    if (!found.isFile()) throw new UsageError(`${path}: is no file`);
    if (found.size > MAX_BYTES) throw new UsageError(`${path}: is too large`);
    return await file.readFile('utf8');
  } finally {
    await file.close();
  }
}

async function readProject(path: string, text: string): Promise<ProjectFile> {
  const refuse = (why: string) => new UsageError(`${path}: ${printable(why)}`);
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

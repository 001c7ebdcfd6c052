import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load-config.ts';
import { formatSigningKeySet, makeSigningKey } from '../../tokens/signing-key-set.ts';
import { createPrivateFile } from '../private-file.ts';
import { schemaText } from '../schema.ts';
import { firstFile, SCHEMA_FILE, SEALING_FILE, SIGNING_FILE } from './first-file.ts';
import { type InitAnswers, InitError } from './init-answers.ts';

export interface WrittenFiles {
  made: string[];
  /** What was there before. */
  kept: string[];
}

/** `client_secret_post` where a provider offers nothing else; Basic is meant where it lists none. */
function authenticationLines({ metadata, provider, secret }: InitAnswers): string[] {
  const methods = metadata['token_endpoint_auth_methods_supported'];
  const isStated = provider?.yaml?.some((line) => line.startsWith('authentication:')) === true;
  if (secret === undefined || isStated || !Array.isArray(methods)) return [];
  const isPostAlone = methods.includes('client_secret_post') && !methods.includes('client_secret_basic');
  return isPostAlone ? ['authentication: client_secret_post'] : [];
}

/**
 * Writes the configuration and what it names, and has it read as the broker will. Where that finds a fault, whatever was
 * made is taken away again.
 *
 * @throws {InitError}
 */
export async function writeFirstFiles(
  file: string,
  answers: InitAnswers,
  { ca, proxy }: { ca: string | undefined; proxy: string | undefined },
): Promise<WrittenFiles> {
  const folder = dirname(file);
  const files: WrittenFiles = { made: [], kept: [] };
  const put = async (name: string, write: (path: string) => Promise<void>) => {
    const path = join(folder, name);
    if (existsSync(path)) {
      files.kept.push(path);
      return;
    }
    await write(path);
    files.made.push(path);
  };
  const madeFolder = await mkdir(folder, { recursive: true });
  try {
    await put(SEALING_FILE, (path) => createPrivateFile(path, `${randomBytes(32).toString('base64url')}\n`));
    await put(SIGNING_FILE, async (path) => createPrivateFile(path, await signingKeys()));
    const { secret } = answers;
    const typedFile = `${answers.upstreamId}.secret`;
    if (secret !== undefined && 'typed' in secret) {
      if (existsSync(join(folder, typedFile))) {
        throw new InitError(
          `${join(folder, typedFile)} is there already: name it with --client-secret-file, or move it away`,
        );
      }
      await put(typedFile, (path) => createPrivateFile(path, `${secret.typed}\n`));
    }
    await put(SCHEMA_FILE, (path) => createFile(path, schemaText()));
    const text = firstFile({
      ...{ publicUrl: answers.publicUrl, redisUrl: answers.redisUrl, proxy, client: answers.client },
      upstream: {
        id: answers.upstreamId,
        displayName: answers.displayName,
        issuer: answers.metadata.issuer,
        clientId: answers.clientId,
        secret:
          secret === undefined || 'env' in secret
            ? secret
            : { file: 'typed' in secret ? typedFile : from(folder, secret.file) },
        ca: ca === undefined ? undefined : from(folder, ca),
        lines: [...authenticationLines(answers), ...(answers.provider?.yaml ?? [])],
      },
    });
    await createFile(file, text);
    files.made.unshift(file);
    await loadConfig(file);
    return files;
  } catch (error) {
    for (const path of files.made) await rm(path, { force: true });
    if (madeFolder !== undefined) await rm(madeFolder, { recursive: true, force: true });
    if (!(error instanceof ConfigError)) throw error;
    throw new InitError(error.problems.map(({ key, text }) => `${key}: ${text}`).join('\n'));
  }
}

async function signingKeys(): Promise<string> {
  return formatSigningKeySet(
    await Promise.all([makeSigningKey('RS256', Date.now()), makeSigningKey('ES256', Date.now())]),
  );
}

/** Whoever may read the folder may read it: no secret is in there. */
async function createFile(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
  } finally {
    await file.close();
  }
}

/** As the configuration names a file: what stands where one works by the way from its folder, else whole. */
function from(folder: string, file: string): string {
  const isHere = [process.cwd(), folder].some((place) => !relative(resolve(place), resolve(file)).startsWith('..'));
  return isHere ? relative(resolve(folder), resolve(file)) : resolve(file);
}

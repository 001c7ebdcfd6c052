/**
 * The YAML file becomes frozen settings. `yaml/` has the text, `schema/` what may stand where, `read/` what it means. Every
 * problem is told at once, with line and column.
 */

import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Secret } from '../sealing/secret.ts';
import type { Config } from './config.ts';
import { ConfigError, formatProblem, type Problem, reasonOf } from './config-error.ts';
import { type Environment, processEnvironment, usualConfigFiles } from './environment.ts';
import { readAdmin } from './read/read-admin.ts';
import { readClients } from './read/read-clients.ts';
import { checkAlgorithms, readSealing, readSigning } from './read/read-keys.ts';
import { readListen } from './read/read-listen.ts';
import { readGeo, readNetworks, readOthers, readResourceServers } from './read/read-others.ts';
import { readPages } from './read/read-pages.ts';
import { readDrain, readLog, readOperations, readPublicUrl, readSource, readWorkers } from './read/read-process.ts';
import { warnOfUnusedProxy } from './read/read-reach.ts';
import { readStorage } from './read/read-storage.ts';
import { readUpstreams } from './read/read-upstreams.ts';
import { readUserCodes, readVerificationUriComplete } from './read/read-user-codes.ts';
import { createReading, type Reading } from './read/reading.ts';
import { type ConfigFile, fileSchema } from './schema/file-schema.ts';
import { salvage } from './schema/salvage.ts';
import { keyOf, schemaProblems } from './schema/schema-problems.ts';
import { type ConfigSource, readSource as readFiles } from './yaml/config-source.ts';
import { findPlaceholders } from './yaml/placeholders.ts';
import type { Path } from './yaml/yaml-source.ts';

/**
 * Reads, checks and freezes a configuration, with the other files, the secrets and the keys that it names.
 *
 * @param isTerminal whether somebody sits before this process, who does not want to wait for its end
 * @param longest the most characters that it may have
 * @throws {ConfigError} with everything that is wrong
 * @throws {LargeConfigError} where it has more
 *
 * @example
 * ```ts
 * import { loadConfig } from 'gatehouse-broker';
 *
 * const config = await loadConfig('gatehouse.yaml');
 * for (const { key, text } of config.warnings) console.warn(`${key}: ${text}`);
 * ```
 */
export async function loadConfig(
  file: string,
  environment: Environment = processEnvironment(),
  isTerminal = process.stdout.isTTY === true,
  longest?: number,
): Promise<Config> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const [usual, ...others] = usualConfigFiles(environment);
    // Where nobody named one, the reader wants to know where it was looked for.
    const elsewhere =
      file === usual
        ? `, there or at ${others.join(' or ')}, or another by --config; gatehouse init writes a first one`
        : '';
    const problem = `${resolve(file)} cannot be read (${reasonOf(error)}), expected a YAML file${elsewhere}`;
    throw new ConfigError([{ file, line: 1, column: 1, key: '(file)', text: problem }]);
  }
  return readConfig(file, text, environment, isTerminal, longest);
}

/** The same for a text that is already at hand; `file` is what the problems and relative paths refer to. */
export function readConfig(
  file: string,
  text: string,
  environment: Environment,
  isTerminal = process.stdout.isTTY === true,
  longest?: number,
): Config {
  const source = readFiles(file, text, longest === undefined ? {} : { longest });
  if (!source.isReadable) throw new ConfigError(source.problems);
  const { written, wrong, problems } = judge(source);
  const reading = createReading(source, environment, wrong);
  const config = build(file, written, { environment, isTerminal, includes: source.patterns }, reading);
  // Of two keys of one name the second hides the first, in which more may be wrong.
  const hidden = source.problems.length > 0 ? judge(readFiles(file, text, { kept: 'first' })).problems : [];
  const all = [...source.problems, ...problems, ...hidden, ...reading.problems];
  if (all.length > 0) throw new ConfigError(inOrder(all, file));
  return deepFreeze(config);
}

/** What the schema and the look at single values find, and what is left to be read without that. */
function judge(source: ConfigSource): { written: ConfigFile; wrong: Path[]; problems: Problem[] } {
  const value = source.value ?? {};
  const placeholders = findPlaceholders(value);
  const parsed = fileSchema.safeParse(value, { jitless: true });
  const found = parsed.success ? [] : schemaProblems(parsed.error.issues);
  // What the schema makes of a placeholder is beside the point.
  const filledIn = new Set(placeholders.map(({ path }) => keyOf(path)));
  const problems = [...placeholders, ...found.filter(({ path }) => !filledIn.has(keyOf(path)))];
  const { file: written, wrong } = parsed.success ? { file: parsed.data, wrong: [] } : salvage(value, found);
  return {
    written,
    wrong: [...wrong, ...placeholders.map(({ path }) => path)],
    problems: problems.map(({ path, text, isUnknownKey }) => {
      return { ...(isUnknownKey ? source.placeOfKey(path) : source.placeOf(path)), key: keyOf(path), text };
    }),
  };
}

/** File by file, the main one first, in the order of its lines. */
function inOrder(problems: readonly Problem[], main: string): Problem[] {
  const once = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  const rank = ({ file }: Problem) => (file === main ? '' : file);
  return [...once.values()].sort(
    (a, b) => Number(rank(a) > rank(b)) - Number(rank(a) < rank(b)) || a.line - b.line || a.column - b.column,
  );
}

interface Surroundings {
  environment: Environment;
  isTerminal: boolean;
  includes: readonly string[];
}

function build(
  name: string,
  file: ConfigFile,
  { environment, isTerminal, includes }: Surroundings,
  reading: Reading,
): Config {
  const listen = readListen(file, environment, reading);
  const storage = readStorage(file, reading);
  const signing = readSigning(file, storage.driver, reading);
  const upstreams = readUpstreams(file, environment, reading);
  warnOfUnusedProxy(file, environment, reading);
  const clients = readClients(file, upstreams, reading);
  checkAlgorithms(signing, clients, file, reading);
  const operations = readOperations(file, listen, environment, reading);
  return {
    file: name,
    publicUrl: readPublicUrl(file),
    listen,
    operations,
    admin: readAdmin(file, upstreams, operations, reading),
    source: readSource(file, reading),
    drainSeconds: readDrain(file, { isTerminal }),
    log: readLog(file, environment, reading),
    workers: readWorkers(file, storage.driver, reading),
    storage,
    sealing: readSealing(file, storage.driver, reading),
    signing,
    upstreams,
    clients,
    resourceServers: readResourceServers(file, reading),
    networks: readNetworks(file),
    geo: readGeo(file, reading),
    userCodes: readUserCodes(file, reading),
    verificationUriComplete: readVerificationUriComplete(file, reading),
    pages: readPages(file, reading),
    ...readOthers(file, reading),
    filesRead: reading.filesRead,
    includes,
    warnings: reading.warnings,
  };
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

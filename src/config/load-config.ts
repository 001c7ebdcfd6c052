import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Secret } from '../sealing/secret.ts';
import type { Config } from './config.ts';
import { ConfigError, formatProblem, type Problem } from './config-error.ts';
import { type Environment, processEnvironment } from './environment.ts';
import { type ConfigFile, fileSchema } from './file-schema.ts';
import { mend } from './mend.ts';
import { readClients } from './read-clients.ts';
import { checkAlgorithms, readSealing, readSigning } from './read-keys.ts';
import { readNetworks, readOthers, readResourceServers } from './read-others.ts';
import { readPages } from './read-pages.ts';
import { readDrain, readListen, readLog, readOperations, readPublicUrl, readSource } from './read-process.ts';
import { warnOfUnusedProxy } from './read-reach.ts';
import { readStorage } from './read-storage.ts';
import { readUpstreams } from './read-upstreams.ts';
import { readUserCodes, readVerificationUriComplete } from './read-user-codes.ts';
import { createReading, type Reading, reasonOf } from './reading.ts';
import { keyOf, type SchemaProblem, schemaProblems } from './schema-problems.ts';
import { readYaml, type YamlSource } from './yaml-source.ts';

/**
 * Reads, checks and freezes a configuration, with the secrets and key files that it names.
 *
 * @throws {ConfigError} with everything that is wrong
 */
export async function loadConfig(file: string, environment: Environment = processEnvironment()): Promise<Config> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const problem = `${resolve(file)} cannot be read (${reasonOf(error)}), expected a YAML file`;
    throw new ConfigError([{ file, line: 1, column: 1, key: '(file)', text: problem }]);
  }
  return readConfig(file, text, environment);
}

/** The same for a text that is already at hand; `file` is what the problems and relative paths refer to. */
export function readConfig(file: string, text: string, environment: Environment): Config {
  const source = readYaml(text);
  if (source.faults.length > 0) {
    throw new ConfigError(source.faults.map((fault) => ({ ...fault, file, key: '(file)' })));
  }
  const value = source.value ?? {};
  const parsed = fileSchema.safeParse(value, { jitless: true });
  const problems = parsed.success ? [] : schemaProblems(parsed.error.issues);
  const { file: mended, wrong } = parsed.success ? { file: parsed.data, wrong: [] } : mend(value, problems);

  const reading = createReading(file, source, environment, wrong);
  const config = build(file, mended, environment, reading);
  const all: Problem[] = [
    ...source.repeated.map(({ line, column, key, first }) => {
      return { file, line, column, key, text: `is there twice (first in line ${first.line}), expected it once` };
    }),
    ...(source.repeated.length > 0 ? shadowedProblems(file, text) : []),
    ...problems.map((one) => toProblem(file, source, one)),
    ...reading.problems,
  ];
  if (all.length > 0) throw new ConfigError(inOrder(all));
  return deepFreeze(config);
}

/** What is wrong inside the first of two keys of one name, which the second one hides. */
function shadowedProblems(file: string, text: string): Problem[] {
  const source = readYaml(text, 'first');
  const parsed = fileSchema.safeParse(source.value ?? {}, { jitless: true });
  return parsed.success ? [] : schemaProblems(parsed.error.issues).map((one) => toProblem(file, source, one));
}

function inOrder(problems: readonly Problem[]): Problem[] {
  const once = new Map(problems.map((problem) => [formatProblem(problem), problem]));
  return [...once.values()].sort((a, b) => a.line - b.line || a.column - b.column);
}

function toProblem(file: string, source: YamlSource, { path, text, isUnknownKey }: SchemaProblem): Problem {
  const place = isUnknownKey ? source.placeOfKey(path) : source.placeOf(path);
  return { file, ...place, key: keyOf(path), text };
}

function build(name: string, file: ConfigFile, environment: Environment, reading: Reading): Config {
  const listen = readListen(file, environment);
  const storage = readStorage(file, reading);
  const signing = readSigning(file, storage.driver, reading);
  const upstreams = readUpstreams(file, reading);
  warnOfUnusedProxy(file, environment, reading);
  const clients = readClients(file, upstreams, reading);
  checkAlgorithms(signing, clients, file, reading);
  return {
    file: name,
    publicUrl: readPublicUrl(file),
    listen,
    operations: readOperations(file, listen, environment, reading),
    source: readSource(file, reading),
    drainSeconds: readDrain(file, { isTerminal: process.stdout.isTTY === true }),
    log: readLog(file, environment, reading),
    storage,
    sealing: readSealing(file, storage.driver, reading),
    signing,
    upstreams,
    clients,
    resourceServers: readResourceServers(file, reading),
    networks: readNetworks(file),
    userCodes: readUserCodes(file, reading),
    verificationUriComplete: readVerificationUriComplete(file, reading),
    pages: readPages(file, reading),
    ...readOthers(file, reading),
    filesRead: reading.filesRead,
    warnings: reading.warnings,
  };
}

function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || value instanceof Secret) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}

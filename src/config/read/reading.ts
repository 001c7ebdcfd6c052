import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../sealing/secret.ts';
import { readSecretText } from '../../sealing/secret-text.ts';
import { type Problem, reasonOf } from '../config-error.ts';
import type { Environment } from '../environment.ts';
import { keyOf } from '../schema/schema-problems.ts';
import type { SecretRef } from '../schema/secret-schemas.ts';
import type { ConfigSource } from '../yaml/config-source.ts';
import type { Path } from '../yaml/yaml-source.ts';

/**
 * One reading of one configuration: what the readers of the sections share. They go on after a problem, with something
 * that stands in for what is missing; at the end the problems decide whether anybody ever sees what was read.
 */
export interface Reading {
  problems: Problem[];
  /** What works, and may not be what was meant. */
  warnings: Problem[];
  /** Absolute paths, the main file first. */
  filesRead: string[];
  /** Says what is wrong at `path`, unless it, or something in `looksAt`, is wrong already in another way. */
  problem(path: Path, text: string, ...looksAt: Path[]): void;
  warning(path: Path, text: string): void;
  /** `undefined` where it cannot be had; the problem is noted then. A file of it that others can read is warned of. */
  secret(path: Path, ref: SecretRef | undefined): Secret | undefined;
  /** The same for what stands where a secret may and is none: a certificate. */
  publicText(path: Path, ref: SecretRef | undefined): string | undefined;
  /** The text of a file that the configuration names, and its bytes; `undefined` as above. */
  file(path: Path, name: string): string | undefined;
  bytes(path: Path, name: string): Buffer | undefined;
  /** The absolute name of a file that is read later: a change of it brings a reload as well. */
  watched(path: Path, name: string): string;
  /** A file name that stands at `path`, as an absolute one. */
  resolve(path: Path, name: string): string;
}

export function createReading(source: ConfigSource, environment: Environment, wrong: Path[]): Reading {
  const files = new Set(source.files);
  const at = (path: Path, text: string): Problem => ({ ...source.placeOf(path), key: keyOf(path), text });

  function textOf(path: Path, ref: SecretRef | undefined): string | undefined {
    if (ref?.env !== undefined) {
      const value = Object.hasOwn(environment, ref.env) ? environment[ref.env] : undefined;
      if (value !== undefined) return judged(path, value, `environment variable ${ref.env}`);
      reading.problem(path, `environment variable ${ref.env} is not set, expected the value there`);
    }
    return ref?.file === undefined ? undefined : judged(path, reading.file(path, ref.file), `file ${ref.file}`);
  }

  function judged(path: Path, content: string | undefined, where: string): string | undefined {
    if (content === undefined) return undefined;
    const { value, fault, doubt } = readSecretText(content);
    if (fault !== undefined) reading.problem(path, `${where} ${fault}`);
    else if (value === '') reading.problem(path, `${where} is empty, expected the value there`);
    if (fault !== undefined || value === '') return undefined;
    if (doubt !== undefined) reading.warning(path, `${where} ${doubt}`);
    return value;
  }

  const reading: Reading = {
    problems: [],
    warnings: [],
    get filesRead() {
      return [...files];
    },
    problem(path, text, ...looksAt) {
      if ([path, ...looksAt].some((one) => wrong.some((bad) => isAtOrBelow(one, bad)))) return;
      reading.problems.push(at(path, text));
    },
    warning(path, text) {
      reading.warnings.push(at(path, text));
    },
    secret(path, ref) {
      const value = textOf(path, ref);
      if (value !== undefined && ref?.file !== undefined) warnOfReaders(reading, path, reading.resolve(path, ref.file));
      return value === undefined ? undefined : new Secret(value);
    },
    publicText: textOf,
    file: (path, name) => reading.bytes(path, name)?.toString('utf8'),
    bytes(path, name) {
      const absolute = reading.watched(path, name);
      try {
        return readFileSync(absolute);
      } catch (error) {
        const isCredential = absolute.startsWith('/run/credentials/');
        const hint = isCredential ? ': it is there while its unit runs; CREDENTIALS_DIRECTORY names its source' : '';
        reading.problem(path, `file ${absolute} cannot be read (${reasonOf(error)}), expected a readable file${hint}`);
        return undefined;
      }
    },
    watched(path, name) {
      const absolute = reading.resolve(path, name);
      files.add(absolute);
      return absolute;
    },
    resolve: (path, name) => credentialPath(source.resolve(path, name), environment),
  };
  return reading;
}

/**
 * A credential of systemd is there while its unit runs. An administrator who checks the configuration before that says where they
 * come from, in the variable that systemd itself sets for the unit.
 */
function credentialPath(file: string, environment: Environment): string {
  const [, name] = /^\/run\/credentials\/[^/]+\/(.+)$/.exec(file) ?? [];
  const folder = Object.hasOwn(environment, 'CREDENTIALS_DIRECTORY') ? environment['CREDENTIALS_DIRECTORY'] : undefined;
  return name === undefined || folder === undefined || folder === '' ? file : join(folder, name);
}

const READ_BY_OTHERS = 0o004;

/**
 * Others are those who are neither the file's owner nor in its group, since a broker that is another user than the
 * administrator reads its keys as a member of a group. Windows has no such bits.
 */
function warnOfReaders(reading: Reading, path: Path, file: string): void {
  if (process.platform === 'win32') return;
  const mode = statSync(file, { throwIfNoEntry: false })?.mode ?? 0;
  if ((mode & READ_BY_OTHERS) === 0) return;
  const digits = (mode & 0o777).toString(8).padStart(4, '0');
  reading.warning(path, `file ${file} can be read by everybody on this machine (mode ${digits}): chmod o= ${file}`);
}

function isAtOrBelow(path: Path, bad: Path): boolean {
  return bad.every((step, index) => path[index] === step);
}

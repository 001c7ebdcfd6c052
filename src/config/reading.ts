import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Secret } from '../sealing/secret.ts';
import type { Problem } from './config-error.ts';
import type { Environment } from './environment.ts';
import { keyOf } from './schema-problems.ts';
import type { SecretRef } from './value-schemas.ts';
import type { Path, YamlSource } from './yaml-source.ts';

/**
 * One reading of one file: what the readers of the sections share. They go on after a problem, with something that
 * stands in for what is missing; at the end the problems decide whether anybody ever sees what was read.
 */
export interface Reading {
  problems: Problem[];
  warnings: string[];
  filesRead: string[];
  /** Says what is wrong at `path`, unless it, or something in `looksAt`, is wrong already in another way. */
  problem(path: Path, text: string, ...looksAt: Path[]): void;
  warning(path: Path, text: string): void;
  /** Whether somebody wrote this key, or it has its default. */
  isStated(path: Path): boolean;
  /** `undefined` where it cannot be had; the problem is noted then. A file of it that others can read is warned of. */
  secret(path: Path, ref: SecretRef | undefined): Secret | undefined;
  /** The same for what stands where a secret may and is none: a certificate. */
  publicText(path: Path, ref: SecretRef | undefined): string | undefined;
  /** The text of a file that the configuration names; `undefined` as above. */
  file(path: Path, name: string): string | undefined;
  /** A path that stands in the file, as an absolute one. */
  resolve(name: string): string;
}

export function createReading(file: string, source: YamlSource, environment: Environment, wrong: Path[]): Reading {
  const folder = dirname(resolve(file));

  function textOf(path: Path, ref: SecretRef | undefined): string | undefined {
    if (ref?.env !== undefined) {
      const value = Object.hasOwn(environment, ref.env) ? environment[ref.env] : undefined;
      if (value !== undefined && value !== '') return withoutNewline(value);
      const state = value === undefined ? 'not set' : 'empty';
      reading.problem(path, `environment variable ${ref.env} is ${state}, expected the value there`);
    }
    if (ref?.file !== undefined) {
      const value = reading.file(path, ref.file);
      if (value === undefined) return undefined;
      if (withoutNewline(value) !== '') return withoutNewline(value);
      reading.problem(path, `file ${ref.file} is empty, expected the value there`);
    }
    return undefined;
  }

  const reading: Reading = {
    problems: [],
    warnings: [],
    filesRead: [resolve(file)],
    problem(path, text, ...looksAt) {
      if ([path, ...looksAt].some((one) => wrong.some((bad) => isAtOrBelow(one, bad)))) return;
      reading.problems.push({ file, ...source.placeOf(path), key: keyOf(path), text });
    },
    warning(path, text) {
      reading.warnings.push(`${keyOf(path)}: ${text}`);
    },
    isStated: (path) => source.has(path),
    secret(path, ref) {
      const value = textOf(path, ref);
      if (value !== undefined && ref?.file !== undefined) warnOfReaders(reading, path, resolve(folder, ref.file));
      return value === undefined ? undefined : new Secret(value);
    },
    publicText: textOf,
    file(path, name) {
      const absolute = resolve(folder, name);
      if (!reading.filesRead.includes(absolute)) reading.filesRead.push(absolute);
      try {
        return readFileSync(absolute, 'utf8');
      } catch (error) {
        reading.problem(path, `file ${absolute} cannot be read (${reasonOf(error)}), expected a readable file`);
        return undefined;
      }
    },
    resolve: (name) => resolve(folder, name),
  };
  return reading;
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

/** Editors and `echo` end a file with one; a second one is part of the value. */
function withoutNewline(value: string): string {
  return value.replace(/\r?\n$/, '');
}

function isAtOrBelow(path: Path, bad: Path): boolean {
  return bad.every((step, index) => path[index] === step);
}

export function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EACCES') return 'permission denied';
  if (code === 'EISDIR') return 'it is a folder';
  return code ?? 'unknown reason';
}

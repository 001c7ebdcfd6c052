import { readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type Problem, reasonOf } from '../config-error.ts';
import { keyOf } from '../schema/schema-problems.ts';
import { includedFiles, patternFault } from './include.ts';
import { isSection } from './yaml-nodes.ts';
import { type Path, type Place, readYaml, type YamlSource } from './yaml-source.ts';

export type Spot = Place & { file: string };

/** The files of one configuration as one value, and in which of them each part of it stands. */
export interface ConfigSource {
  value: unknown;
  /** What is wrong with the files themselves: one that cannot be read, keys that are there twice. */
  problems: readonly Problem[];
  /** Whether there is a value at all to judge. */
  isReadable: boolean;
  /** Absolute, the main file first. */
  files: readonly string[];
  /** What `include` says, absolute: other files may come to match. */
  patterns: readonly string[];
  placeOf(path: Path): Spot;
  placeOfKey(path: Path): Spot;
  has(path: Path): boolean;
  /** A path that stands at `path`, as an absolute one: it is relative to the file in which it stands. */
  resolve(path: Path, name: string): string;
}

/** One of the files. */
interface Part {
  /** As it is named to people. */
  file: string;
  yaml: YamlSource;
  /** Without `x-…` keys, which are there for anchors alone. */
  sections: ReadonlyMap<string, unknown>;
}

/** Sections with entries of the administrator's own may be spread over files; an entry stands in one. */
const SPREAD: readonly string[] = ['upstreams', 'clients', 'scopes', 'resource_servers', 'networks'];

/** More text than may be read between two requests. */
export class LargeConfigError extends Error {
  override readonly name = 'LargeConfigError';
}

export interface SourceOptions {
  /** Of a key that stands twice in one file, which one: see `readYaml`. */
  kept?: 'first' | 'last';
  /** The most characters that all files may have together. */
  longest?: number;
}

/** @throws {LargeConfigError} where there is more than `longest` */
export function readSource(file: string, text: string, options: SourceOptions = {}): ConfigSource {
  const { kept = 'last', longest = Number.POSITIVE_INFINITY } = options;
  let length = 0;
  const parsed = (content: string): YamlSource => {
    length += content.length;
    if (length > longest) throw new LargeConfigError(`more than ${longest} characters`);
    return readYaml(content, kept);
  };
  const main = partOf(file, parsed(text));
  const { others, patterns, problems } = included(main, parsed);
  const parts = [main, ...others];
  const { value, owners, clashes } = merged(main, others);
  const ownerOf = ([top = '', id]: Path): Part => owners.get(String(top))?.get(String(id)) ?? firstWith(parts, top);
  return {
    value,
    problems: [...problems, ...parts.flatMap(faultsOf), ...clashes],
    isReadable: parts.every(({ yaml }) => yaml.faults.length === 0),
    files: parts.map((part) => resolve(part.file)),
    patterns,
    placeOf: (path) => ({ file: ownerOf(path).file, ...ownerOf(path).yaml.placeOf(path) }),
    placeOfKey: (path) => ({ file: ownerOf(path).file, ...ownerOf(path).yaml.placeOfKey(path) }),
    has: (path) => ownerOf(path).yaml.has(path),
    resolve: (path, name) => resolve(dirname(ownerOf(path).file), name),
  };
}

function partOf(file: string, yaml: YamlSource): Part {
  const { value } = yaml;
  const sections = isSection(value) ? Object.entries(value).filter(([key]) => !key.startsWith('x-')) : [];
  return { file, yaml, sections: new Map(sections) };
}

/** Of a section that is none in one of the files, that one. */
function firstWith(parts: readonly Part[], top: PropertyKey): Part {
  const stated = parts.filter(({ sections }) => sections.has(String(top)));
  return stated.find(({ sections }) => !isSection(sections.get(String(top)))) ?? stated[0] ?? (parts[0] as Part);
}

function included(main: Part, parsed: (content: string) => YamlSource) {
  const problems: Problem[] = [];
  const patterns: string[] = [];
  const others = new Map<string, Part>();
  const folder = dirname(main.file);
  for (const [index, pattern] of patternsIn(main).entries()) {
    const problem = (text: string) => problems.push(problemAt(main, ['include', index], text));
    const fault = patternFault(pattern);
    if (fault !== undefined) {
      problem(fault);
      continue;
    }
    patterns.push(resolve(folder, pattern));
    for (const name of includedFiles(folder, pattern)) {
      const file = join(folder, name);
      if (others.has(file) || resolve(file) === resolve(main.file)) continue;
      let content: string;
      try {
        content = readFileSync(file, 'utf8');
      } catch (error) {
        problem(`file ${resolve(file)} cannot be read (${reasonOf(error)}), expected a YAML file`);
        continue;
      }
      others.set(file, partOf(file, parsed(content)));
    }
  }
  return { others: [...others.values()], patterns, problems };
}

/** What is no list of texts is told by the schema. */
function patternsIn({ sections }: Part): string[] {
  const patterns = sections.get('include');
  return Array.isArray(patterns) ? patterns.filter((pattern) => typeof pattern === 'string') : [];
}

function faultsOf({ file, yaml }: Part): Problem[] {
  return [
    ...yaml.faults.map((fault) => ({ ...fault, file, key: '(file)' })),
    ...yaml.repeated.map(({ line, column, key, first }) => {
      return { file, line, column, key, text: `is there twice (first in line ${first.line}), expected it once` };
    }),
  ];
}

/** The main file with the entries of the others, and whose each entry is. */
function merged(main: Part, others: readonly Part[]) {
  const clashes: Problem[] = others.flatMap((part) => straysIn(part, main));
  const owners = new Map<string, Map<string, Part>>();
  if (main.sections.size === 0 && !isSection(main.yaml.value)) return { value: main.yaml.value, owners, clashes };
  const all = new Map(main.sections);
  for (const top of SPREAD) {
    const stated = [main, ...others].filter(({ sections }) => sections.has(top));
    const odd = stated.find(({ sections }) => !isSection(sections.get(top)));
    if (odd !== undefined || stated.length === 0) {
      if (odd !== undefined) all.set(top, odd.sections.get(top));
      continue;
    }
    const owner = new Map<string, Part>();
    const entries = new Map<string, unknown>();
    for (const part of stated) {
      for (const [id, entry] of Object.entries(part.sections.get(top) as object)) {
        const first = owner.get(id);
        if (first === undefined) {
          owner.set(id, part);
          entries.set(id, entry);
        } else {
          const at = `${first.file}:${first.yaml.placeOfKey([top, id]).line}`;
          clashes.push(problemAt(part, [top, id], `is there twice (first in ${at}), expected it once`, 'key'));
        }
      }
    }
    owners.set(top, owner);
    all.set(top, Object.fromEntries(entries));
  }
  return { value: Object.fromEntries(all), owners, clashes };
}

/** What stands in an included file and has no place there. */
function straysIn(part: Part, main: Part): Problem[] {
  const { value } = part.yaml;
  const allowed = SPREAD.join(', ');
  if (value !== undefined && value !== null && !isSection(value)) {
    return [problemAt(part, [], `found no section, expected the keys ${allowed}`)];
  }
  const text = `stands in an included file, expected it in ${basename(main.file)}: only ${allowed} may be spread over files`;
  const strays = [...part.sections.keys()].filter((key) => !SPREAD.includes(key));
  return strays.map((key) => problemAt(part, [key], text, 'key'));
}

function problemAt({ file, yaml }: Part, path: Path, text: string, at: 'key' | 'value' = 'value'): Problem {
  const place = at === 'key' ? yaml.placeOfKey(path) : yaml.placeOf(path);
  return { file, ...place, key: keyOf(path), text };
}

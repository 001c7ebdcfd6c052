/**
 * From text to plain values, each with its line. Nothing here knows a key.
 */

import { type Document, isAlias, isMap, isPair, isSeq, LineCounter, type Pair, visit } from 'yaml';
import { parseYaml } from './parse-yaml.ts';
import { aliasFaults } from './yaml-aliases.ts';
import { type AliasTargets, aliasTargets, isMergeKey, keyText, startOf } from './yaml-nodes.ts';

export type Path = readonly PropertyKey[];

export interface Place {
  line: number;
  column: number;
}

/** A YAML text as plain values, and where in the text each of them stands. */
export interface YamlSource {
  value: unknown;
  /** What keeps the text from being read at all; then `value` is undefined. */
  faults: readonly (Place & { text: string })[];
  /** Keys that stand twice in one section. */
  repeated: readonly (Place & { key: string; first: Place })[];
  /** Where a value is written; where it is missing, where the section is that it belongs to. */
  placeOf(path: Path): Place;
  /** Where a key is written. */
  placeOfKey(path: Path): Place;
  /** Whether somebody wrote this key. */
  has(path: Path): boolean;
}

/** Of a key that stands twice the first or the last is kept, so that whoever asks for both sees all there is. */
export function readYaml(text: string, kept: 'first' | 'last' = 'last'): YamlSource {
  const lines = new LineCounter();
  const document = parseYaml(text, lines);
  const place = (offset: number | undefined): Place => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const repeated = takeOutRepeated(document, kept, place);
  const targets = aliasTargets(document);
  const ours = [...keyFaults(document, text), ...aliasFaults(document, targets)];
  // Where both have a word about one place, ours is about what somebody wrote and not about the grammar.
  const theirs = [...document.errors, ...document.warnings]
    .filter(({ pos }) => !ours.some(({ at }) => at === pos[0]))
    .map(({ pos, message }) => ({ at: pos[0], words: firstLine(message) }));
  const faults = [...ours, ...theirs].map(({ at, words }) => ({ ...place(at), text: cannotRead(words) }));
  let value: unknown;
  if (faults.length === 0) {
    try {
      // How much aliases may multiply was judged above, and in what they bring, not in how often they are used.
      value = document.toJS({ maxAliasCount: -1 });
    } catch (error) {
      faults.push({ ...place(0), text: cannotRead(firstLine(String(error))) });
    }
  }
  const offsets = offsetsIn(document, targets);
  return {
    value,
    faults,
    repeated,
    has: (path) => offsets(path).found,
    placeOfKey: (path) => place(offsets(path).key),
    placeOf(path) {
      const { key, value: start } = offsets(path);
      // A block that begins below its key, and a value that is not there, are looked for at the key.
      return start !== undefined && place(start).line === place(key ?? start).line ? place(start) : place(key);
    },
  };
}

function cannotRead(words: string): string {
  return `cannot be read as YAML: ${words}`;
}

/** Keys that no section can have. */
function keyFaults(document: Document, text: string): { at: number | undefined; words: string }[] {
  const faults: { at: number | undefined; words: string }[] = [];
  visit(document, {
    Pair(_, { key }) {
      const at = startOf(key);
      // Every object has one already, so whoever looks for entries would pass over it in silence.
      if (keyText(key) === '__proto__') faults.push({ at, words: '__proto__ cannot be a key' });
      if (!isMap(key) && !isSeq(key)) return undefined;
      // `{{ name }}` of a template, which YAML takes for a section within a section.
      const isTemplate = at !== undefined && text.slice(at - 1, at + 1) === '{{';
      const placeholder = '{{ … }} is a placeholder, and nothing is filled in here: write the value itself';
      faults.push({ at, words: isTemplate ? placeholder : 'a section or a list cannot be a key' });
      return visit.SKIP;
    },
  });
  return faults;
}

interface Offsets {
  found: boolean;
  key: number | undefined;
  value: number | undefined;
}

/** Looks up where a path stands. Each section is indexed once: ten thousand clients may have a mistake each. */
function offsetsIn(document: Document, targets: AliasTargets): (path: Path) => Offsets {
  const indexes = new WeakMap<object, ReadonlyMap<string, Pair>>();

  /** The pairs of a section by their keys: what it merges in (`<<`) gives way to what stands there itself. */
  function pairsOf(node: unknown): ReadonlyMap<string, Pair> {
    const map = isAlias(node) ? targets.get(node) : node;
    if (isSeq(map)) {
      // Of several that are merged the earlier wins.
      return new Map(map.items.toReversed().flatMap((item) => [...pairsOf(item)]));
    }
    if (!isMap(map)) return new Map();
    const known = indexes.get(map);
    if (known !== undefined) return known;
    const merged = map.items.filter(isMergeKey).flatMap(({ value }) => [...pairsOf(value)]);
    const own = map.items.map((pair) => [keyText(pair.key), pair] as const);
    const index = new Map<string, Pair>([...merged, ...own]);
    indexes.set(map, index);
    return index;
  }

  return (path) => {
    let offsets: Offsets = { found: true, key: undefined, value: 0 };
    let node: unknown = document.contents;
    for (const step of path) {
      node = isAlias(node) ? targets.get(node) : node;
      if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
        node = node.items[step];
        offsets = { found: true, key: startOf(node), value: startOf(node) };
        continue;
      }
      const pair = isSeq(node) ? undefined : pairsOf(node).get(String(step));
      if (pair === undefined) return { ...offsets, found: false };
      offsets = { found: true, key: startOf(pair.key), value: startOf(pair.value) };
      node = pair.value;
    }
    return offsets;
  };
}

function takeOutRepeated(
  document: Document,
  kept: 'first' | 'last',
  place: (offset: number | undefined) => Place,
): YamlSource['repeated'] {
  const repeated: (Place & { key: string; first: Place })[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      const seen = new Map<string, Pair>();
      for (const pair of map.items) {
        const name = keyText(pair.key);
        const first = seen.get(name);
        if (first !== undefined) {
          const above = ancestors.filter(isPair).map(({ key }) => keyText(key));
          const key = [...above, name].join('.');
          repeated.push({ ...place(startOf(pair.key)), key, first: place(startOf(first.key)) });
        }
        if (first === undefined || kept === 'last') seen.set(name, pair);
      }
      if (seen.size < map.items.length) map.items = [...seen.values()];
    },
  });
  return repeated;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}

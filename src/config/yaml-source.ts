import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Pair,
  parseDocument,
  visit,
} from 'yaml';

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
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: false, merge: true, prettyErrors: false });
  const place = (offset: number | undefined): Place => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const repeated = takeOutRepeated(document, kept, place);
  const faults = [...document.errors, ...document.warnings].map((fault) => ({
    ...place(fault.pos[0]),
    text: `cannot be read as YAML: ${firstLine(fault.message)}`,
  }));
  visit(document, {
    Pair(_, { key }) {
      // Every object has one already, so whoever looks for entries would pass over it in silence.
      if (keyText(key) === '__proto__') faults.push({ ...place(startOf(key)), text: '__proto__ cannot be a key' });
    },
  });
  let value: unknown;
  if (faults.length === 0) {
    try {
      value = document.toJS();
    } catch (error) {
      // Aliases that multiply into gigabytes, or that point nowhere.
      faults.push({ ...place(0), text: `cannot be read as YAML: ${firstLine(String(error))}` });
    }
  }
  const offsets = (path: Path) => offsetsOf(document, path);
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

interface Offsets {
  found: boolean;
  key: number | undefined;
  value: number | undefined;
}

function offsetsOf(document: Document, path: Path): Offsets {
  let offsets: Offsets = { found: true, key: undefined, value: 0 };
  let node: unknown = document.contents;
  for (const step of path) {
    node = isAlias(node) ? node.resolve(document) : node;
    if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
      node = node.items[step];
      offsets = { found: true, key: startOf(node), value: startOf(node) };
      continue;
    }
    const pair = pairsOf(document, node).findLast(({ key }) => keyText(key) === String(step));
    if (pair === undefined) return { ...offsets, found: false };
    offsets = { found: true, key: startOf(pair.key), value: startOf(pair.value) };
    node = pair.value;
  }
  return offsets;
}

/** The pairs of a map after those that it merges in (`<<`). */
function pairsOf(document: Document, node: unknown): Pair[] {
  const map = isAlias(node) ? node.resolve(document) : node;
  if (isSeq(map)) return map.items.flatMap((item) => pairsOf(document, item));
  if (!isMap(map)) return [];
  const merged = map.items.filter(({ key }) => keyText(key) === '<<');
  return [...merged.flatMap(({ value }) => pairsOf(document, value)), ...map.items];
}

function takeOutRepeated(
  document: Document,
  kept: 'first' | 'last',
  place: (offset: number | undefined) => Place,
): YamlSource['repeated'] {
  const repeated: (Place & { key: string; first: Place })[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      const above = ancestors.filter(isPair).map(({ key }) => keyText(key));
      const seen = new Map<string, Pair>();
      for (const pair of map.items) {
        const name = keyText(pair.key);
        const first = seen.get(name);
        if (first !== undefined) {
          const key = [...above, name].join('.');
          repeated.push({ ...place(startOf(pair.key)), key, first: place(startOf(first.key)) });
        }
        if (first === undefined || kept === 'last') seen.set(name, pair);
      }
      map.items = [...seen.values()];
    },
  });
  return repeated;
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

function startOf(node: unknown): number | undefined {
  const [start, end] = (node as { range?: readonly number[] | null } | null)?.range ?? [];
  return start === end ? undefined : start;
}

function firstLine(message: string): string {
  return message.split('\n', 1)[0] ?? '';
}

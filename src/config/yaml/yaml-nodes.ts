import { type Alias, type Document, isScalar, type Node, type Pair, visit } from 'yaml';

const MERGE = '<<';

/** What each alias of a document stands for. The library would walk the whole document for each of them. */
export type AliasTargets = ReadonlyMap<Alias, Node | undefined>;

export function aliasTargets(document: Document): AliasTargets {
  const anchors = new Map<string, Node>();
  const targets = new Map<Alias, Node | undefined>();
  visit(document, {
    Alias(_, alias) {
      targets.set(alias, anchors.get(alias.source));
    },
    Value(_, node) {
      if (node.anchor !== undefined) anchors.set(node.anchor, node);
    },
  });
  return targets;
}

export function keyText(key: unknown): string {
  // A section would be written out, with all that is in it, at every level anew.
  if (!isScalar(key)) return '';
  return typeof key.value === 'symbol' ? MERGE : String(key.value);
}

/** `<<`, which takes over what another section says. The parser has a symbol for it; in quotes it is a key like any other. */
export function isMergeKey({ key }: Pair): boolean {
  return isScalar(key) && typeof key.value === 'symbol';
}

/** `undefined` for what is not there, as the value of `key:`. */
export function startOf(node: unknown): number | undefined {
  const [start, end] = (node as { range?: readonly number[] | null } | null)?.range ?? [];
  return start === end ? undefined : start;
}

/** What YAML calls a map. */
export function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

import { type Alias, type Document, isAlias, isMap, isPair, isSeq, visit } from 'yaml';
import { type AliasTargets, isMergeKey, startOf } from './yaml-nodes.ts';

export interface AliasFault {
  /** Where the alias stands in the text, or what it is merged as. */
  at: number | undefined;
  words: string;
}

/** What a file may come to once its aliases are followed: ten times the values of ten thousand clients. */
const MAX_VALUES = 5_000_000;

/**
 * Aliases that cannot be followed, each where it stands: those that lead nowhere, those that lead into themselves, what
 * `<<` cannot merge, and those that multiply without measure. The parser finds them only when it makes values, and says
 * of none where it is.
 */
export function aliasFaults(document: Document, targets: AliasTargets): AliasFault[] {
  const faults: AliasFault[] = [];
  visit(document, {
    Alias(_, alias, ancestors) {
      const target = targets.get(alias);
      const at = startOf(alias);
      if (target === undefined) {
        faults.push({ at, words: `*${alias.source} stands for nothing: no &${alias.source} comes before it` });
      } else if (ancestors.includes(target)) {
        faults.push({ at, words: `*${alias.source} stands within what it stands for` });
      }
    },
    Pair(_, pair) {
      if (!isMergeKey(pair)) return;
      const { key, value } = pair;
      const merged = isAlias(value) ? targets.get(value) : value;
      for (const each of isSeq(merged) ? merged.items : [value]) {
        const target = isAlias(each) ? targets.get(each) : each;
        if (target !== undefined && !isMap(target)) {
          faults.push({ at: startOf(each) ?? startOf(key), words: '<< takes a section over, and this is none' });
        }
      }
    },
  });
  return faults.length > 0 ? faults : multiplying(document, targets);
}

/** At the first alias with which the file comes to more than it may. */
function multiplying(document: Document, targets: AliasTargets): AliasFault[] {
  const sizes = new Map<unknown, number>();
  const sizeOf = (node: unknown): number => {
    const known = sizes.get(node);
    if (known !== undefined) return known;
    let size = 1;
    if (isAlias(node)) size = sizeOf(targets.get(node));
    else if (isPair(node)) size = sizeOf(node.key) + sizeOf(node.value);
    else if (isMap(node) || isSeq(node)) for (const item of node.items) size += sizeOf(item);
    if (typeof node === 'object' && node !== null) sizes.set(node, size);
    return size;
  };
  if (sizeOf(document.contents) <= MAX_VALUES) return [];
  const aliases: Alias[] = [...targets.keys()];
  const sum = { values: 0 };
  const alias = aliases.find((each) => {
    sum.values += sizeOf(each);
    return sum.values > MAX_VALUES;
  });
  return [{ at: startOf(alias), words: `aliases bring this file to more than ${MAX_VALUES} values` }];
}

import type { z } from 'zod';
import type { Path } from '../yaml/yaml-source.ts';
import { didYouMean } from './did-you-mean.ts';
import { found, KNOWN_KEYS } from './value-schemas.ts';

export interface SchemaProblem {
  path: Path;
  text: string;
  /** An unknown key is looked for where the key is, everything else where the value is. */
  isUnknownKey: boolean;
}

/** zod's issues, one problem per value: of several sentences about one value the first is the one to act on. */
export function schemaProblems(issues: readonly z.core.$ZodIssue[]): SchemaProblem[] {
  const perPath = new Map<string, SchemaProblem>();
  for (const problem of issues.flatMap((issue) => problemsOf(issue, []))) {
    const key = JSON.stringify(problem.path);
    if (!perPath.has(key)) perPath.set(key, problem);
  }
  return [...perPath.values()];
}

function problemsOf(issue: z.core.$ZodIssue, above: Path): SchemaProblem[] {
  const path = [...above, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    const known = issue.message.slice(KNOWN_KEYS.length).split(' ');
    return issue.keys.map((key) => {
      const near = didYouMean(key, known);
      const expected = near === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${near}?`;
      return { path: [...path, key], text: `unknown key, ${expected}`, isUnknownKey: true };
    });
  }
  if (issue.code === 'invalid_union') {
    // The form that the value has at all is the one that was meant.
    const meant = issue.errors.find(
      (branch) => branch.length > 0 && branch.every((one) => one.path.length > 0 || isInside(one)),
    );
    if (meant !== undefined) return meant.flatMap((inner) => problemsOf(inner, path));
  }
  if (issue.code === 'invalid_key') {
    const text = issue.issues[0]?.message ?? found(path.at(-1));
    return [{ path, text, isUnknownKey: true }];
  }
  return [{ path, text: issue.message, isUnknownKey: false }];
}

function isInside(issue: z.core.$ZodIssue): boolean {
  return issue.code === 'unrecognized_keys';
}

export function keyOf(path: Path): string {
  let key = '';
  for (const step of path) key += typeof step === 'number' ? `[${step}]` : `${key === '' ? '' : '.'}${String(step)}`;
  return key === '' ? '(file)' : key;
}

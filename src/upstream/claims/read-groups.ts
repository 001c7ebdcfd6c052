import { claimAt, isClaims } from '../../grants/decide/claim-at.ts';
import { readAll, readName } from '../../grants/decide/claim-reading.ts';
import type { ClaimReading } from '../../ledger/approval.ts';
import type { GroupsClaim } from '../upstream-settings.ts';

/** The names of a person's groups, out of whatever form this upstream keeps them in; `undefined` where none came. */
export function readGroups(value: unknown, rule: GroupsClaim): ClaimReading | undefined {
  if (value === undefined) return undefined;
  return readAll(Array.isArray(value) ? value : [value], (entry) => readEntry(entry, rule));
}

/** Those that `only` lets into tokens, where it is there; `*` stands for any characters. */
export function carriedGroups(
  groups: readonly string[],
  only: readonly string[] | undefined,
): readonly string[] | undefined {
  if (only === undefined) return undefined;
  return groups.filter((group) => only.some((glob) => fits(group, glob.split('*'))));
}

/** Piece after piece, each at its first place after the one before: no pattern makes this slow, as it can a `RegExp`. */
function fits(text: string, [first = '', ...rest]: readonly string[]): boolean {
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let at = first.length;
  for (const piece of rest) {
    const found = text.indexOf(piece, at);
    if (found === -1) return false;
    at = found + piece.length;
  }
  return text.length - last.length >= at && text.endsWith(last);
}

function readEntry(entry: unknown, { keys, member, separator }: GroupsClaim): ClaimReading {
  if (isClaims(entry)) {
    if (keys) return keysOf(entry);
    return member === undefined ? 'unreadable' : readMember(claimAt(entry, member));
  }
  const name = readName(entry);
  return name === 'unreadable' || separator === undefined ? name : name.flatMap((text) => split(text, separator));
}

/** `{ admins: { … } }`. A key that leads to `false` or to nothing says that the person is not in it. */
function keysOf(map: Readonly<Record<string, unknown>>): ClaimReading {
  return Object.entries(map).flatMap(([key, value]) => (value === false || value === null ? [] : [key]));
}

/** An entry without its name is a group that nobody could compare with anything. */
function readMember(value: unknown): ClaimReading {
  return value === undefined ? 'unreadable' : readName(value);
}

/** Amazon Cognito writes `[a, b]` for what an identity provider of its own sent as a list. */
function split(text: string, separator: string): string[] {
  const inner = /^\[(.*)\]$/s.exec(text.trim())?.[1] ?? text;
  return inner
    .split(separator)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

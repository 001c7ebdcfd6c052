import type { RandomBytes } from '../../sealing/secret.ts';

export interface UserCodeSettings {
  /** The characters, upper case, each once. */
  alphabet: string;
  /** The least length; more codes alive or more wrong entries make new codes longer. */
  length: number;
  /** Characters between two hyphens. */
  group: number;
}

/** RFC 8628 §6.1: no vowels, so that no words come out, and nothing that is easily confused. */
export const BASE20 = 'BCDFGHJKLMNPQRSTVWXZ';
export const NUMERIC = '0123456789';

/** What a guesser may reach: live codes × wrong entries ÷ all codes stays below this. */
export const GUESS_BUDGET = 2 ** -20;
const MAX_INPUT = 64;
const MAX_CODE = 16;

/** Draws each character evenly: bytes beyond the last full multiple of the alphabet are thrown away. */
export function newUserCode(alphabet: string, length: number, randomBytes: RandomBytes): string {
  const even = 256 - (256 % alphabet.length);
  let code = '';
  while (code.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < even && code.length < length) code += alphabet[byte % alphabet.length];
    }
  }
  return code;
}

/** The least length at which a guesser's chance against all live codes stays within the budget. */
export function userCodeLength(settings: UserCodeSettings, liveCodes: number, wrongEntries: number): number {
  const targets = Math.max(liveCodes, 1) * Math.max(wrongEntries, 1);
  let length = settings.length;
  while (length < MAX_CODE && targets / settings.alphabet.length ** length >= GUESS_BUDGET) length += 1;
  return length;
}

/** `WDJB-MJHT`: how people see a code. */
export function formatUserCode(code: string, group: number): string {
  const groups: string[] = [];
  for (let start = 0; start < code.length; start += group) groups.push(code.slice(start, start + group));
  return groups.join('-');
}

/**
 * What a person typed as the code it means (RFC 8628 §6.1), or `undefined` where it cannot be one. Compatibility forms
 * (full width) are folded first; only ASCII is upper-cased, since Unicode's rules turn `ß` into `SS` and would let other
 * letters stand for ours; what is outside the alphabet is then dropped as a separator.
 */
export function normaliseUserCode(typed: string, settings: UserCodeSettings): string | undefined {
  if (typed.length > MAX_INPUT) return undefined;
  let code = '';
  for (const character of folded(typed, settings)) {
    if (settings.alphabet.includes(character)) code += character;
    else if (isCodeLike(character)) return undefined;
  }
  return code.length >= settings.length && code.length <= MAX_CODE ? code : undefined;
}

/** What of a text could be of a code, whatever stands between: for comparing, never for looking up. */
export function charactersOfCodes(typed: string, settings: UserCodeSettings): string {
  let characters = '';
  for (const character of folded(typed, settings)) if (settings.alphabet.includes(character)) characters += character;
  return characters;
}

function folded(typed: string, { alphabet }: UserCodeSettings): string {
  const upper = typed.normalize('NFKC').replace(/[a-z]/g, (letter) => letter.toUpperCase());
  return alphabet === NUMERIC ? upper.replace(/O/g, '0').replace(/[IL]/g, '1') : upper;
}

/** A letter or digit is never a separator: dropping it would turn one code into another. */
function isCodeLike(character: string): boolean {
  return /[\p{L}\p{N}]/u.test(character);
}

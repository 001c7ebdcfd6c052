import { normaliseUserCode, type UserCodeSettings } from './user-code.ts';

/** What a code field takes: an address with its code, or the sentence that the code stood in. */
export const MAX_PASTED = 512;

export interface CodeInText {
  /** The code as it stood there; all of the text where it cannot be told which part is the code. */
  typed: string;
  /** A code that came in an address was not read from a device. */
  isFromAddress: boolean;
}

/**
 * The code in what somebody pasted: `Code: WDJB-MJHT`, or the complete verification URI. One text is one code at most, since
 * each text counts as one try.
 */
export function codeInText(text: string, settings: UserCodeSettings): CodeInText {
  const whole = { typed: text, isFromAddress: false };
  if (text.length > MAX_PASTED || normaliseUserCode(text, settings) !== undefined) return whole;
  const query = /\?[^\s#]*/.exec(text)?.[0] ?? '';
  const inAddress = new URLSearchParams(query).get('user_code');
  if (inAddress !== null) return { typed: inAddress, isFromAddress: true };
  const [found, ...others] = runsOfCode(text, settings);
  return found === undefined || others.length > 0 ? whole : { typed: found, isFromAddress: false };
}

/** Neighbouring words that together are a code; a word with a character that no code has ends such a run. */
function runsOfCode(text: string, settings: UserCodeSettings): string[] {
  const folded = text.normalize('NFKC');
  // One character can stand for eighteen.
  if (folded.length > MAX_PASTED) return [];
  const runs = [''];
  for (const word of folded.split(/[\s:;,/?=&#]+/)) {
    const isOfCode = normaliseUserCode(word, { ...settings, length: 0 }) !== undefined;
    // One stray character may be the mistyped end of a longer code, and is no word beside it.
    if (!isOfCode && (word.match(/[\p{L}\p{N}]/gu) ?? []).length < 2) return [];
    if (isOfCode) runs.push(`${runs.pop()} ${word}`.trim());
    else runs.push('');
  }
  return runs.filter((run) => normaliseUserCode(run, settings) !== undefined);
}

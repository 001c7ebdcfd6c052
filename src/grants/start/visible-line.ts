/** Characters. */
export const MAX_LINE = 64;

/** Marks that any letter may have: accents. More of them than two are a tower that covers what stands above. */
const MAX_ACCENTS = 2;
/** Marks of one script, of which some languages put three on a letter, and Tibetan four below one another. */
const MAX_MARKS = 4;

/**
 * Whether a text is one line that people can read, in whatever script: what a device says of itself, and what a person
 * calls it, stands beside what the person must believe. Nothing in it is invisible, breaks the line, turns the reading
 * direction or covers its neighbours.
 */
export function isVisibleLine(text: string, mostCharacters = MAX_LINE): boolean {
  if (Array.from(text).length > mostCharacters) return false;
  const rest = text.replace(JOINERS, '').replace(SELECTORS, '');
  return !INVISIBLE.test(rest) && /[\p{L}\p{N}\p{P}\p{S}]/u.test(rest) && hasFewMarks(rest);
}

/** Control, format and unassigned characters, line and paragraph separators, and letters and symbols that show nothing. */
const INVISIBLE =
  /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800\ufffc\u{13441}\u{13442}\u{16fe4}\u{1d159}]/u;

/**
 * Joiners where spelling needs them: in Persian and its neighbours between two letters, in Indic scripts after the sign
 * that takes a vowel away, and in pictures that are put together from several.
 */
const JOINERS =
  /(?<=\p{Script=Arabic})\u200c(?=\p{Script=Arabic})|(?<=[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca])[\u200c\u200d](?=\p{L})|(?<=\p{Extended_Pictographic}[\ufe0f\p{Emoji_Modifier}]?)\u200d(?=\p{Extended_Pictographic})/gu;

/** Which form of a picture, an ideograph or a Mongolian letter is meant; nothing of their own. */
const SELECTORS =
  /(?<=[\p{Extended_Pictographic}\d#*])\ufe0f|(?<=\p{Unified_Ideograph})[\ufe00-\ufe02\u{e0100}-\u{e01ef}]|(?<=[\u1820-\u18aa])[\u180b-\u180d\u180f]/gu;

function hasFewMarks(text: string): boolean {
  // A mark without a letter would stand on what is before the line: a quotation mark of ours.
  if (/(^|\p{Z})\p{M}/u.test(text)) return false;
  // Of a letter that exists with its accents nothing is stacked, however it was sent.
  for (const [cluster] of text.normalize('NFC').matchAll(/\P{M}\p{M}+/gu)) {
    const marks = cluster.normalize('NFD').match(/[\p{Mn}\p{Me}]/gu) ?? [];
    if (marks.length > MAX_MARKS || new Set(marks).size < marks.length) return false;
    if (marks.filter((mark) => /\p{Script=Inherited}|\p{Script=Common}/u.test(mark)).length > MAX_ACCENTS) return false;
  }
  return true;
}

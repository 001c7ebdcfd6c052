const longest = 500;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu;

/**
 * What another program sent, made fit to print. Control characters could move the cursor and rewrite the address that the
 * person is told to open; characters that turn the reading direction could make one address look like another.
 */
export function printable(text: string): string {
  const clean = text.replace(UNPRINTABLE, '');
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean;
}

/** The same for text of ours that may have some of another program's in it: of any length, and its lines stay lines. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE, (character) => (character === '\n' || character === '\t' ? character : ''));
}

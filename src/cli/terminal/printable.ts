const longest = 500;

/**
 * What another program sent, made fit to print. Control characters could move the cursor and rewrite the address that the
 * person is told to open; characters that turn the reading direction could make one address look like another.
 */
export function printable(text: string): string {
  const clean = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/gu, '');
  return clean.length > longest ? `${clean.slice(0, longest)}…` : clean;
}

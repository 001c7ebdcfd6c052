import { printable } from './printable.ts';

/** One word of a command that a person is told to type or paste: a POSIX shell reads it as it is, whatever is in it. */
export function shellWord(word: string): string {
  const plain = printable(word);
  return /^[\w@%+=:,./-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", String.raw`'\''`)}'`;
}

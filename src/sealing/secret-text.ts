export interface SecretText {
  value: string;
  /** Why it cannot be what was meant. */
  fault: string | undefined;
  /** What may be meant, and often is not. */
  doubt: string | undefined;
}

/** PEM, which tools write words above, and JSON have lines of their own; every other secret is one line. */
function isDocument(value: string): boolean {
  return /^-----BEGIN /m.test(value) || /^\s*[{[]/.test(value);
}

/**
 * What a file or a variable says, less the newline at its end, which editors and `echo` write. Anything else that a
 * careless hand adds would be part of the secret, and the other side would only ever say that it is wrong: no message
 * repeats what was found.
 */
export function readSecretText(content: string): SecretText {
  const value = content.replace(/\r?\n$/, '');
  return { value, fault: faultOf(content, value), doubt: doubtAbout(value) };
}

function faultOf(content: string, value: string): string | undefined {
  if (content.includes('\0')) return 'has NUL characters, expected plain text: it may be UTF-16, or a binary file';
  if (content.startsWith('\ufeff')) return 'begins with a byte order mark (BOM), expected UTF-8 without one';
  if (content.includes('\ufffd')) {
    return 'has bytes that are not UTF-8, expected text: a binary key is written in base64url';
  }
  if (isDocument(value)) return undefined;
  if (/\n/.test(value)) return 'has more than one line, expected the value and at most one newline after it';
  if (/\r/.test(value)) return 'has a carriage return (CR) in it, expected the value and at most one newline after it';
  return undefined;
}

function doubtAbout(value: string): string | undefined {
  if (isDocument(value)) return undefined;
  if (value !== value.trim()) return 'begins or ends with a space, which counts as a part of the value';
  if (/^(["']).*\1$/.test(value)) return 'is in quotes, which count as a part of the value';
  return undefined;
}

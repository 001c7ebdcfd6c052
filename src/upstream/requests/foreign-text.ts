/** A foreign text for our log: short, and nothing in it but printable ASCII. */
export function printable(text: string): string {
  return text.slice(0, 300).replace(/[^\x20-\x7e]/g, '?');
}

/** Some upstreams repeat what they were sent, so whatever might be a code, a token or a secret is left out. */
export function quoteError(error: string, description: string | undefined): string {
  const code = /^[a-z_]{1,40}$/.test(error) ? error : '[…]';
  if (description === undefined) return code;
  const words = printable(description).replace(/[\w.~+/=-]{16,}/g, (word) =>
    /\d/.test(word) || word.length >= 25 ? '[…]' : word,
  );
  return `${code} "${words}"`;
}

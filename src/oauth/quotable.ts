const MAX_QUOTE = 80;

/**
 * Text of the caller's as `error_description` may have it: RFC 6749 §5.2 allows printable ASCII without quotation mark
 * and backslash. Of a long text the beginning is enough to find it by.
 */
export function quotable(text: string): string {
  const shown = text.replace(/[^\x20\x21\x23-\x5B\x5D-\x7E]+/g, '?');
  return shown.length <= MAX_QUOTE ? shown : `${shown.slice(0, MAX_QUOTE - 3)}...`;
}

const MAX_TEXT = 1000;
const MAX_ITEMS = 50;
const DEEPEST_CAUSE = 4;

/**
 * A value as it may stand in a log line: plain scalars, short lists of them, and errors as name, code and message.
 * Objects are never walked: libraries hang requests, bodies and tokens on their errors and answers.
 */
export function loggable(value: unknown): unknown {
  if (typeof value === 'string') return shortened(value);
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (Array.isArray(value)) return value.slice(0, MAX_ITEMS).map(loggable);
  if (value instanceof Error) return describedError(value, DEEPEST_CAUSE);
  if (value instanceof URL) return shortened(value.origin + value.pathname);
  return '[redacted]';
}

function describedError(error: Error, depth: number): Record<string, unknown> {
  const described: Record<string, unknown> = { name: error.name, message: shortened(error.message) };
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' || typeof code === 'number') described['code'] = code;
  if (error.stack !== undefined) described['at'] = framesOf(error.stack);
  if (error.cause instanceof Error && depth > 1) described['cause'] = describedError(error.cause, depth - 1);
  return described;
}

/** Where it happened, without the stack's first lines: those repeat the message. */
function framesOf(stack: string): string[] {
  return stack
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith('at ') && !line.includes('node:internal'))
    .slice(0, 8)
    .map((line) => line.slice(3));
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}

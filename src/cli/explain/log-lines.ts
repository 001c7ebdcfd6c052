import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/** One of Gatehouse's own log lines, wherever a collector has put it. */
export interface FoundLine {
  file: string;
  /** From 1. */
  line: number;
  /** The JSON object as it was written. */
  text: string;
  fields: Readonly<Record<string, unknown>>;
}

export const STDIN = '-';

/** Where pino begins; collectors write a time, a host or a stream before it. */
const BEGINNING = '{"level":"';

/**
 * The log lines in files, or on stdin. What is no line of ours is left out: other programs may write to the same file.
 *
 * @throws {NodeJS.ErrnoException} when a file cannot be read
 */
export async function* logLines(files: readonly string[]): AsyncGenerator<FoundLine> {
  for (const file of files) {
    const input = file === STDIN ? process.stdin : createReadStream(file);
    let line = 0;
    for await (const written of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      line += 1;
      const found = logLineIn(written);
      if (found !== undefined) yield { file, line, ...found };
    }
  }
}

/** Plain, behind a prefix, or as the text of a member: `log` of a container's log file, `MESSAGE` of journald's JSON. */
export function logLineIn(written: string): Pick<FoundLine, 'text' | 'fields'> | undefined {
  const at = written.indexOf(BEGINNING);
  const own = at < 0 ? undefined : asLogLine(written.slice(at).trimEnd());
  if (own !== undefined) return own;
  const { log, MESSAGE: message } = parsed(written) ?? {};
  const inner = typeof log === 'string' ? log : message;
  return typeof inner === 'string' ? asLogLine(inner.trimEnd()) : undefined;
}

function asLogLine(text: string): Pick<FoundLine, 'text' | 'fields'> | undefined {
  const fields = parsed(text);
  return typeof fields?.['event'] === 'string' ? { text, fields } : undefined;
}

function parsed(text: string): Record<string, unknown> | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

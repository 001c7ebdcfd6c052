import { createInterface } from 'node:readline';

export interface TypedLines {
  /** The last line that was typed and is not taken yet. */
  take(): string | undefined;
  close(): void;
}

/** Reads what the person types while something else goes on; only the last line counts, of those that are no key. */
export function openTypedLines(
  input: NodeJS.ReadableStream,
  isKey: (line: string) => boolean = () => false,
): TypedLines {
  let last: string | undefined;
  const lines = createInterface({ input, terminal: false });
  lines.on('line', (line) => {
    if (!isKey(line.trim())) last = line.trim();
  });
  return {
    take() {
      const taken = last;
      last = undefined;
      return taken;
    },
    close() {
      lines.close();
      // An open standard input would keep the process alive.
      input.pause();
    },
  };
}

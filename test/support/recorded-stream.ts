import type { TerminalStream } from '../../src/cli/terminal/terminal.ts';

/** A stream that keeps what was written to it. */
export function recordedStream(
  kind: { isTTY?: boolean; columns?: number; rows?: number } = {},
): TerminalStream & { text: string } {
  return {
    ...kind,
    text: '',
    write(text) {
      this.text += text;
    },
  };
}

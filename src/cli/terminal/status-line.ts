import type { Terminal } from './terminal.ts';

export interface StatusLine {
  /** Says what is going on now, in place of what was said before. */
  show(text: string): void;
  /** Takes the line away; what is printed next begins at its place. */
  stop(): void;
}

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const frameMs = 100;
const toLineStart = '\r\u001b[K';

/** A line that turns while something is awaited. A plain terminal gets one line for each new text, and no motion. */
export function openStatusLine(terminal: Terminal): StatusLine {
  return terminal.isRich ? turningLine(terminal) : printedLines(terminal);
}

function turningLine(terminal: Terminal): StatusLine {
  let text = '';
  let frame = 0;
  let timer: NodeJS.Timeout | undefined;
  const draw = (): void => {
    // A line as wide as the terminal would wrap, and the next frame would begin below it.
    const room = Math.max(0, terminal.columns() - 3);
    const shown = text.length > room ? `${text.slice(0, Math.max(0, room - 1))}…` : text;
    terminal.write(`${toLineStart}${frames[frame++ % frames.length]} ${shown}`);
  };
  return {
    show(next) {
      text = next;
      draw();
      timer ??= setInterval(draw, frameMs);
    },
    stop() {
      if (timer === undefined) return;
      clearInterval(timer);
      timer = undefined;
      terminal.write(toLineStart);
    },
  };
}

function printedLines(terminal: Terminal): StatusLine {
  let last = '';
  return {
    show(text) {
      if (text !== last) terminal.line(text);
      last = text;
    },
    stop: () => undefined,
  };
}

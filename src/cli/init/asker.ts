import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { AnswerInput } from '../admin/ask.ts';
import { printableLines } from '../terminal/printable.ts';

export interface Question {
  words: string;
  /** What an empty answer means. */
  fallback?: string;
  /** What is wrong with an answer; it is asked again then. */
  judge?: (answer: string) => string | undefined | Promise<string | undefined>;
  /** What is typed is not shown. */
  isSecret?: boolean;
}

/** Asks a person, one question after the other. */
export interface Asker {
  /** @throws {StoppedError} */
  ask(question: Question): Promise<string>;
  say(text: string): void;
  close(): void;
}

/** Whoever was asked is gone: the input ended, or Ctrl-C. */
export class StoppedError extends Error {
  override readonly name = 'StoppedError';
  readonly isInterrupted: boolean;

  constructor(isInterrupted: boolean) {
    super('stopped');
    this.isInterrupted = isInterrupted;
  }
}

/** On stderr, so that stdout stays the answer's. Lines that come before they are asked for are kept. */
export function openAsker(input: AnswerInput, screen: Pick<NodeJS.WriteStream, 'write'> = process.stderr): Asker {
  // Nothing is shown but while it is asked for: a secret may be typed ahead, or pasted with what stands before it.
  let isMuted = true;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (!isMuted) screen.write(chunk);
      done();
    },
  });
  const lines: string[] = [];
  let isOver = false;
  let isInterrupted = false;
  let wake = (): void => {};
  const reader = createInterface({ input, output, terminal: input.isTTY === true, prompt: '' });
  reader.on('line', (line) => {
    isMuted = true;
    lines.push(line.trim());
    wake();
  });
  reader.on('SIGINT', () => {
    isInterrupted = true;
    reader.close();
  });
  reader.on('close', () => {
    isOver = true;
    wake();
  });

  async function typed(): Promise<string> {
    for (;;) {
      const line = lines.shift();
      if (line !== undefined) return line;
      if (isOver) throw new StoppedError(isInterrupted);
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }

  return {
    async ask({ words, fallback, judge = () => undefined, isSecret = false }) {
      for (;;) {
        screen.write(printableLines(`${words}${fallback === undefined ? '' : ` [${fallback}]`}: `));
        const ahead = lines[0];
        if (ahead !== undefined && !isSecret) screen.write(`${ahead}\n`);
        isMuted = isSecret || ahead !== undefined;
        const answer = (await typed()) || (fallback ?? '');
        isMuted = true;
        if (isSecret) screen.write('\n');
        const problem = await judge(answer);
        if (problem === undefined) return answer;
        screen.write(printableLines(`${problem}\n`));
      }
    },
    say: (text) => void screen.write(printableLines(`${text}\n`)),
    close: () => reader.close(),
  };
}

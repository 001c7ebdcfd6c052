import { createInterface } from 'node:readline/promises';
import { UsageError } from '../read-arguments.ts';

/** Where an answer is typed. */
export interface AnswerInput extends NodeJS.ReadableStream {
  isTTY?: boolean;
}

/** @throws {UsageError} where nobody is there to be asked and nobody has said yes */
export function requireAnswerable(input: AnswerInput, isSaidYes: boolean): void {
  if (isSaidYes || input.isTTY === true) return;
  throw new UsageError('nobody is at a terminal to be asked: say --yes, or --dry-run to count only');
}

/** Asks on stderr, so that stdout stays the answer's. Only a yes is a yes. */
export async function askYes(input: AnswerInput, question: string): Promise<boolean> {
  const lines = createInterface({ input, output: process.stderr, terminal: false });
  // The end of the input is a no.
  const closed = new Promise<string>((resolve) => lines.once('close', () => resolve('')));
  const answer = await Promise.race([lines.question(`${question} [y/N] `), closed]);
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}

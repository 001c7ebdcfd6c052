import { printableLines } from './terminal/printable.ts';

/** One layout for whatever goes wrong in a command: which one, and what to do next. On stderr; stdout is for the answer. */
export function complain(command: string, problem: string): void {
  process.stderr.write(complaint(command, problem));
}

export function complaint(command: string, problem: string): string {
  return `${nameOf(command)}: ${printableLines(problem)}\n`;
}

/** The same for arguments that cannot be meant. */
export function usageComplaint(command: string, problem: string): string {
  return complaint(command, `${problem}\n${nameOf(command)} --help says what is possible.`);
}

function nameOf(command: string): string {
  return command === '' ? 'gatehouse' : `gatehouse ${command}`;
}

import type { Mark } from '../../grants/revocation-marks.ts';
import { complain } from '../complain.ts';
import { EXIT } from '../exit-codes.ts';
import { printable } from '../terminal/printable.ts';
import { type EndOrder, namesIn } from './end-order.ts';
import { unknownName } from './name-of-sessions.ts';
import { sessionCount, WHAT_STAYS } from './session-words.ts';

export function sayCount(order: EndOrder, alive: number, isKnown: boolean, json: boolean): number {
  if (!isKnown) return sayUnknown({ ...order, marks: [] }, json);
  if (json) process.stdout.write(`${JSON.stringify({ ...forPrograms(order), would_end: alive })}\n`);
  else process.stdout.write(`That would end ${sessionCount(alive)}${aboutWhat(order)}. Nothing was changed.\n`);
  return EXIT.done;
}

export function sayUnknown(order: EndOrder, json: boolean): number {
  if (json) process.stdout.write(`${JSON.stringify({ ...forPrograms(order), ended: 0, known: false })}\n`);
  complain('end', unknownName(order.filter));
  if (order.marks.length > 0) {
    process.stderr.write(
      'No session was ended. If something was approved under exactly that name and not redeemed yet, it does not count any more.\n',
    );
  }
  return EXIT.failed;
}

export function sayEnded(order: EndOrder, ended: number, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify({ ...forPrograms(order), ended })}\n`);
    return;
  }
  for (const mark of order.marks) process.stdout.write(inForce(order, mark));
  process.stdout.write(`That ended ${sessionCount(ended)}.\n${WHAT_STAYS}\n`);
}

/** On stderr in any case: nothing is finished that a program could read the outcome of. */
export function sayInterrupted(order: EndOrder, marks: readonly Mark[]): void {
  for (const mark of order.marks) {
    const maybe = `Perhaps in force, perhaps not: the end of what was signed in before ${beforeOf(order)}${aboutMark(mark)}.\n`;
    process.stderr.write(marks.includes(mark) ? inForce(order, mark) : maybe);
  }
  process.stderr.write('Not every session was ended one by one. Run the same command again: it does what is left.\n');
}

function inForce(order: EndOrder, mark: Mark): string {
  const what = `what was signed in before ${beforeOf(order)}${aboutMark(mark)}`;
  return `In force on every replica now: ${what} does not count any more.\n`;
}

function beforeOf({ beforeMs }: EndOrder): string {
  return new Date(beforeMs).toISOString();
}

function forPrograms({ filter, marks, beforeMs }: EndOrder): Record<string, unknown> {
  const { account, session, device } = filter;
  const before = new Date(beforeMs).toISOString();
  if (account === undefined) return { ...marks[0], session, device, before };
  return { account, people: marks.map(namesIn), before };
}

export function aboutWhat({ filter, marks }: EndOrder): string {
  const { session, device } = filter;
  if (session !== undefined) return ` ${printable(session)}`;
  if (device !== undefined) return ` called ${JSON.stringify(printable(device))}`;
  return marks.map(aboutMark).join(' and');
}

function aboutMark(mark: Mark): string {
  switch (mark.mark) {
    case 'client':
      return ` for the client ${printable(mark.clientId)}`;
    case 'upstream':
      return ` at the upstream ${printable(mark.upstream)}`;
    case 'subject':
      return ` as ${printable(mark.subject)} at the upstream ${printable(mark.upstream)}`;
    case 'source':
      return ` for devices at ${mark.prefix}`;
    default:
      return '';
  }
}

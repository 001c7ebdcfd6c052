import type { CommandTable } from './command-table.ts';

export const explainTable = {
  summary: 'tell from the log what a reference is about',
  usage: ['REFERENCE [--log FILE]...'],
  about: [
    'Tells what happened in a sign-in, from the log: what was asked, where it went, what came back, why it stopped and ' +
      'what to change. REFERENCE is what a page shows, the X-Request-Id of an answer, or the tag of a grant or session.',
  ],
  operand: { name: 'REFERENCE', isId: true },
  options: {
    log: {
      value: 'FILE',
      isRepeated: true,
      about: 'a log file, or several, the oldest first; without one, or for -, stdin is read',
    },
  },
  exits: [
    [0, 'told'],
    [1, 'the reference is not in the log, or a file cannot be read'],
  ],
} as const satisfies CommandTable;

import type { CommandTable } from '../command-table.ts';

export const profilesTable = {
  summary: 'list the kept sign-ins',
  usage: ['[--json]'],
  about: ['Lists the names of kept sign-ins, where they are, who signed in and until when; no secrets.'],
  options: { json: { about: 'for programs' } },
  exits: [
    [0, 'listed'],
    [1, 'a file of theirs cannot be trusted; the others are listed'],
  ],
} as const satisfies CommandTable;

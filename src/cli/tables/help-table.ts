import type { CommandTable } from './command-table.ts';

export const helpTable = {
  summary: 'say more about a command',
  usage: ['[COMMAND]'],
  about: ['Says what a command does and takes; so does --help behind it.'],
  operand: { name: 'COMMAND' },
  options: {},
  exits: [[0, 'said']],
} as const satisfies CommandTable;

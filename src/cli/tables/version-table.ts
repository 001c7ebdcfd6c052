import type { CommandTable } from './command-table.ts';

export const versionTable = {
  summary: 'say which Gatehouse this is',
  usage: [''],
  about: ['Prints the version of this Gatehouse; so does gatehouse --version.'],
  options: {},
  exits: [[0, 'said']],
} as const satisfies CommandTable;

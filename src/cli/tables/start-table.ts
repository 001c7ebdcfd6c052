import { READY_LINES } from '../start/ready-line.ts';
import type { CommandTable } from './command-table.ts';
import { configRow } from './shared-rows.ts';

export const startTable = {
  summary: 'run the broker',
  usage: ['[--config FILE] [--ready-line FORM]'],
  about: [
    'Runs the broker. SIGTERM ends it after the time that "drain" says, SIGHUP reads the configuration again; with "workers", each is replaced then.',
  ],
  options: {
    config: configRow,
    'ready-line': {
      value: 'FORM',
      choices: READY_LINES,
      about: 'of the line on stdout that says when it is ready: text (default), json, or none',
    },
  },
  exits: [
    [0, 'stopped as asked'],
    [1, 'it could not listen'],
    [70, 'a fault of its own'],
    [78, 'problems in the configuration, or a Node that failed the self-test'],
  ],
} as const satisfies CommandTable;

import type { CommandTable } from './command-table.ts';
import { configRow } from './shared-rows.ts';

export const checkTable = {
  summary: 'read the configuration and report every problem',
  usage: ['[--config FILE] [--probe] [--json]'],
  about: [
    'Reads the configuration and reports every problem as file:line:col key: what was found, what is expected. The last ' +
      'line is the verdict, such as "3 wrong, 1 to look at".',
    "It also has this Node do what a start would have it do first: seal, sign, and know a page's cookie again.",
  ],
  options: {
    config: configRow,
    probe: { about: 'also asks Redis and each upstream, and counts what names an old or a missing sealing key' },
    json: { about: 'one line of JSON for each finding' },
  },
  exits: [
    [0, 'good'],
    [69, 'something that was asked is away or wrong'],
    [78, 'problems in the configuration, or a Node that failed'],
  ],
} as const satisfies CommandTable;

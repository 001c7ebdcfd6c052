import type { CommandTable } from './command-table.ts';
import { sessionFilterRows } from './shared-rows.ts';

export const sessionsTable = {
  summary: 'list and end device sessions',
  usage: ['list [OPTIONS]', 'show ID', 'end OPTIONS [--dry-run | --yes]'],
  about: ['Lists device sessions, shows one, or ends some. Several options mean all of them at once.'],
  verbs: {
    list: { about: 'a table of them' },
    show: { about: 'everything of one' },
    end: { about: 'end those that the options name' },
  },
  operand: { name: 'ID', isId: true },
  options: {
    ...sessionFilterRows,
    active: { about: 'list only those that go on', of: ['list'] },
    'dry-run': { about: 'count what would end, and change nothing', of: ['end'] },
    yes: { about: 'do not ask; needed where there is no terminal', of: ['end'] },
  },
  notes: [
    '--before is about when a session began. What was approved and is not redeemed yet is no session: gatehouse end ends ' +
      'that too.',
  ],
  exits: [
    [0, 'done'],
    [1, 'there is no such session, or the answer was no'],
    [69, 'Redis does not answer'],
    [78, 'no Redis in the configuration'],
  ],
} as const satisfies CommandTable;

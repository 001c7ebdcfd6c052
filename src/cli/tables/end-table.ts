import type { CommandTable } from './command-table.ts';
import { sessionFilterRows } from './shared-rows.ts';

export const endTable = {
  summary: 'end everything of a client, an upstream, a person or a network',
  usage: ['OPTION [--dry-run | --yes]'],
  about: [
    'The kill switch: from now on nothing counts that was signed in before a moment. It holds at once on every replica, ' +
      'for device sessions and for what was approved and is not redeemed yet. It cannot be undone; people sign in again.',
    'One of --client, --upstream, --subject, --account, --source or --all; --session and --device end these sessions alone.',
  ],
  options: {
    ...sessionFilterRows,
    'dry-run': { about: 'count, and change nothing' },
    yes: { about: 'do not ask; needed where there is no terminal' },
  },
  notes: ['--source takes 192.0.2.7, 192.0.2.0/24, or a /64 or /48 of IPv6.'],
  exits: [
    [0, 'done'],
    [1, 'nothing is known by that name, or the answer was no'],
    [69, 'Redis does not answer'],
    [78, 'no Redis in the configuration'],
  ],
} as const satisfies CommandTable;

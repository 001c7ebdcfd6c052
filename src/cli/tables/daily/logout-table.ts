import type { CommandTable } from '../command-table.ts';
import { profileRows } from './profile-rows.ts';

export const logoutTable = {
  summary: 'end a kept sign-in, at the server and here',
  usage: ['[--profile NAME] [--forget]', '--all [--forget]'],
  about: [
    'Revokes the tokens at the server (RFC 7009) and forgets them. Where the server cannot be told, they are forgotten all the ' +
      'same, and it is said. Issuer and client stay, for the next gatehouse login.',
  ],
  options: {
    ...profileRows,
    all: { about: 'every kept sign-in' },
    forget: { about: 'issuer and client too: nothing is left' },
  },
  exits: [
    [0, 'ended'],
    [1, 'error'],
    [69, 'forgotten here, and the server was not told'],
  ],
} as const satisfies CommandTable;

import type { CommandTable } from '../command-table.ts';
import { profileRows } from './profile-rows.ts';

export const runTable = {
  summary: 'run a command with a token, and a fresh one whenever it asks',
  usage: ['[--profile NAME] [OPTIONS] -- COMMAND [ARGUMENT]...'],
  about: [
    'Runs a command with a token in its environment, and with a local socket that always answers a fresh one, for jobs that ' +
      'outlive a token:',
    '  curl --unix-socket "$GATEHOUSE_TOKEN_SOCKET" http://localhost/',
  ],
  operand: { name: 'COMMAND' },
  options: {
    ...profileRows,
    scope: { value: 'SCOPE', isRepeated: true, about: 'fewer scopes than the sign-in got; may be repeated' },
    resource: { value: 'URI', isRepeated: true, about: 'what the token is for (RFC 8707); may be repeated' },
    'min-valid': { value: 'TIME', about: 'how long a token must still be good: 90s, 10m; default: 60s' },
    'id-token': { about: 'the ID token in place of the access token' },
    'env-name': { value: 'NAME', about: 'the variable with the token; default: GATEHOUSE_TOKEN' },
  },
  notes: [
    'Signals go on to the command, and its exit code is the exit code. The socket is a file in a folder that only you can enter; ' +
      'on Windows it is a named pipe.',
  ],
  exits: [
    [4, 'a person must sign in: stderr has the command'],
    [69, 'the server is away or busy'],
    [126, 'the command cannot be run'],
    [127, 'there is no such command'],
  ],
} as const satisfies CommandTable;

import type { CommandTable } from '../command-table.ts';
import { profileRows } from './profile-rows.ts';

export const HELPED = ['kubectl', 'git', 'docker'] as const;

export const helperTable = {
  summary: 'let kubectl, git or docker ask gatehouse for tokens',
  usage: [
    'install kubectl --profile NAME [--id-token] [--yes]',
    'install git|docker --profile NAME --for HOST [--yes]',
    'remove kubectl|git|docker --profile NAME [--for HOST] [--yes]',
  ],
  about: [
    'Writes into the configuration of the tool that it is to ask gatehouse token; shows what it will write first, and asks. ' +
      'What was there stays, and remove leaves the file as it was.',
  ],
  verbs: {
    install: { about: 'write it', next: HELPED },
    remove: { about: 'take it out again', next: HELPED },
  },
  operand: { name: 'TOOL', choices: HELPED },
  options: {
    profile: profileRows.profile,
    for: { value: 'HOST', about: 'git, docker: the server that gets the token, with its port where it has one' },
    username: { value: 'NAME', about: 'git, docker: what stands before the token; default: oauth2', of: ['install'] },
    'id-token': { about: 'kubectl: the ID token, which most clusters want', of: ['install'] },
    bin: { value: 'FOLDER', about: 'docker: where its helper goes, a folder of $PATH; default: ~/.local/bin' },
    yes: { about: 'do not ask; needed where there is no terminal' },
  },
  exits: [
    [0, 'done, or nothing to do'],
    [1, 'nothing was changed'],
  ],
} as const satisfies CommandTable;

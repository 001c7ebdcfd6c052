import type { CommandTable } from './command-table.ts';

export const auditTable = {
  summary: 'check the chain of the log',
  usage: ['verify [--whole] [FILE]...'],
  about: [
    'Checks the chain that "audit.chain: true" puts into the log: says where a line was changed or taken out, and how far ' +
      'each chain reaches. Each process has a chain of its own. Several files are read as one log, the oldest first; ' +
      'without a file, or for -, stdin is read.',
  ],
  verbs: { verify: { about: 'look for what was changed or taken out' } },
  operand: { name: 'FILE', isFile: true },
  options: {
    whole: { about: 'every chain must begin and end in these files, and none of its lines may be missing' },
  },
  notes: [
    'What a chain cannot know: whether lines after its last one were cut off, or all of it was written anew. Each delivery ' +
      'to audit.webhook carries the "chain" that the log had come to: look for its hash in the file.',
  ],
  exits: [
    [0, 'nothing wrong was found'],
    [1, 'it was changed, or has no chain, or a file cannot be read'],
  ],
} as const satisfies CommandTable;

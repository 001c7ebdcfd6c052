import type { CommandTable } from './command-table.ts';
import { configRow } from './shared-rows.ts';

const KINDS = ['signing', 'sealing'] as const;

export const keysTable = {
  summary: 'make, rotate and drop signing and sealing keys',
  usage: [
    'generate signing --out FILE',
    'generate sealing --out FILE',
    'rotate signing [--config FILE | --file FILE]',
    'rotate sealing --out FILE',
    'drop KID [--config FILE | --file FILE]',
  ],
  about: [
    '"generate signing" writes a first set of signing keys (RS256 and ES256), "generate sealing" a sealing key.',
    '"rotate signing" appends the next keys to those of the configuration; run again 10 minutes later or more, it lets ' +
      'them sign. "rotate sealing" writes the next sealing key, and says how to bring it in.',
  ],
  verbs: {
    generate: { about: 'make the first keys', next: KINDS },
    rotate: { about: 'make the next ones', next: KINDS },
    drop: { about: 'remove a signing key at once, by its kid' },
  },
  options: {
    out: { value: 'FILE', about: 'where a new file goes; one that is there is left alone', of: ['generate', 'rotate'] },
    file: { value: 'FILE', about: 'the signing keys themselves, without looking at a configuration' },
    config: configRow,
  },
  exits: [
    [0, 'done'],
    [1, 'nothing was changed'],
  ],
} as const satisfies CommandTable;

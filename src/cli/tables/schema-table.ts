import type { CommandTable } from './command-table.ts';

export const schemaTable = {
  summary: 'print the JSON Schema of the configuration, for editors',
  usage: ['> gatehouse.schema.json'],
  about: [
    'Prints the JSON Schema of the configuration. For the YAML language server, begin the file with',
    '  # yaml-language-server: $schema=gatehouse.schema.json',
  ],
  options: {},
  exits: [[0, 'printed']],
} as const satisfies CommandTable;

import { EXIT } from './exit-codes.ts';
import { readArguments } from './read-arguments.ts';
import { schemaTable } from './tables/schema-table.ts';

export async function run(argv: string[]): Promise<number> {
  readArguments(schemaTable, argv);
  const { configJsonSchema } = await import('../config/schema/json-schema.ts');
  process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
  return EXIT.done;
}

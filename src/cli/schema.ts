import { configJsonSchema } from '../config/schema/json-schema.ts';
import { EXIT } from './exit-codes.ts';
import { readArguments } from './read-arguments.ts';
import { schemaTable } from './tables/schema-table.ts';
import { VERSION } from './version.ts';

/** Editors cache a schema by this name: each release has its own. */
const SCHEMA_ID = `https://github.com/gatehouse-broker/gatehouse/releases/download/v${VERSION}/gatehouse.schema.json`;

export async function run(argv: string[]): Promise<number> {
  readArguments(schemaTable, argv);
  process.stdout.write(schemaText());
  return EXIT.done;
}

export function schemaText(): string {
  const { $schema, ...rest } = configJsonSchema();
  return `${JSON.stringify({ $schema, $id: SCHEMA_ID, ...rest }, undefined, 2)}\n`;
}

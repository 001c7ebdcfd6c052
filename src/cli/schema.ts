import { EXIT } from './exit-codes.ts';
import { readArguments } from './read-arguments.ts';

const USAGE = `Usage: gatehouse schema > gatehouse.schema.json

Prints the JSON Schema of the configuration. For the YAML language server, begin the file with
  # yaml-language-server: $schema=gatehouse.schema.json
`;

export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments({ args: argv, options: { help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  const { configJsonSchema } = await import('../config/schema/json-schema.ts');
  process.stdout.write(`${JSON.stringify(configJsonSchema(), undefined, 2)}\n`);
  return EXIT.done;
}

/** `gatehouse completion`: what shells are told, out of the tables of all commands. One file a shell. */

import { EXIT } from '../exit-codes.ts';
import { hint, readArguments, UsageError } from '../read-arguments.ts';
import { commandTables } from '../run-command.ts';
import type { CommandTable } from '../tables/command-table.ts';
import { completionTable, SHELLS } from '../tables/completion-table.ts';
import { bashCompletion } from './bash.ts';
import { completionSpots } from './completion-spots.ts';
import { fishCompletion } from './fish.ts';
import { powershellCompletion } from './powershell.ts';
import { zshCompletion } from './zsh.ts';

type Shell = (typeof SHELLS)[number];

/** `gatehouse completion SHELL`; answers the exit code. */
export async function run(argv: string[]): Promise<number> {
  const { operands } = readArguments(completionTable, argv);
  const [asked = '', ...more] = operands;
  const shell = SHELLS.find((one) => one === asked);
  if (shell === undefined || more.length > 0) {
    throw new UsageError(`say one of ${SHELLS.join(', ')}${hint(asked, SHELLS)}`);
  }
  process.stdout.write(completionFor(shell, await commandTables()));
  return EXIT.done;
}

export function completionFor(shell: Shell, tables: ReadonlyMap<string, CommandTable>): string {
  const spots = completionSpots(tables);
  const commands = [...tables].map(([text, { summary }]) => ({ text, about: summary }));
  const names = [...tables.keys()];
  switch (shell) {
    case 'bash':
      return bashCompletion(names, spots);
    case 'zsh':
      return zshCompletion(commands, spots);
    case 'fish':
      return fishCompletion(commands, spots);
    case 'powershell':
      return powershellCompletion(names, spots);
  }
}

/**
 * One file or folder a command; this one finds it. Commands own the process: they read arguments, print, and end with a code of
 * `exit-codes.ts`. What each takes is in `tables/`.
 */

import { ConfigError } from '../config/config-error.ts';
import { complain, usageComplaint } from './complain.ts';
import { EXIT } from './exit-codes.ts';
import { hint, readArguments, tooMuch, UsageError } from './read-arguments.ts';
import type { CommandTable } from './tables/command-table.ts';
import { printable, printableLines } from './terminal/printable.ts';

interface Command {
  table: () => Promise<CommandTable>;
  load: () => Promise<{ run: (argv: string[]) => Promise<number> }>;
}

/** Each command is loaded when it is called: `gatehouse login` on a laptop has no use for a broker. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  init: {
    table: async () => (await import('./tables/init-table.ts')).initTable,
    load: () => import('./init/init.ts'),
  },
  start: {
    table: async () => (await import('./tables/start-table.ts')).startTable,
    load: () => import('./start/start.ts'),
  },
  check: {
    table: async () => (await import('./tables/check-table.ts')).checkTable,
    load: () => import('./check/check.ts'),
  },
  login: {
    table: async () => (await import('./tables/login-table.ts')).loginTable,
    load: () => import('./login/login.ts'),
  },
  token: {
    table: async () => (await import('./tables/daily/token-table.ts')).tokenTable,
    load: () => import('./token/token.ts'),
  },
  logout: {
    table: async () => (await import('./tables/daily/logout-table.ts')).logoutTable,
    load: () => import('./logout.ts'),
  },
  profiles: {
    table: async () => (await import('./tables/daily/profiles-table.ts')).profilesTable,
    load: () => import('./profiles/profiles.ts'),
  },
  helper: {
    table: async () => (await import('./tables/daily/helper-table.ts')).helperTable,
    load: () => import('./tools/change-tool.ts'),
  },
  run: {
    table: async () => (await import('./tables/daily/run-table.ts')).runTable,
    load: () => import('./run/run.ts'),
  },
  keys: { table: async () => (await import('./tables/keys-table.ts')).keysTable, load: () => import('./keys.ts') },
  sessions: {
    table: async () => (await import('./tables/sessions-table.ts')).sessionsTable,
    load: () => import('./admin/sessions.ts'),
  },
  end: { table: async () => (await import('./tables/end-table.ts')).endTable, load: () => import('./admin/end.ts') },
  explain: {
    table: async () => (await import('./tables/explain-table.ts')).explainTable,
    load: () => import('./explain/explain.ts'),
  },
  audit: { table: async () => (await import('./tables/audit-table.ts')).auditTable, load: () => import('./audit.ts') },
  conformance: {
    table: async () => (await import('./tables/conformance-table.ts')).conformanceTable,
    load: () => import('./conformance/conformance.ts'),
  },
  schema: {
    table: async () => (await import('./tables/schema-table.ts')).schemaTable,
    load: () => import('./schema.ts'),
  },
  completion: {
    table: async () => (await import('./tables/completion-table.ts')).completionTable,
    load: () => import('./completion/completion.ts'),
  },
  version: {
    table: async () => (await import('./tables/version-table.ts')).versionTable,
    load: () => import('./version.ts'),
  },
  help: { table: async () => (await import('./tables/help-table.ts')).helpTable, load: async () => ({ run: help }) },
};

/** What people type who look for help or for the version before they know a command. */
const ALSO: Readonly<Record<string, string>> = {
  '--help': 'help',
  '-h': 'help',
  '--version': 'version',
  '-V': 'version',
};

/** Runs one command; answers the exit code. */
export async function runCommand([typed = '', ...argv]: readonly string[]): Promise<number> {
  const name = Object.hasOwn(ALSO, typed) ? (ALSO[typed] ?? typed) : typed;
  const command = commandNamed(name);
  if (command === undefined) {
    process.stderr.write(usageComplaint('', name === '' ? 'a command is missing' : noCommand(name)));
    return EXIT.usage;
  }
  try {
    if (asksForHelp(argv)) return await help([name]);
    const { run } = await command.load();
    return await run(argv);
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(usageComplaint(name, error.message));
      return EXIT.usage;
    }
    if (error instanceof ConfigError) {
      process.stderr.write(`${printableLines(error.message)}\n`);
      return EXIT.config;
    }
    // A file or an address that the system refuses is the caller's to change; all else is ours.
    const { code, message, stack } = error as NodeJS.ErrnoException;
    const isOfSystem = typeof code === 'string' && /^E[A-Z]+$/.test(code);
    complain(name, isOfSystem ? message : `this is a fault of Gatehouse, please report it: ${stack ?? String(error)}`);
    return isOfSystem ? EXIT.failed : EXIT.fault;
  }
}

/** Also where the rest of the line is wrong: that is when help is looked for. */
function asksForHelp(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end < 0 ? argv.length : end).some((word) => word === '--help' || word === '-h');
}

/** `gatehouse help COMMAND` is `gatehouse COMMAND --help`. */
async function help(argv: string[]): Promise<number> {
  const { helpTable } = await import('./tables/help-table.ts');
  const [name, ...more] = readArguments(helpTable, argv).operands;
  if (more.length > 0) throw new UsageError(tooMuch(more[0]));
  const { helpText, overviewText } = await import('./tables/help-text.ts');
  if (name === undefined || name === 'help') {
    process.stdout.write(overviewText(await commandTables()));
    return EXIT.done;
  }
  const command = commandNamed(name);
  if (command === undefined) throw new UsageError(noCommand(name));
  process.stdout.write(helpText(name, await command.table()));
  return EXIT.done;
}

/** Of every command, in the order of the overview. */
export async function commandTables(): Promise<ReadonlyMap<string, CommandTable>> {
  const tables = Object.entries(COMMANDS).map(async ([name, { table }]) => [name, await table()] as const);
  return new Map(await Promise.all(tables));
}

function commandNamed(name: string): Command | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

function noCommand(name: string): string {
  return `there is no command ${JSON.stringify(printable(name))}${hint(name, Object.keys(COMMANDS))}`;
}

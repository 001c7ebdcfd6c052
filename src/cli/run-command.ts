/**
 * One file or folder a command; this one finds it. Commands own the process: they read arguments, print, and end with a code of
 * `exit-codes.ts`.
 */

import { ConfigError } from '../config/config-error.ts';
import { complainOfUsage } from './complain.ts';
import { EXIT } from './exit-codes.ts';
import { hint, UsageError } from './read-arguments.ts';
import { printable } from './terminal/printable.ts';

interface Command {
  summary: string;
  load: () => Promise<{ run: (argv: string[]) => Promise<number> }>;
}

/** Each command is loaded when it is called: `gatehouse login` on a laptop has no use for a broker. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  start: { summary: 'run the broker', load: () => import('./start/start.ts') },
  check: { summary: 'read the configuration and report every problem', load: () => import('./check/check.ts') },
  login: {
    summary: 'sign in from this terminal, at any server with the device flow',
    load: () => import('./login/login.ts'),
  },
  keys: { summary: 'make, rotate and drop signing and sealing keys', load: () => import('./keys.ts') },
  sessions: { summary: 'list and end device sessions', load: () => import('./admin/sessions.ts') },
  end: {
    summary: 'end everything of a client, an upstream, a person or a network',
    load: () => import('./admin/end.ts'),
  },
  explain: { summary: 'tell from the log what a reference is about', load: () => import('./explain/explain.ts') },
  audit: { summary: 'check the chain of the log', load: () => import('./audit.ts') },
  schema: { summary: 'print the JSON Schema of the configuration, for editors', load: () => import('./schema.ts') },
  version: { summary: 'say which Gatehouse this is', load: () => import('./version.ts') },
  help: { summary: 'say more about a command', load: async () => ({ run: help }) },
};

const USAGE = `Usage: gatehouse COMMAND [OPTIONS]

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

gatehouse help COMMAND says more about one of them, gatehouse --version which Gatehouse this is.
`;

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
    complainOfUsage('', name === '' ? 'a command is missing' : noCommand(name));
    return EXIT.usage;
  }
  try {
    const { run } = await command.load();
    return await run(argv);
  } catch (error) {
    if (error instanceof UsageError) {
      complainOfUsage(name, error.message);
      return EXIT.usage;
    }
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.config;
    }
    throw error;
  }
}

/** `gatehouse help COMMAND` is `gatehouse COMMAND --help`. */
async function help(argv: string[]): Promise<number> {
  const [name, ...more] = argv.filter((word) => word !== '--help' && word !== '-h');
  if (name === undefined || name === 'help') {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  if (more.length > 0) throw new UsageError(`${JSON.stringify(more[0])} is one word too many`);
  if (commandNamed(name) === undefined) throw new UsageError(noCommand(name));
  return runCommand([name, '--help']);
}

function commandNamed(name: string): Command | undefined {
  return Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
}

function noCommand(name: string): string {
  return `there is no command ${JSON.stringify(printable(name))}${hint(name, Object.keys(COMMANDS))}`;
}

/**
 * One file or folder a command; this one finds it. Commands own the process: they read arguments, print, and end with a code of
 * `exit-codes.ts`.
 */

import { ConfigError } from '../config/config-error.ts';
import { EXIT } from './exit-codes.ts';

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
};

const USAGE = `Usage: gatehouse COMMAND [OPTIONS]

${Object.entries(COMMANDS)
  .map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`)
  .join('\n')}

gatehouse COMMAND --help says more about one of them.
`;

/** Runs one command; answers the exit code. */
export async function runCommand([name = '', ...argv]: readonly string[]): Promise<number> {
  if (['help', '--help', '-h'].includes(name)) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    const complaint = name === '' ? 'a command is missing' : `${JSON.stringify(name)} is no command`;
    process.stderr.write(`gatehouse: ${complaint}\n\n${USAGE}`);
    return EXIT.usage;
  }
  try {
    const { run } = await command.load();
    return await run(argv);
  } catch (error) {
    if (isUsageError(error)) {
      process.stderr.write(`gatehouse ${name}: ${error.message}\ngatehouse ${name} --help says what is possible.\n`);
      return EXIT.usage;
    }
    if (error instanceof ConfigError) {
      process.stderr.write(`${error.message}\n`);
      return EXIT.config;
    }
    throw error;
  }
}

/** What `parseArgs` throws for an unknown option, a missing value or a stray word. */
function isUsageError(error: unknown): error is Error {
  const { code } = error as { code?: unknown };
  return error instanceof TypeError && typeof code === 'string' && code.startsWith('ERR_PARSE_ARGS_');
}

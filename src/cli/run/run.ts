import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { processEnvironment } from '../../config/environment.ts';
import { complain } from '../complain.ts';
import { readArguments, UsageError } from '../read-arguments.ts';
import { runTable } from '../tables/daily/run-table.ts';
import { obtainToken, type TokenOrder } from '../token/obtain-token.ts';
import { revealed, timeOf } from '../token/token-format.ts';
import { minValidMs, readEnvName, wordsOf } from '../token/token-options.ts';
import { openTokenSocket } from './token-socket.ts';

const CANNOT_RUN = 126;
const NO_COMMAND = 127;
const SIGNALLED = 128;
/** Those that ask a program for something; the others are for this process alone. */
const FORWARDED: readonly NodeJS.Signals[] = [
  'SIGINT',
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGUSR1',
  'SIGUSR2',
  'SIGCONT',
];
/** A terminal sends these to all that runs in it. */
const OF_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT'];

/** `gatehouse run … -- COMMAND`; answers the command's exit code. */
export async function run(argv: readonly string[]): Promise<number> {
  const { values, operands } = readArguments(runTable, argv);
  const [command, ...args] = operands;
  if (command === undefined) throw new UsageError('say which command, behind --');
  const isIdToken = values['id-token'] === true;
  const envName = readEnvName(values['env-name']);
  const order: TokenOrder = {
    command: 'run',
    asked: values,
    more: { scopes: wordsOf(values.scope), resources: values.resource },
    need: { minValidMs: minValidMs(values['min-valid']), wantsIdToken: isIdToken },
    mayLogIn: true,
  };
  const first = await obtainToken(order);
  if (first.outcome === 'none') return first.exitCode;
  // What is chosen by folder or environment may be chosen otherwise later: the command keeps its profile.
  // The command has the terminal from now on: nobody is asked on it.
  const socket = await openTokenSocket(async () => {
    const found = await obtainToken({ ...order, asked: { profile: first.profile.name }, mayLogIn: false });
    if (found.outcome === 'none') return undefined;
    const { secret, endMs } = revealed({ token: found.token, isIdToken });
    return { token: secret, expiresAt: timeOf(endMs) };
  });
  try {
    const { secret } = revealed({ token: first.token, isIdToken });
    const inherited: NodeJS.ProcessEnv = { ...processEnvironment() };
    const { clientSecret } = first.profile;
    // The command is given a token, not the means to get others.
    if (clientSecret !== undefined && 'env' in clientSecret) delete inherited[clientSecret.env];
    const environment = { ...inherited, [envName]: secret, GATEHOUSE_TOKEN_SOCKET: socket.path };
    return await exitOf(spawn(command, args, { stdio: 'inherit', env: environment }), command);
  } finally {
    await socket.close();
  }
}

async function exitOf(child: ChildProcess, command: string): Promise<number> {
  const forward = (signal: NodeJS.Signals) => {
    if (process.stdin.isTTY !== true || !OF_TERMINAL.includes(signal)) child.kill(signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await new Promise((resolve) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        complain('run', error.code === 'ENOENT' ? `there is no command ${command}` : error.message);
        resolve(error.code === 'ENOENT' ? NO_COMMAND : CANNOT_RUN);
      });
      child.once('exit', (code, signal) => {
        resolve(code ?? SIGNALLED + (signal === null ? 0 : constants.signals[signal]));
      });
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

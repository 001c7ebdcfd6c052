import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Config } from '../../config/config.ts';
import { ConfigError, type Problem } from '../../config/config-error.ts';
import { processEnvironment } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import { LargeConfigError } from '../../config/yaml/config-source.ts';
import { type ConfigPiece, createConfigAssembly } from './config-pieces.ts';

export type FromReader = ConfigPiece | { problems: readonly Problem[] };

/** Characters that are read between two requests; another process would cost more time and memory than that. */
const SHORT = 32 * 1024;

/**
 * `loadConfig` for a process that answers requests meanwhile. Ten thousand clients take seconds to read: another process
 * does that, and what it read comes in pieces, with time for requests between them. It is a process and no thread, since
 * what goes wrong in it ends it alone.
 *
 * @throws {ConfigError}
 */
export async function loadConfigAside(file: string, longest = SHORT): Promise<Config> {
  const isTerminal = process.stdout.isTTY === true;
  try {
    return await loadConfig(file, processEnvironment(), isTerminal, longest);
  } catch (error) {
    if (!(error instanceof LargeConfigError)) throw error;
    return loadInProcess(file, isTerminal);
  }
}

function loadInProcess(file: string, isTerminal: boolean): Promise<Config> {
  // Its name ends as the name of this file does: in TypeScript or built.
  const program = new URL(`./config-reader${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url);
  const reader = fork(fileURLToPath(program), [file, isTerminal ? 'terminal' : ''], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const assemble = createConfigAssembly();
  return new Promise<Config>((resolve, reject) => {
    reader.on('message', (message: FromReader) => {
      if ('problems' in message) return reject(new ConfigError(message.problems));
      const config = assemble(message);
      if (config !== undefined) resolve(config);
      else setImmediate(() => reader.send('next'));
    });
    reader.on('error', reject);
    reader.on('exit', (code, signal) => reject(new Error(`the process that reads it ended (${signal ?? code})`)));
  }).finally(() => reader.kill());
}

import { SelfTestError } from '../../broker/self-test.ts';
import { ConfigError } from '../../config/config-error.ts';
import { configFile } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import { StorageRefusedError } from '../../storage/storage.ts';
import { EXIT } from '../exit-codes.ts';
import { readArguments } from '../read-arguments.ts';
import { startTable } from '../tables/start-table.ts';
import { READY_LINES } from './ready-line.ts';

/** `gatehouse start`. Answers when the process has stopped, with its exit code. */
export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments(startTable, argv);
  const form = READY_LINES.find((known) => known === values['ready-line']);
  try {
    const config = await loadConfig(configFile(values.config));
    if (config.workers === 1) return await (await import('./serve.ts')).serve(config, form);
    return await (await import('./workers/serve-by-workers.ts')).serveByWorkers(config, form);
  } catch (error) {
    const isRefused = [ConfigError, StorageRefusedError, SelfTestError].some((kind) => error instanceof kind);
    if (!(error instanceof Error && isRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.config;
  }
}

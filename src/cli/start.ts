import { parseArgs } from 'node:util';
import { ConfigError } from '../config/config-error.ts';
import { CONFIG_OPTION, configFile } from '../config/environment.ts';
import { loadConfig } from '../config/load-config.ts';
import { SelfTestError } from '../self-test.ts';
import { StorageRefusedError } from '../storage/storage.ts';
import { EXIT } from './exit-codes.ts';
import { serve } from './serve.ts';

const USAGE = `Usage: gatehouse start [--config FILE]

Runs the broker.
  --config FILE   ${CONFIG_OPTION}
SIGTERM ends it after the time that "drain" says, SIGHUP reads the configuration again.
Exit 0: stopped as asked. 1: it could not listen. 70: a fault of its own. 78: problems in the configuration,
or a Node that failed the self-test.
`;

/** `gatehouse start`. Answers when the process has stopped, with its exit code. */
export async function run(argv: string[]): Promise<number> {
  const { values } = parseArgs({
    args: argv,
    options: { config: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  try {
    return await serve(await loadConfig(configFile(values.config)));
  } catch (error) {
    const isRefused = [ConfigError, StorageRefusedError, SelfTestError].some((kind) => error instanceof kind);
    if (!(error instanceof Error && isRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.config;
  }
}

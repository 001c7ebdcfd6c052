import { SelfTestError } from '../../broker/self-test.ts';
import { ConfigError } from '../../config/config-error.ts';
import { CONFIG_OPTION, configFile } from '../../config/environment.ts';
import { loadConfig } from '../../config/load-config.ts';
import { StorageRefusedError } from '../../storage/storage.ts';
import { EXIT } from '../exit-codes.ts';
import { hint, readArguments, UsageError } from '../read-arguments.ts';
import { READY_LINES } from './ready-line.ts';
import { serve } from './serve.ts';

const USAGE = `Usage: gatehouse start [--config FILE] [--ready-line FORM]

Runs the broker.
  --config FILE      ${CONFIG_OPTION}
  --ready-line FORM  of the line on stdout that says when it is ready: text (default), json, or none
SIGTERM ends it after the time that "drain" says, SIGHUP reads the configuration again.
Exit 0: stopped as asked. 1: it could not listen. 70: a fault of its own. 78: problems in the configuration,
or a Node that failed the self-test.
`;

/** `gatehouse start`. Answers when the process has stopped, with its exit code. */
export async function run(argv: string[]): Promise<number> {
  const { values } = readArguments({
    args: argv,
    options: {
      config: { type: 'string' },
      'ready-line': { type: 'string', default: 'text' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return EXIT.done;
  }
  const form = READY_LINES.find((known) => known === values['ready-line']);
  if (form === undefined) {
    throw new UsageError(`--ready-line takes ${READY_LINES.join(', ')}${hint(values['ready-line'], READY_LINES)}`);
  }
  try {
    return await serve(await loadConfig(configFile(values.config)), form);
  } catch (error) {
    const isRefused = [ConfigError, StorageRefusedError, SelfTestError].some((kind) => error instanceof kind);
    if (!(error instanceof Error && isRefused)) throw error;
    process.stderr.write(`${error.message}\n`);
    return EXIT.config;
  }
}

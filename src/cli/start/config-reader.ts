/** The process of `load-config-aside.ts`: reads the configuration that it is told of, and hands it over in pieces. */
import { ConfigError } from '../../config/config-error.ts';
import { loadConfig } from '../../config/load-config.ts';
import { configPieces } from './config-pieces.ts';
import type { FromReader } from './load-config-aside.ts';

const [file = '', terminal] = process.argv.slice(2);
const say = (message: FromReader | undefined) => message !== undefined && process.send?.(message);

try {
  const pieces = configPieces(await loadConfig(file, undefined, terminal === 'terminal'));
  const next = () => say(pieces.next().value ?? undefined);
  process.on('message', next);
  next();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  say({ problems: error.problems });
}

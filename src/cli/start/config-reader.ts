/** The process of `load-config-aside.ts`: reads the configuration that it is told of, and hands it over in pieces. */
import { ConfigError } from '../../config/config-error.ts';
import { pack } from '../../config/config-parcel.ts';
import { loadConfig } from '../../config/load-config.ts';
import type { FromReader } from './load-config-aside.ts';

/** Clients in one piece: a few milliseconds for the process that takes it. */
const PIECE = 100;

const [file = '', terminal] = process.argv.slice(2);
const say = (message: FromReader) => process.send?.(message);

try {
  const { clients, ...others } = await loadConfig(file, undefined, terminal === 'terminal');
  let next = 0;
  // The next piece goes when it is asked for, so that requests are answered in between.
  process.on('message', () => {
    say({ clients: pack(clients.slice(next, next + PIECE)), isLast: next + PIECE >= clients.length });
    next += PIECE;
  });
  say({ others: pack(others) });
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  say({ problems: error.problems });
}

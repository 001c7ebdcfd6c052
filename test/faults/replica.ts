/** A replica that a fault befalls: the broker as it is, on a storage that kills the process at the named point. */
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';
import { FAILPOINTS, withFailpoint } from './failpoint.ts';

const aheadMs = Number(process.env['CLOCK_AHEAD_MS'] ?? 0);
if (aheadMs !== 0) deceive(aheadMs);

const { createBroker } = await import('../../src/broker/broker.ts');
const { loadConfig } = await import('../../src/config/load-config.ts');
const { openStorage } = await import('../../src/storage/open-storage.ts');
const { createLogger } = await import('../../src/telemetry/logger.ts');

const { values } = parseArgs({ options: { config: { type: 'string' } } });
const config = await loadConfig(values.config ?? '', process.env);
const failpoint = FAILPOINTS.find(({ name }) => name === process.env['FAILPOINT']);
const opened = await openStorage(config.storage);
const storage =
  failpoint === undefined ? opened : withFailpoint(opened, failpoint, () => process.kill(process.pid, 'SIGKILL'));
const broker = await createBroker({ config, storage, logger: createLogger(config.log) });
createServer(broker.handle).listen(config.listen.port, config.listen.host, () => {
  process.stdout.write(`is ready at ${config.publicUrl}\n`);
});

/** Before anything else is loaded: the whole process believes another time. Redis, asked for the time, does not. */
function deceive(milliseconds: number): void {
  const Real = Date;
  const now = () => Real.now() + milliseconds;
  globalThis.Date = new Proxy(Real, {
    construct: (target, args: []) => (args.length === 0 ? new target(now()) : new target(...args)),
    get: (target, name, receiver) => (name === 'now' ? now : (Reflect.get(target, name, receiver) as unknown)),
  });
}

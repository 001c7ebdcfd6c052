import type { SourceSettings } from '../../network/source-address.ts';
import type { StorageSettings } from '../../storage/storage.ts';
import { LOG_LEVELS, type LogSettings } from '../../telemetry/log-event.ts';
import type { Address } from '../config.ts';
import type { Environment } from '../environment.ts';
import { processorsAllowed } from '../processors-allowed.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import type { Reading } from './reading.ts';

/** With neither a path of its own nor a slash at its end: whatever follows begins with one. */
export function readPublicUrl(file: ConfigFile): string {
  return new URL(file.public_url).href.replace(/\/+$/, '');
}

export function readOperations(file: ConfigFile, listen: Address, environment: Environment, reading: Reading) {
  if (file.operations === undefined) return undefined;
  const operations = {
    host: environment['GATEHOUSE_OPERATIONS_HOST'] || file.operations.host,
    port: file.operations.port,
  };
  if (isSameListener(operations, listen)) {
    const text = `${operations.port} is the port of listen, expected another one: health and metrics are never public`;
    reading.problem(['operations', 'port'], text, ['listen', 'port']);
  }
  return operations;
}

function isSameListener(one: Address, other: Address): boolean {
  const isAny = [one, other].some(({ host }) => host === '0.0.0.0' || host === '::');
  return one.port === other.port && one.port !== 0 && (isAny || one.host === other.host);
}

export function readSource(file: ConfigFile, reading: Reading): SourceSettings {
  if (file.trusted_proxies === undefined && file.public_url.startsWith('https:')) {
    const text =
      'is missing, expected the addresses of your proxies, or [] for none: it must be stated when public_url is https';
    reading.problem(['trusted_proxies'], text, ['public_url']);
  }
  return { trustedProxies: file.trusted_proxies ?? [], forwardedHeader: file.forwarded_header };
}

/** A person who presses Ctrl-C on a terminal does not want to wait for a load balancer. */
export function readDrain(file: ConfigFile, { isTerminal }: { isTerminal: boolean }): number {
  return file.drain ?? (isTerminal ? 0 : 10);
}

export function readLog(file: ConfigFile, environment: Environment, reading: Reading): LogSettings {
  const log = readLevel(file, environment, reading);
  if (file.audit.chain && ['warn', 'error', 'fatal'].includes(log.level)) {
    reading.warning(['audit', 'chain'], `has only lines that are written, and log.level ${log.level} leaves most out`);
  }
  return log;
}

function readLevel(file: ConfigFile, environment: Environment, reading: Reading): LogSettings {
  const wanted = environment['GATEHOUSE_LOG_LEVEL'];
  if (wanted === undefined || wanted === '') return file.log;
  const level = LOG_LEVELS.find((known) => known === wanted);
  if (level !== undefined) return { level };
  const text = `GATEHOUSE_LOG_LEVEL is ${JSON.stringify(wanted)}, expected one of ${LOG_LEVELS.join(', ')}`;
  reading.problem(['log', 'level'], text);
  return file.log;
}

/** Processes share what is stored and the keys that open and sign; what one of them makes for itself, another cannot read. */
export function readWorkers(file: ConfigFile, driver: StorageSettings['driver'], reading: Reading): number {
  const { workers } = file;
  const count = workers === 'auto' ? processorsAllowed() : workers;
  if (driver === 'memory' && workers !== 1) {
    const text = `found ${workers} with storage.driver memory, expected 1 there, or driver redis: each process would have grants and keys of its own`;
    reading.problem(['workers'], text, ['storage', 'driver']);
  }
  return count;
}

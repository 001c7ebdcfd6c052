import { pino } from 'pino';
import type { Sealing } from '../sealing/sealing.ts';
import { auditClass } from './audit/audit-events.ts';
import { type ChainHead, createLogChain, type LogChain } from './audit/log-chain.ts';
import { type LogDestination, openLogDestination } from './log-destination.ts';
import type { LogLevel, LogSettings } from './log-event.ts';
import { LOG_EVENTS, type LogEventName, type LogFieldsOf, levelOf } from './log-events.ts';
import type { LogField } from './log-fields.ts';
import { loggable } from './loggable.ts';

/**
 * Telemetry is what an operator looks at: log lines, metrics, health. Names stand in tables (`log-events.ts`,
 * `metric-names.ts`) that the documentation is compared with. What a line means for a grant or a person is not
 * decided here; whoever knows it calls `event`.
 */

/**
 * @example
 * ```ts
 * import { createBroker, createLogger, loadConfig, type Logger, memoryStorage } from 'gatehouse-broker';
 *
 * const config = await loadConfig('gatehouse.yaml');
 * const logger: Logger = createLogger(config.log);
 * const broker = await createBroker({ config, storage: memoryStorage(), logger });
 * ```
 */
export interface Logger {
  /** Writes one line, if the event's level is on. Never throws and never waits. */
  event<Name extends LogEventName>(name: Name, fields?: LogFieldsOf<Name>): void;
  /** Whether an event would be written, for paths on which even gathering the fields costs too much. */
  writes(name: LogEventName): boolean;
  /** For a reload. */
  setLevel(level: LogLevel): void;
  /** For the end of the process: waits for what is still to be written, half a second at most. */
  flush(): Promise<void>;
  /** How many lines a full disk, a closed pipe or a reader that stopped reading has cost. */
  linesLost(): number;
  /** From now on each audit line carries the hash of the one before. */
  beginChain(id: string): void;
  endChain(): void;
  /** The last audit line of the chain; `undefined` without one. */
  chainHead(): ChainHead | undefined;
}

const STDERR = 2;

/**
 * JSON lines, to stderr unless told otherwise: stdout belongs to what a command prints.
 *
 * @example
 * ```ts
 * import { createLogger } from 'gatehouse-broker';
 *
 * const logger = createLogger({ level: 'warn' });
 * logger.setLevel('info');
 * await logger.flush();
 * ```
 */
export function createLogger(settings: LogSettings, destination: LogDestination = openLogDestination(STDERR)): Logger {
  let chain: LogChain | undefined;
  /** The event whose line pino is writing; it does that before it comes back. */
  let writing: LogEventName | undefined;
  const lines = pino(
    {
      level: settings.level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write },
  );

  /** What strangers can cause without end takes no room from the lines of what somebody decided. */
  function write(line: string): void {
    const found = writing === undefined ? undefined : auditClass(writing);
    const isReserved = found !== undefined && found.line !== 'others';
    const links = found === undefined ? undefined : chain;
    const lost = destination.linesLost();
    destination.write(links?.linked(line, lost) ?? line, isReserved);
    // A line that there was no room for is no link: the next one says that it was lost.
    if (destination.linesLost() === lost) links?.accept();
  }

  return {
    event(name, fields) {
      const level = levelOf(name, fields);
      if (!lines.isLevelEnabled(level)) return;
      writing = name;
      lines[level](permittedFields(name, fields ?? {}), name);
      writing = undefined;
    },
    writes: (name) => lines.isLevelEnabled(levelOf(name)),
    setLevel(level) {
      lines.level = level;
    },
    flush: () => destination.flush(),
    linesLost: () => destination.linesLost(),
    beginChain(id) {
      chain = createLogChain(id);
    },
    endChain() {
      chain = undefined;
    },
    chainHead: () => chain?.head,
  };
}

/** For tests, and for hosts that embed Gatehouse and want none of its lines. */
export const silentLogger: Logger = {
  event() {},
  writes: () => false,
  setLevel() {},
  flush: () => Promise.resolve(),
  linesLost: () => 0,
  beginChain() {},
  endChain() {},
  chainHead: () => undefined,
};

/** Only what the event's row names gets into the line: a field that somebody adds in passing is dropped, not leaked. */
export function permittedFields(
  name: LogEventName,
  fields: Partial<Record<LogField, unknown>>,
): Record<string, unknown> {
  const line: Record<string, unknown> = {};
  for (const field of LOG_EVENTS[name].fields) {
    const value = fields[field];
    if (value !== undefined) line[field] = loggable(field === 'scopes' ? asScopeList(value) : value);
  }
  return line;
}

/** A token answer has them as one text, a grant as a list: a reader of the log should not have to know which it was. */
function asScopeList(scopes: unknown): unknown {
  return typeof scopes === 'string' ? scopes.split(' ').filter((scope) => scope !== '') : scopes;
}

/** How a grant or a device session is called in the log: the same in all its lines, and no use to anybody. */
export function logTag(id: string): string {
  return id.slice(0, LOG_TAG_LENGTH);
}

export const LOG_TAG_LENGTH = 8;

/** How a user code is called in the log: the same in every line about it, and nothing that the storage's keys have. */
export function codeTag(sealing: Pick<Sealing, 'tag'>, userCode: string): string {
  return sealing.tag('log', userCode.replaceAll('-', '')).slice(0, 8);
}

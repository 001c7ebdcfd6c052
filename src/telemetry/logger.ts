/**
 * Telemetry is what an operator looks at: log lines, metrics, health. Names stand in tables (`log-events.ts`,
 * `metric-names.ts`) that the documentation is compared with. What a line means for a grant or a person is not
 * decided here; whoever knows it calls `event`.
 */
import { pino } from 'pino';
import { type LogDestination, openLogDestination } from './log-destination.ts';
import { LOG_EVENTS, type LogEventName, type LogField, type LogFieldsOf } from './log-events.ts';
import type { LogLevel, LogSettings } from './log-settings.ts';
import { loggable } from './loggable.ts';

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
}

const STDERR = 2;

/** JSON lines, to stderr unless told otherwise: stdout belongs to what a command prints. */
export function createLogger(settings: LogSettings, destination: LogDestination = openLogDestination(STDERR)): Logger {
  const lines = pino(
    {
      level: settings.level,
      base: null,
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination,
  );
  const writes = (name: LogEventName): boolean => lines.isLevelEnabled(LOG_EVENTS[name].level);
  return {
    event(name, fields) {
      if (writes(name)) lines[LOG_EVENTS[name].level](permittedFields(name, fields ?? {}), name);
    },
    writes,
    setLevel(level) {
      lines.level = level;
    },
    flush: () => destination.flush(),
    linesLost: () => destination.linesLost(),
  };
}

/** For tests, and for hosts that embed Gatehouse and want none of its lines. */
export const silentLogger: Logger = {
  event() {},
  writes: () => false,
  setLevel() {},
  flush: () => Promise.resolve(),
  linesLost: () => 0,
};

/** Only what the event's row names gets into the line: a field that somebody adds in passing is dropped, not leaked. */
export function permittedFields(
  name: LogEventName,
  fields: Partial<Record<LogField, unknown>>,
): Record<string, unknown> {
  const line: Record<string, unknown> = {};
  for (const field of LOG_EVENTS[name].fields) {
    const value = fields[field];
    if (value !== undefined) line[field] = loggable(value);
  }
  return line;
}

import type { LogField } from './log-fields.ts';

/** What is known of an event before it happens. */
export interface LogEvent {
  level: LogLevel;
  /** A field and those of its values that make the line a warning. */
  warnsWhere?: readonly [field: LogField, ...values: string[]];
  /** One sentence for the operator; docs/operations/log-events.md is this table in Markdown. */
  meaning: string;
  /** All that may stand in the line. A field that is not named here cannot be written. */
  fields: readonly LogField[];
}

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogSettings {
  level: LogLevel;
}

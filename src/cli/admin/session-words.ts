import type { ListedSession } from '../../device-sessions/list-sessions.ts';
import { sessionForPrograms, timeOf } from '../../operations/admin/session-form.ts';
import { logTag } from '../../telemetry/logger.ts';
import { printable } from '../terminal/printable.ts';

/** What no command of ours can end. Said wherever sessions are ended. */
export const WHAT_STAYS =
  'Access tokens that are out verify until they expire, except where an API asks /introspect. ' +
  'At the upstream nobody was signed out: its session goes on, and the token that was kept here was deleted and lapses there.';

export function sessionCount(count: number): string {
  return `${count} device session${count === 1 ? '' : 's'}`;
}

const COLUMNS = ['session', 'who', 'client', 'device', 'where', 'since', 'last used', 'ends'] as const;

/** One line each, the last used first; what a device or a person chose is quoted, and cannot move the cursor. */
export function sessionTable(listed: readonly ListedSession[]): string {
  const sorted = [...listed].sort((a, b) => b.lastUsedAtMs - a.lastUsedAtMs);
  const rows = [COLUMNS.map((title) => title.toUpperCase()), ...sorted.map(cellsOf)];
  const widths = COLUMNS.map((_, column) => rows.reduce((most, row) => Math.max(most, row[column]?.length ?? 0), 0));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

function cellsOf({ session, name, lastUsedAtMs, ended }: ListedSession): string[] {
  return [
    logTag(session.id),
    `${printable(session.account)} (${session.upstream}|${printable(session.subject)})`,
    session.clientId,
    labelOf(name ?? session.deviceLabel),
    session.source,
    minuteOf(session.startedAtMs),
    minuteOf(lastUsedAtMs),
    ended === undefined ? minuteOf(session.endsAtMs) : `ended (${ended})`,
  ];
}

/** All that is known of one, a line each. */
export function sessionDetails(listed: ListedSession): string {
  return Object.entries(sessionForPrograms(listed))
    .filter(([, value]) => value !== null && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => `${`${name.replaceAll('_', ' ')}:`.padEnd(14)}${textOf(name, value)}\n`)
    .join('');
}

function textOf(name: string, value: unknown): string {
  const text = printable(Array.isArray(value) ? value.join(' ') : String(value));
  return ['name', 'device_label', 'user_agent'].includes(name) ? JSON.stringify(text) : text;
}

function labelOf(label: string | undefined): string {
  return label === undefined ? '-' : JSON.stringify(printable(label));
}

function minuteOf(ms: number): string {
  return `${timeOf(ms).slice(0, 16)}Z`;
}

import type { LogEvent } from './log-event.ts';

/** How the process fares, and what it stands on: the first part of `LOG_EVENTS`. */
export const PROCESS_EVENTS = {
  'process.started': {
    level: 'info',
    meaning: 'The process listens.',
    fields: ['publicUrl', 'storage', 'file', 'version', 'pid'],
  },
  'process.draining': {
    level: 'info',
    meaning: 'SIGTERM came; `/readyz` answers 503 and connections are being closed.',
    fields: ['seconds'],
  },
  'worker.started': {
    level: 'info',
    meaning: 'One of several processes (`workers`) serves on the port of all.',
    fields: ['pid'],
  },
  'worker.lost': {
    level: 'error',
    meaning: 'A worker ended without being asked to; another one takes its place after so many seconds.',
    fields: ['pid', 'detail', 'seconds'],
  },
  'workers.replaced': {
    level: 'info',
    meaning:
      'Each worker has given way to a new one with the configuration in force; those before finish what they have.',
    fields: ['file', 'count'],
  },
  'process.stopped': { level: 'info', meaning: 'Everything was answered and closed.', fields: [] },
  'process.fault': {
    level: 'fatal',
    meaning: 'An error that nobody caught; a bug of ours.',
    fields: ['error'],
  },
  'config.warning': {
    level: 'warn',
    meaning: 'The configuration works, and has something that the administrator should know.',
    fields: ['file', 'detail'],
  },
  'config.reloaded': { level: 'info', meaning: 'A changed configuration is in force.', fields: ['file'] },
  'config.refused': {
    level: 'error',
    meaning: 'A changed configuration has problems; the old one stays in force.',
    fields: ['file', 'problems'],
  },
  'config.restart_needed': {
    level: 'warn',
    meaning: 'A changed key takes effect only after a restart.',
    fields: ['file', 'detail'],
  },
  'geo.read': {
    level: 'info',
    meaning: 'A file of `geo` was read and is asked from now on.',
    fields: ['file', 'detail'],
  },
  'geo.refused': {
    level: 'warn',
    meaning:
      'A file of `geo` cannot be used, or is damaged in one place; pages and audit say no place, or what the file said when it could be read.',
    fields: ['file', 'detail'],
  },
  'keys.made': {
    level: 'warn',
    meaning: 'A key was made at start because the configuration names none; it is gone with the process.',
    fields: ['detail'],
  },
  'admin.ended': {
    level: 'info',
    meaning:
      'An administrator ended what was signed in before a moment, by `gatehouse end`, `gatehouse sessions end` or the admin API; without a name it was all. Of a command one replica has the line, seconds later.',
    fields: [
      'requestId',
      'client',
      'upstream',
      'subject',
      'account',
      'source',
      'session',
      'grant',
      'before',
      'operator',
      'detail',
    ],
  },
  'admin.called': {
    level: 'info',
    meaning: 'An operator called the admin API; `status` says what became of it.',
    fields: [
      'requestId',
      'operator',
      'source',
      'method',
      'route',
      'status',
      'client',
      'upstream',
      'subject',
      'session',
      'grant',
      'outcome',
      'detail',
    ],
  },
  'admin.refused': {
    level: 'warn',
    meaning: 'Somebody called the admin API who may not: no token, a wrong one, or in none of the groups.',
    fields: ['requestId', 'source', 'method', 'route', 'status', 'detail', 'count', 'since'],
  },
  'audit.lost': {
    level: 'error',
    meaning: 'Audit events could not be sent to a target of `audit:`; they are in this log.',
    fields: ['detail', 'count'],
  },
  'audit.chain_began': {
    level: 'info',
    meaning: 'The first line of a chain: from here on each audit line carries the hash of the one before.',
    fields: [],
  },
  'audit.chain_ended': {
    level: 'info',
    meaning: 'The last line of a chain: the process stops, or `audit.chain` was switched off.',
    fields: [],
  },
  'storage.unavailable': {
    level: 'error',
    meaning: 'Redis does not answer; requests wait up to 3 s and then get 503.',
    fields: ['verb', 'detail', 'error'],
  },
  'storage.recovered': { level: 'info', meaning: 'Redis answers again.', fields: ['seconds'] },
} as const satisfies Record<string, LogEvent>;

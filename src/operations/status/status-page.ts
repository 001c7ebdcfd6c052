import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ejs from 'ejs';
import type { UpstreamFault } from '../../upstream/upstream.ts';
import { sparkline } from './sparkline.ts';
import type { Status, UpstreamStatus } from './status.ts';

const VIEWS = new URL('../../../views/operations/', import.meta.url);
const SECOND = 1000;

/** In our words: what an upstream said itself is for the log alone. */
const FAULT_WORDS: Record<UpstreamFault, string> = {
  access_denied: 'somebody cancelled the sign-in there',
  invalid_grant: 'it does not take a code or a refresh token any more',
  refresh_refused: 'it refused a refresh without saying why',
  client_rejected: 'it refuses Gatehouse’s own client, secret or key',
  sign_in_refused: 'it refuses this account or what is asked for it',
  not_signed_in: 'somebody came back without being signed in',
  unavailable: 'it did not answer, or answered that it cannot now',
  invalid_answer: 'it gave an answer that does not check',
  clock_differs: 'its clock and ours differ by too much',
  too_weak: 'somebody signed in less strongly than was asked',
};

const STATE_WORDS: Record<UpstreamStatus['state'], string> = {
  up: 'up',
  away: 'away',
  rejects_us: 'refuses Gatehouse',
  not_asked: 'not asked yet',
};

export interface StatusPage {
  html: string;
  contentSecurityPolicy: string;
}

/** One page without script: all of it is in the answer, so that it can be looked at when nothing else works. */
export function createStatusPage(): (status: Status) => StatusPage {
  const style = readFileSync(new URL('status.css', VIEWS), 'utf8');
  const file = fileURLToPath(new URL('status.ejs', VIEWS));
  const fill = ejs.compile(readFileSync(file, 'utf8'), { filename: file });
  const hash = createHash('sha256').update(style).digest('base64');
  const contentSecurityPolicy = [
    "default-src 'none'",
    `style-src 'sha256-${hash}'`,
    'img-src data:',
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return (status) => ({ html: fill(localsOf(status, style)), contentSecurityPolicy });
}

function localsOf(status: Status, style: string) {
  const { nowMs, configuration, upstreams } = status;
  const moment = (atMs: number) => ({ iso: isoOf(atMs), words: wordsOf(atMs), ago: agoOf(nowMs - atMs) });
  return {
    ...status,
    style,
    moment,
    now: moment(nowMs),
    counted: status.sessions && moment(status.sessions.countedAtMs),
    uptime: durationOf(nowMs - status.startedAtMs),
    refusedAt: configuration.refusedAtMs === undefined ? undefined : moment(configuration.refusedAtMs),
    chart: sparkline(status.signInsPerMinute),
    upstreams: upstreams.map(({ id, displayName, state, answeredAtMs, lastFault }) => ({
      ...{ id, displayName, state },
      stateWords: STATE_WORDS[state],
      answered: answeredAtMs === undefined ? undefined : moment(answeredAtMs),
      fault: lastFault && { words: FAULT_WORDS[lastFault.fault] ?? lastFault.fault, at: moment(lastFault.atMs) },
    })),
  };
}

function isoOf(atMs: number): string {
  return new Date(atMs).toISOString();
}

function wordsOf(atMs: number): string {
  return `${isoOf(atMs).slice(0, 19).replace('T', ' ')} UTC`;
}

function agoOf(milliseconds: number): string {
  return milliseconds < SECOND ? 'just now' : `${durationOf(milliseconds)} ago`;
}

const UNITS = [
  ['d', 86_400],
  ['h', 3600],
  ['min', 60],
  ['s', 1],
] as const;

/** The two greatest units that there is something of: `3 d 4 h`, `5 min`. */
export function durationOf(milliseconds: number): string {
  let seconds = Math.max(0, Math.floor(milliseconds / SECOND));
  const counts = UNITS.map(([unit, size]) => {
    const count = Math.floor(seconds / size);
    seconds -= count * size;
    return { unit, count };
  });
  const first = counts.findIndex(({ count }) => count > 0);
  if (first === -1) return '0 s';
  const shown = counts.slice(first, first + 2).filter(({ count }) => count > 0);
  return shown.map(({ unit, count }) => `${count} ${unit}`).join(' ');
}

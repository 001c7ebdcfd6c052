import type { Status } from '../../../src/operations/status/status.ts';

const NOW = Date.UTC(2026, 10, 30, 12, 0, 0);
const MINUTE = 60_000;

/** A process that has just started. */
export const QUIET: Status = {
  publicUrl: 'https://login.example.com',
  version: '0.2.0',
  nowMs: NOW,
  startedAtMs: NOW - 7000,
  isDraining: false,
  storage: { kind: 'redis', answers: true },
  pendingGrants: 0,
  sessions: undefined,
  configuration: { inForceSinceMs: NOW - 7000, refusedAtMs: undefined },
  upstreams: [
    { id: 'corp', displayName: 'Example Corp', state: 'not_asked', answeredAtMs: undefined, lastFault: undefined },
  ],
  signInsPerMinute: new Array<number>(60).fill(0),
  refusals: [],
  signals: [],
  limits: [],
};

/** One of which an operator has much to read. */
export const TROUBLED: Status = {
  ...QUIET,
  startedAtMs: NOW - 3 * 24 * 60 * MINUTE - 4 * 60 * MINUTE,
  isDraining: true,
  storage: { kind: 'redis', answers: false },
  pendingGrants: undefined,
  sessions: { alive: 12_408, countedAtMs: NOW - 4 * MINUTE },
  configuration: { inForceSinceMs: NOW - 26 * 60 * MINUTE, refusedAtMs: NOW - 5 * MINUTE },
  upstreams: [
    {
      id: 'corp',
      displayName: 'Example <Corp> & Sons',
      state: 'up',
      answeredAtMs: NOW - 400,
      lastFault: { fault: 'invalid_grant', atMs: NOW - 90 * MINUTE },
    },
    {
      id: 'labs',
      displayName: 'Labs',
      state: 'away',
      answeredAtMs: NOW - 12 * MINUTE,
      lastFault: { fault: 'unavailable', atMs: NOW - 2000 },
    },
    {
      id: 'partners-of-the-whole-group',
      displayName: 'Partners of the whole group',
      state: 'rejects_us',
      answeredAtMs: NOW - MINUTE,
      lastFault: { fault: 'client_rejected', atMs: NOW - MINUTE },
    },
  ],
  signInsPerMinute: Array.from({ length: 60 }, (_, minute) => Math.round(6 + 5 * Math.sin(minute / 6)) + (minute % 7)),
  refusals: [
    { what: 'start', reason: 'invalid_scope', count: 120 },
    { what: 'sign_in', reason: 'client_rejected', count: 17 },
    { what: 'sign_in', reason: 'group', count: 3 },
  ],
  signals: [
    { signal: 'followed_link', at: 'opened', count: 9 },
    { signal: 'campaign', at: 'signed_in', count: 2 },
  ],
  limits: [
    { limit: 'failed_authentications_per_source', count: 44 },
    { limit: 'starts_per_source', count: 12 },
  ],
};

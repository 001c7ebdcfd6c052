import type { Change, Ledger } from '../../src/ledger/ledger.ts';
import type { Storage } from '../../src/storage/storage.ts';

/** Where a process is made to die: before or after a verb of the storage that touches such a key, the first time. */
export interface Failpoint {
  verb: 'commit' | 'take' | 'lease' | 'enlist' | 'poll';
  /** What the (first) key must look like. */
  key: RegExp;
  moment: 'before' | 'after';
}

/** The same storage, which calls `strike` at the failpoint. There is no such thing in the broker itself. */
export function withFailpoint(storage: Storage, { verb, key, moment }: Failpoint, strike: () => void): Storage {
  const { ledger } = storage;
  const at = async <T>(name: string, touched: string, call: () => Promise<T>): Promise<T> => {
    const isHere = name === verb && key.test(touched);
    if (isHere && moment === 'before') strike();
    const answer = await call();
    if (isHere && moment === 'after') strike();
    return answer;
  };
  const failing: Ledger = {
    now: () => ledger.now(),
    read: (keys) => ledger.read(keys),
    commit: (change: Change) => at('commit', change.writes[0].key, () => ledger.commit(change)),
    take: (name) => at('take', name, () => ledger.take(name)),
    poll: (id, holder, rule) => at('poll', `{${id}}`, () => ledger.poll(id, holder, rule)),
    raise: (name, atMs, expiresAtMs) => ledger.raise(name, atMs, expiresAtMs),
    marks: (keys) => ledger.marks(keys),
    enlist: (index, member, expiresAtMs) => at('enlist', index, () => ledger.enlist(index, member, expiresAtMs)),
    listed: (index) => ledger.listed(index),
    lease: (name, holder, milliseconds, whilst) =>
      at('lease', name, () => ledger.lease(name, holder, milliseconds, whilst)),
    release: (name, holder) => ledger.release(name, holder),
    ids: (suffix) => ledger.ids(suffix),
    idsFrom: (suffix, from, about) => ledger.idsFrom(suffix, from, about),
  };
  return { ...storage, ledger: failing };
}

/** The named points: which step of a sign-in is under way, and what is being written. */
export const FAILPOINTS: readonly (Failpoint & { name: string; step: Step })[] = (
  [
    ['start', 'commit', /^code:/, 'user code index'],
    ['start', 'commit', /:grant$/, 'grant'],
    ['callback', 'commit', /^trip:.*:answered$/, 'trip'],
    ['callback', 'commit', /:arrival:/, 'arrival'],
    ['decide', 'commit', /:decision$/, 'decision'],
    ['redeem', 'enlist', /^subject:/, 'subject index'],
    ['redeem', 'commit', /:spent$/, 'spent, session and refresh token'],
    ['refresh', 'lease', /:refreshing:/, 'lease'],
    ['refresh', 'commit', /:refresh$/, 'refresh state'],
  ] as const
).flatMap(([step, verb, key, what]) =>
  (['before', 'after'] as const).map((moment) => ({ step, verb, key, moment, name: `${step}: ${moment} ${what}` })),
);

export type Step = 'start' | 'callback' | 'decide' | 'redeem' | 'refresh';

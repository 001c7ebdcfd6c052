import type { Ledger } from '../ledger/ledger.ts';
import type { Counters } from '../limits/counters.ts';
import type { Storage } from './storage.ts';

/** Says how long each verb of the contract took, whether it was answered or not. */
type Measure = (verb: string, seconds: number) => void;

/** The same storage, with every verb timed. */
export function measuredStorage(storage: Storage, measure: Measure): Storage {
  const { kind, browserSessions } = storage;
  return {
    kind,
    browserSessions,
    ledger: measuredLedger(storage.ledger, measure),
    counters: measuredCounters(storage.counters, measure),
    open: () => storage.open(),
    isReady: () => storage.isReady(),
    close: () => storage.close(),
  };
}

function measuredLedger(ledger: Ledger, measure: Measure): Ledger {
  return {
    now: () => timed('now', ledger.now(), measure),
    read: (keys) => timed('read', ledger.read(keys), measure),
    commit: (change) => timed('commit', ledger.commit(change), measure),
    take: (key) => timed('take', ledger.take(key), measure),
    poll: (id, holder, rule) => timed('poll', ledger.poll(id, holder, rule), measure),
    raise: (key, atMs, expiresAtMs) => timed('raise', ledger.raise(key, atMs, expiresAtMs), measure),
    marks: (keys) => timed('marks', ledger.marks(keys), measure),
    enlist: (index, member, expiresAtMs) => timed('enlist', ledger.enlist(index, member, expiresAtMs), measure),
    listed: (index) => timed('listed', ledger.listed(index), measure),
    lease: (key, name, milliseconds, whilst) => timed('lease', ledger.lease(key, name, milliseconds, whilst), measure),
    release: (key, name) => timed('release', ledger.release(key, name), measure),
    ids: (suffix) => ledger.ids(suffix),
    idsFrom: (suffix, from, about) => timed('idsFrom', ledger.idsFrom(suffix, from, about), measure),
  };
}

function measuredCounters(counters: Counters, measure: Measure): Counters {
  return {
    add: (key, windowSeconds, amount) => timed('add', counters.add(key, windowSeconds, amount), measure),
    current: (key, windowSeconds) => timed('current', counters.current(key, windowSeconds), measure),
    takePlaces: (taking) => timed('takePlaces', counters.takePlaces(taking), measure),
    giveBackPlaces: (keys) => timed('giveBackPlaces', counters.giveBackPlaces(keys), measure),
  };
}

/** The caller waits for the storage's own promise: measuring puts no other in between. */
function timed<Answer>(verb: string, answer: Promise<Answer>, measure: Measure): Promise<Answer> {
  const began = performance.now();
  const answered = () => measure(verb, (performance.now() - began) / 1000);
  answer.then(answered, answered);
  return answer;
}

import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { Ledger } from '../../src/ledger/ledger.ts';
import type { RandomBytes } from '../../src/sealing/secret.ts';
import { type ModelLedger, short } from './model-ledger.ts';

/** What may happen to one verb of one caller. */
export type Fault =
  | 'ok'
  /** Done, and the answer was lost: the caller is told that the storage does not answer. */
  | 'unheard'
  /** Not done, and the caller is told the same. */
  | 'unsent'
  /** Done; the driver lost the reply and sent it again, as it does by itself. */
  | 'twice'
  /** Done; the process that asked is gone. */
  | 'crash';

export const FAULTS: readonly Fault[] = ['ok', 'unheard', 'unsent', 'twice', 'crash'];

/** One step of a schedule: whose verb is next, which of those that it has under way, and what becomes of it. */
export interface Choice {
  caller: string;
  place: number;
  fault: Fault;
}

/** A verb of the ledger, or something outside of it that takes a moment: time, a pause, the upstream. */
export interface Call {
  caller: string;
  verb: string;
  args: readonly unknown[];
  run: () => Promise<unknown>;
  canFail: boolean;
  settle: { resolve: (value: never) => void; reject: (error: Error) => void };
  /** The ledger's version when it was asked: who pauses to look again waits for something to change. */
  version: number;
}

export interface TraceStep {
  caller: string;
  verb: string;
  args: readonly unknown[];
  fault: Fault;
  result?: unknown;
}

const VERBS = [
  'now',
  'read',
  'commit',
  'take',
  'poll',
  'raise',
  'marks',
  'enlist',
  'listed',
  'lease',
  'release',
] as const;

/** Runs callers between whose verbs nothing happens by itself: each verb waits until the schedule comes to it. */
export class Scheduler {
  readonly ledger: ModelLedger;
  readonly trace: TraceStep[] = [];
  readonly #away: (message: string) => Error;
  readonly #kinds: readonly Fault[];
  readonly #calls: Call[] = [];
  readonly #heard = new Map<string, string>();
  readonly #drawn = new Map<string, number>();
  /** Who was done already when a caller began. */
  readonly doneBefore = new Map<string, ReadonlySet<string>>();
  readonly #done = new Set<string>();
  #faultsLeft: number;

  constructor(
    ledger: ModelLedger,
    { most, kinds = FAULTS }: { most: number; kinds?: readonly Fault[] | undefined },
    away: (message: string) => Error,
  ) {
    this.ledger = ledger;
    this.#faultsLeft = most;
    this.#kinds = kinds;
    this.#away = away;
  }

  /** The ledger as one caller sees it. */
  ledgerOf(caller: string): Ledger {
    const verbs = VERBS.map((verb) => [
      verb,
      (...args: unknown[]) =>
        this.call(
          caller,
          verb,
          args,
          () => (this.ledger[verb] as (...all: unknown[]) => Promise<unknown>)(...args),
          true,
        ),
    ]);
    return Object.fromEntries(verbs) as Ledger;
  }

  /** Random bytes that follow from who draws them, and how often they drew. */
  randomOf(caller: string): RandomBytes {
    return (count) => {
      const n = (this.#drawn.get(caller) ?? 0) + 1;
      this.#drawn.set(caller, n);
      const block = (index: number) => createHash('sha512').update(`${caller} ${n} ${index}`).digest();
      return Buffer.concat(Array.from({ length: Math.ceil(count / 64) }, (_, index) => block(index))).subarray(
        0,
        count,
      );
    };
  }

  call<T>(caller: string, verb: string, args: readonly unknown[], run: () => Promise<T>, canFail = false): Promise<T> {
    const { version } = this.ledger;
    return new Promise((resolve, reject) => {
      this.#calls.push({ caller, verb, args, run, canFail, settle: { resolve, reject }, version });
    });
  }

  /**
   * What could happen next. A pause ends when something changed, or when nothing else can happen. A verb that makes no
   * difference to anybody else comes first: every schedule in which it came later is equal to one in which it did.
   */
  choices(): Choice[] {
    const ready = this.#calls.filter(({ verb, version }) => verb !== 'pause' || version !== this.ledger.version);
    const ownOnly = this.#calls.find(({ verb }) => verb === 'enlist' || (verb === 'now' && !this.#willTimePass()));
    const next = ownOnly === undefined ? ready : [ownOnly];
    return (next.length > 0 ? next : this.#calls).flatMap((call) => {
      const place = this.#ofCaller(call.caller).indexOf(call);
      const faults = call.canFail && this.#faultsLeft > 0 ? this.#kinds : FAULTS.slice(0, 1);
      return faults.map((fault) => ({ caller: call.caller, place, fault }));
    });
  }

  async step({ caller, place, fault }: Choice): Promise<void> {
    const call = this.#ofCaller(caller)[place];
    if (call === undefined) throw new Error(`${caller} has nothing under way at ${place}`);
    this.#calls.splice(this.#calls.indexOf(call), 1);
    if (fault !== 'ok') this.#faultsLeft -= 1;
    if (!this.doneBefore.has(caller)) this.doneBefore.set(caller, new Set(this.#done));
    const { verb, args, settle } = call;
    if (fault === 'twice') await call.run();
    const result = fault === 'unsent' ? undefined : await call.run();
    this.trace.push({ caller, verb, args, fault, result });
    const heard = fault === 'unheard' || fault === 'unsent' ? fault : canonical(result);
    this.#heard.set(caller, digest(`${this.#heard.get(caller) ?? ''}\n${verb} ${heard}`));
    if (fault === 'crash') {
      const others = this.#calls.filter((each) => each.caller !== caller);
      this.#calls.splice(0, this.#calls.length, ...others);
    } else if (fault === 'unheard' || fault === 'unsent') {
      settle.reject(this.#away('the storage does not answer'));
    } else {
      settle.resolve(result as never);
    }
    await this.settled();
  }

  /** A caller has been told how it ended. */
  finish(caller: string): void {
    this.#done.add(caller);
  }

  /** Until every caller waits for a verb again: between verbs there is nothing but promises. */
  settled(): Promise<void> {
    return turn();
  }

  /** Equal for two schedules after which nothing can go on differently. */
  state(): string {
    const calls = this.#calls.map(({ caller, verb }) => `${caller}:${verb}`).toSorted();
    const heard = [...this.#heard].map((each) => each.join(' ')).toSorted();
    const order = [...this.doneBefore]
      .map(([caller, done]) => `${caller} after ${[...done].toSorted().join()}`)
      .toSorted();
    return digest(
      [this.#faultsLeft, this.ledger.nowMs, ...this.ledger.standing(), ...calls, ...heard, ...order].join('\n'),
    );
  }

  #willTimePass(): boolean {
    return this.#calls.some(({ verb }) => verb === 'time');
  }

  #ofCaller(caller: string): Call[] {
    return this.#calls.filter((call) => call.caller === caller);
  }
}

function canonical(result: unknown): string {
  return JSON.stringify(result, (_, value: unknown) => (typeof value === 'string' ? short(value) : value)) ?? '';
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

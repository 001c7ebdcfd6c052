import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decisionEntry } from '../../src/ledger/entry-keys.ts';
import { type Domain, loadDomain } from './domain.ts';
import { ModelLedger } from './model-ledger.ts';
import type { Subject } from './play.ts';

const ROOT = join(import.meta.dirname, '../..');
const COPIES = join(ROOT, '.cache/model');

/** A fault that somebody might build in, and where it must be noticed. */
export interface Mutant {
  name: string;
  /** The beginning of a scenario's name. */
  scenario: string;
  /** What is found there, as a part of its words. */
  found: string;
  change: { file: string; from: string; to: string } | typeof ModelLedger;
}

/** A driver that keeps the pace of polls where the decision is. */
class PaceOverDecision extends ModelLedger {
  protected override keepPace(...[id, pace]: Parameters<ModelLedger['keepPace']>): void {
    super.keepPace(id, pace);
    const expiresAtMs = this.nowMs + 60_000;
    this.write(decisionEntry(id), { value: `pace|${pace.countedAtMs}`, expiresAtMs });
  }
}

/** A driver that takes the command that it sends again for somebody else's. */
class ForgetsItsAttempt extends ModelLedger {
  override commit(...[change]: Parameters<ModelLedger['commit']>): ReturnType<ModelLedger['commit']> {
    const existing = this.at(change.writes[0].key);
    if (existing?.startsWith(`${change.attempt}|`)) {
      return Promise.resolve({ outcome: 'lost', nowMs: this.nowMs, existing });
    }
    return super.commit(change);
  }
}

/** A driver that gives everybody the lease. */
class LendsToAll extends ModelLedger {
  override async lease(): Promise<boolean> {
    return true;
  }
}

const POLLING = 'grants/redeem';
const REFRESHING = 'device-sessions/refresh';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'the pace is written over the decision',
    ...{ scenario: 'two polls, an approval and a denial', found: 'I12', change: PaceOverDecision },
  },
  {
    name: 'a redemption does not ask whether the grant has ended',
    ...{ scenario: 'two polls, and an end', found: 'redeemed after' },
    change: { file: `${POLLING}/redeem-grant.ts`, from: 'unless: denials,', to: 'unless: [],' },
  },
  {
    name: 'a refresh does not ask whether the session has ended',
    ...{ scenario: 'a refresh, an end', found: 'refreshed after' },
    change: {
      ...{ file: `${REFRESHING}/exchange-token.ts`, from: 'unless = [endedEntry(id), ', to: 'unless = [' },
    },
  },
  {
    name: 'an exchange that asks nobody is written while the upstream is asked',
    ...{ scenario: 'two refreshes with one token, one of which', found: 'asked twice' },
    change: { file: `${REFRESHING}/exchange-token.ts`, from: '? [leaseOf(exchange)]', to: '? []' },
  },
  {
    name: 'what the upstream gave is lost where the storage does not answer',
    ...{ scenario: 'two refreshes with one token, where the upstream is asked, with', found: 'asked twice' },
    change: {
      file: `${REFRESHING}/renew-session.ts`,
      from: 'if (refreshTokenIn(carried) ===',
      to: 'if (true || refreshTokenIn(carried) ===',
    },
  },
  {
    name: 'a kept answer is given to another request',
    ...{ scenario: 'two polls with other wishes', found: 'I5' },
    change: {
      file: `${POLLING}/redeliver-grant.ts`,
      from: 'isEqual: wish === undefined ? poll.resources.length === 0 : wish === wishOf(judged.granted),',
      to: 'isEqual: true,',
    },
  },
  {
    name: 'tries are counted after the guess',
    ...{ scenario: 'four codes', found: 'right digits' },
    change: {
      file: `${POLLING}/reverse-code.ts`,
      from: 'const taken = await takePlace',
      to: "if (isRight) return 'right';\n  const taken = await takePlace",
    },
  },
  {
    name: 'a decision may come at the moment at which the code expires',
    ...{ scenario: 'two polls and an approval while', found: 'I3' },
    change: { file: 'grants/decide/decide-grant.ts', from: 'grant.expiresAtMs - 1', to: 'grant.expiresAtMs' },
  },
  {
    name: 'the successor is drawn anew for each answer',
    ...{ scenario: 'two refreshes with one token, with', found: 'I1' },
    change: {
      file: `${REFRESHING}/answer-again.ts`,
      from: 'refreshToken: formatRefreshToken(successor),',
      to: "refreshToken: formatRefreshToken({ ...successor, mac: randomBytes(16).toString('base64url') }),",
    },
  },
  {
    name: 'the kill switch is not asked at redemption',
    ...{ scenario: 'a poll, an end and the kill', found: 'I6' },
    change: {
      ...{
        file: `${POLLING}/judge-redemption.ts`,
        from: 'if (await isMarkedEnded(',
        to: 'if (false && await isMarkedEnded(',
      },
    },
  },
  {
    name: 'a lost reply passes for a lost race',
    ...{ scenario: 'a poll whose commands', found: 'no tokens for a lost answer', change: ForgetsItsAttempt },
  },
  {
    name: 'two may ask the upstream at once',
    ...{ scenario: 'two refreshes with one token, where', found: 'asked twice', change: LendsToAll },
  },
];

/** The mutant's own copy of the source, or the source on the mutant's own ledger. */
export async function mutated({ name, change }: Mutant, real: Domain): Promise<Subject> {
  if (typeof change === 'function') return { domain: real, Ledger: change };
  const copy = join(COPIES, name.replaceAll(' ', '-'));
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(copy, { recursive: true });
  cpSync(join(ROOT, 'src'), copy, { recursive: true });
  const file = join(copy, change.file);
  const text = readFileSync(file, 'utf8');
  if (text.split(change.from).length !== 2) throw new Error(`${change.file} does not have ${change.from} once`);
  writeFileSync(file, text.replace(change.from, change.to));
  return { domain: await loadDomain(copy), Ledger: ModelLedger };
}

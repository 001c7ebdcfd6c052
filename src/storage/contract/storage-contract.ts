/**
 * The suites that every driver passes, races and outages included. They are exported for a storage of a host's own. They
 * import a test runner from nobody.
 */

import { describeBrowserSessions } from './browser-session-contract.ts';
import { describeChangingEntries } from './changing-entry-contract.ts';
import type { CreateStorage, TestRunner } from './contract-harness.ts';
import { describeCounters } from './counter-contract.ts';
import { describeExpiry } from './expiry-contract.ts';
import { describeLedger } from './ledger-contract.ts';
import { describeOutages } from './outage-contract.ts';
import { describePolls } from './poll-contract.ts';
import { describeRaces } from './race-contract.ts';
import { describeReplacing } from './replacing-contract.ts';

/**
 * What every storage must do, as tests: give them your test runner and a way to make an empty storage.
 *
 * @example
 * ```ts
 * import { describe, it } from 'node:test';
 * import { type CreateStorage, describeStorage } from 'gatehouse-broker/contract';
 *
 * declare const create: CreateStorage;
 * describeStorage({ describe, it }, create);
 * ```
 */
export function describeStorage(runner: TestRunner, create: CreateStorage): void {
  describeLedger(runner, create);
  describeExpiry(runner, create);
  describeChangingEntries(runner, create);
  describePolls(runner, create);
  describeRaces(runner, create);
  describeReplacing(runner, create);
  describeCounters(runner, create);
  describeBrowserSessions(runner, create);
  describeOutages(runner, create);
}

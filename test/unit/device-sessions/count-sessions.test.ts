import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSessionCount, type SessionCount } from '../../../src/device-sessions/count-sessions.ts';
import { endSession } from '../../../src/device-sessions/end-session.ts';
import { listAllSessions } from '../../../src/device-sessions/list-sessions.ts';
import { setMark } from '../../../src/grants/revocation-marks.ts';
import { type Ledger, StorageUnavailableError } from '../../../src/ledger/ledger.ts';
import { createTestBroker, type TestBroker } from '../../support/broker/test-broker.ts';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;

let test: TestBroker;
let ledger: Ledger;
let nowMs: number;
let count: () => SessionCount | undefined;

beforeEach(async () => {
  const lifetimes = { refresh_idle: '7d' };
  test = await createTestBroker({ yaml: { clients: { 'build-cli': { lifetimes }, tv: { name: 'TV', lifetimes } } } });
  const { storage, sealing } = test.broker.processContext;
  ledger = storage.ledger;
  nowMs = 1_700_000_000_000;
  count = createSessionCount(
    () => ({ ledger, sealing, clients: new Map(['build-cli', 'tv'].map((id) => [id, client])) }),
    () => nowMs,
  );
});
afterEach(() => test.close());

const client = {
  upstreams: ['corp'],
  endOnLogout: true,
  lifetimes: { refreshIdleSeconds: (7 * DAY) / SECOND },
} as never;
const deps = () => ({
  ...test.broker.processContext,
  ledger,
  clients: new Map([['build-cli', client]]),
  onUnreadable() {},
});

/** What is known, without a look: within two seconds another one costs nothing. */
function known() {
  const { byClient, countedAtMs } = count() ?? {};
  return byClient && { ...Object.fromEntries(byClient), countedAtMs };
}

/** Another look; answers how often the storage was asked by then. */
function look(asked: readonly unknown[]): number {
  nowMs += 2 * SECOND;
  count();
  return asked.length;
}

/** Looks on until that is known. */
async function becomes(counts: Record<string, number>): Promise<void> {
  const looked = () => {
    nowMs += 2 * SECOND;
    return known();
  };
  await expect.poll(looked).toEqual({ ...counts, countedAtMs: expect.any(Number) });
}

describe('the count of device sessions', () => {
  it('is of those that go on, by client, as of the last whole look at all of them', async () => {
    await test.signIn();
    await test.signIn();
    await test.signIn(test.device({ clientId: 'tv' }));
    expect(count()).toBeUndefined();
    await becomes({ 'build-cli': 2, tv: 1 });

    for await (const { session } of listAllSessions(deps())) {
      if (session.clientId === 'tv') await endSession(deps(), session, 'administrator');
    }
    expect(known()).toMatchObject({ tv: 1 });
    await becomes({ 'build-cli': 2 });

    await test.advance(SECOND);
    const atMs = await ledger.now();
    await setMark(deps(), { mark: 'client', clientId: 'build-cli' }, atMs, atMs + DAY);
    await becomes({});
  });

  it('leaves out what was not refreshed for too long', async () => {
    await test.signIn();
    await test.advance(8 * DAY);
    await test.signIn();
    await becomes({ 'build-cli': 1 });
  });

  it('takes as many looks as it needs, and stays the last whole one meanwhile', async () => {
    await test.signIn();
    await becomes({ 'build-cli': 1 });
    const real = ledger;
    const asked: (string | undefined)[] = [];
    // A storage with much in it, none of which is a session: fifty steps find nothing.
    ledger = Object.assign(Object.create(real) as Ledger, {
      async idsFrom(suffix: string, from: string | undefined, about: number) {
        asked.push(from);
        return asked.length > 60 ? real.idsFrom(suffix, undefined, about) : { ids: [], next: `${asked.length}` };
      },
    });
    await test.signIn();
    await expect.poll(() => look(asked)).toBeGreaterThanOrEqual(50);
    expect(known()).toMatchObject({ 'build-cli': 1 });
    await becomes({ 'build-cli': 2 });
    expect([asked[0], asked[1], asked[50]]).toEqual([undefined, '1', '50']);
  });

  it('costs nothing more where many ask, and begins anew after an outage', async () => {
    await test.signIn();
    const real = ledger;
    const asked: (string | undefined)[] = [];
    let isAway = false;
    ledger = Object.assign(Object.create(real) as Ledger, {
      idsFrom(...args: Parameters<Ledger['idsFrom']>) {
        asked.push(args[1]);
        return isAway ? Promise.reject(new StorageUnavailableError('away')) : real.idsFrom(...args);
      },
    });
    for (let times = 0; times < 100; times += 1) count();
    expect(asked.length).toBe(1);
    await becomes({ 'build-cli': 1 });
    isAway = true;
    await test.signIn();
    const askedBefore = asked.length;
    await expect.poll(() => look(asked)).toBeGreaterThan(askedBefore + 2);
    expect(known()).toMatchObject({ 'build-cli': 1 });
    isAway = false;
    await becomes({ 'build-cli': 2 });
    expect(new Set(asked)).toEqual(new Set([undefined]));
  });
});

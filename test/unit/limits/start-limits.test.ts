import { describe, expect, it } from 'vitest';
import { createCodeEntryLimits } from '../../../src/limits/code-entry-limits.ts';
import type { Counters } from '../../../src/limits/counters.ts';
import type { LimitSettings } from '../../../src/limits/limit-settings.ts';
import { setSourceMark, slowedMark, suspendedMark } from '../../../src/limits/source-marks.ts';
import { createStartLimits, type Start, type StartVerdict } from '../../../src/limits/start-limits.ts';
import { limitDeps, OFFICE } from './limit-deps.ts';

const HOME = '203.0.113.7';

function setUp(overrides: Partial<LimitSettings> = {}, codeLifetimesSeconds = [600]) {
  const deps = { ...limitDeps(overrides), codeLifetimesSeconds };
  const limits = createStartLimits(deps);
  const start = (more: Partial<Start> = {}): Promise<StartVerdict> =>
    limits.admitStart({ source: HOME, clientId: 'cli', codeLifetimeSeconds: 600, nowMs: deps.now(), ...more });
  /** How many of so many starts at once were admitted. */
  const startMany = async (count: number, more: (n: number) => Partial<Start> = () => ({})) => {
    const verdicts = await Promise.all(Array.from({ length: count }, (_, n) => start(more(n))));
    return verdicts.filter(({ verdict }) => verdict === 'admitted').length;
  };
  return { deps, limits, start, startMany };
}

describe('starts of one source', () => {
  it('are admitted up to the limit of a minute, also when they come together', async () => {
    const { startMany } = setUp();
    expect(await startMany(200)).toBe(60);
  });

  it('are told when to come again, and may then', async () => {
    const { deps, start, startMany } = setUp();
    deps.wait(20);
    await startMany(60);
    expect(await start()).toEqual({ verdict: 'refused', limit: 'starts_per_source', retryAfterSeconds: 40 });
    deps.wait(40);
    expect(await start()).toMatchObject({ verdict: 'admitted' });
  });

  it('do not touch another source', async () => {
    const { start, startMany } = setUp();
    await startMany(200);
    expect(await start({ source: '203.0.113.8' })).toMatchObject({ verdict: 'admitted' });
  });

  it('are ten times as many for a /24 and for a /48, however many addresses take part', async () => {
    const { startMany } = setUp();
    expect(await startMany(1000, (n) => ({ source: `203.0.113.${n % 250}` }))).toBe(600);
    expect(await startMany(1000, (n) => ({ source: `2001:db8:1:${n.toString(16)}::1` }))).toBe(600);
  });

  it('of one IPv6 /64 are one source', async () => {
    const { startMany } = setUp();
    expect(await startMany(100, (n) => ({ source: `2001:db8:1:1::${n.toString(16)}` }))).toBe(60);
  });

  it('are multiplied by the factor of a named network', async () => {
    const { startMany } = setUp();
    expect(await startMany(1300, () => ({ source: OFFICE }))).toBe(1200);
  });

  it('write nothing any more once the limit is reached', async () => {
    const { deps, startMany } = setUp();
    await startMany(60);
    let additions = 0;
    const counters: Counters = {
      ...deps.counters,
      current: (...rest) => deps.counters.current(...rest),
      add: (...rest) => {
        additions += 1;
        return deps.counters.add(...rest);
      },
    };
    const limits = createStartLimits({ ...deps, counters });
    await limits.admitStart({ source: HOME, clientId: 'cli', codeLifetimeSeconds: 600, nowMs: deps.now() });
    expect(additions).toBe(0);
  });

  it('are not limited where the limit is 0', async () => {
    const { startMany } = setUp({ startsPerSource: 0, pendingPerSource: 0, pendingPerClient: 0, pendingTotal: 0 });
    expect(await startMany(2000)).toBe(2000);
  });
});

describe('pending starts', () => {
  const OPEN = { startsPerSource: 0 };

  it('are limited per source within one code lifetime, decided or not', async () => {
    const { deps, start, startMany } = setUp({ ...OPEN, pendingPerSource: 10 });
    expect(await startMany(30)).toBe(10);
    expect(await start()).toEqual({ verdict: 'refused', limit: 'pending_per_source', retryAfterSeconds: 600 });
    deps.wait(600);
    expect(await start()).toMatchObject({ verdict: 'admitted' });
  });

  it('of one source are one limit over clients whose codes live differently', async () => {
    const { start } = setUp({ ...OPEN, pendingPerSource: 10 }, [600, 300]);
    const verdicts: StartVerdict['verdict'][] = [];
    for (let n = 0; n < 30; n += 1) {
      verdicts.push((await start({ clientId: `c${n % 2}`, codeLifetimeSeconds: n % 2 ? 300 : 600 })).verdict);
    }
    expect(verdicts.filter((verdict) => verdict === 'admitted')).toHaveLength(10);
  });

  it('are limited per client, and for the other clients go on', async () => {
    const { start, startMany } = setUp({ ...OPEN, pendingPerClient: 10 });
    expect(await startMany(30)).toBe(10);
    expect(await start()).toMatchObject({ verdict: 'refused', limit: 'pending_per_client' });
    expect(await start({ clientId: 'tv' })).toMatchObject({ verdict: 'admitted' });
  });

  it('are limited in all', async () => {
    const { start, startMany } = setUp({ ...OPEN, pendingTotal: 10 });
    expect(await startMany(30, (n) => ({ source: `203.0.${n}.7`, clientId: `c${n}` }))).toBe(10);
    expect(await start({ source: '192.0.2.1' })).toMatchObject({ verdict: 'refused', limit: 'pending_total' });
  });

  it('that their own source refuses are not counted for the client or in all', async () => {
    const { limits, deps, startMany, start } = setUp({ startsPerSource: 5, pendingPerClient: 10, pendingTotal: 10 });
    expect(await startMany(500)).toBe(5);
    expect(await limits.countPending(deps.now())).toBe(5);
    expect(await start({ source: '192.0.2.1' })).toMatchObject({ verdict: 'admitted' });
  });
});

describe('what the length of a new code depends on', () => {
  it('is how many codes may be alive, those of the previous window among them', async () => {
    const { deps, start, startMany } = setUp();
    deps.wait(599);
    await startMany(20);
    deps.wait(2);
    expect(await start()).toMatchObject({ verdict: 'admitted', liveCodes: 21 });
    deps.wait(600);
    expect(await start()).toMatchObject({ liveCodes: 2 });
  });

  it('is how many wrong codes were entered, not how many right ones', async () => {
    const { deps, start } = setUp();
    const entries = createCodeEntryLimits(deps);
    for (let n = 0; n < 6; n += 1) {
      const entered = await entries.mayEnter({ source: HOME, browser: `b${n}`, nowMs: deps.now() });
      if (entered.verdict === 'allowed' && n >= 4) await entered.wasRight();
    }
    expect(await start()).toMatchObject({ wrongEntries: 4 });
  });
});

describe('a source that stands out', () => {
  it('is slowed to a tenth while somebody’s report is fresh', async () => {
    const { deps, startMany, start } = setUp();
    await setSourceMark(deps.ledger, slowedMark(`${HOME}/32`), deps.now() + 3600_000);
    expect(await startMany(60)).toBe(6);
    expect(await start({ source: '203.0.113.8' })).toMatchObject({ verdict: 'admitted' });
    deps.wait(3600);
    expect(await startMany(100)).toBe(60);
  });

  it('starts nothing while it is suspended, for clients that suspend; the others go on', async () => {
    const { deps, start } = setUp();
    await setSourceMark(deps.ledger, suspendedMark('203.0.113.0/24'), deps.now() + 90_500);
    expect(await start({ campaign: 'suspend' })).toEqual({
      verdict: 'refused',
      limit: 'campaign',
      retryAfterSeconds: 91,
    });
    expect(await start({ campaign: 'alert' })).toMatchObject({ verdict: 'admitted' });
    deps.wait(91);
    expect(await start({ campaign: 'suspend' })).toMatchObject({ verdict: 'admitted' });
  });
});

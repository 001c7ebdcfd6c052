import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CodeEntryLimits,
  countWrongEntries,
  createCodeEntryLimits,
  type EntryAttempt,
} from '../../../src/limits/code-entry-limits.ts';
import type { Counters } from '../../../src/limits/counters.ts';
import type { LimitSettings } from '../../../src/limits/limit-settings.ts';
import { limitDeps, OFFICE } from './limit-deps.ts';

const HOME = '203.0.113.7';
const ANNA = { upstream: 'corp', subject: 'anna' };

function setUp(overrides: Partial<LimitSettings> = {}) {
  const deps = limitDeps(overrides);
  const limits = createCodeEntryLimits(deps);
  let browsers = 0;
  /** One entry, by default in a browser of its own; answers what became of it. */
  const enter = async (more: Partial<EntryAttempt> = {}, isRight = false) => {
    browsers += 1;
    const entry = await limits.mayEnter({ source: HOME, browser: `b${browsers}`, nowMs: deps.now(), ...more });
    if (entry.verdict === 'allowed' && isRight) await entry.wasRight();
    return entry.verdict === 'refused' ? entry.limit : entry.verdict;
  };
  const wrong = async (count: number, more: (n: number) => Partial<EntryAttempt> = () => ({})) => {
    const verdicts: string[] = [];
    for (let n = 0; n < count; n += 1) verdicts.push(await enter(more(n)));
    return verdicts.filter((verdict) => verdict === 'allowed').length;
  };
  return { deps, limits, enter, wrong };
}

/** From here on a person is asked to sign in before a code is looked up. */
async function isTotalReached({ counters, limits, now }: ReturnType<typeof limitDeps>): Promise<boolean> {
  return (await countWrongEntries(counters, now())) >= limits.wrongCodesTotal;
}

describe('wrong codes', () => {
  it('are 50 for one source in ten minutes, and the answer says when to come again', async () => {
    const { deps, limits, wrong, enter } = setUp();
    deps.wait(60);
    expect(await wrong(80)).toBe(50);
    expect(await limits.mayEnter({ source: HOME, browser: 'new', nowMs: deps.now() })).toEqual({
      verdict: 'refused',
      limit: 'wrong_codes_per_source',
      retryAfterSeconds: 540,
    });
    deps.wait(540);
    expect(await enter()).toBe('allowed');
  });

  it('are ten for one browser, and its further tries do not use up what its office may', async () => {
    const { wrong, enter } = setUp();
    expect(await wrong(500, () => ({ browser: 'stubborn' }))).toBe(10);
    expect(await enter({ browser: 'stubborn' })).toBe('wrong_codes_per_browser');
    expect(await wrong(60)).toBe(40);
  });

  it('of a whole /24 or /48 are ten times as many', async () => {
    const { wrong } = setUp({ wrongCodesTotal: 0 });
    expect(await wrong(700, (n) => ({ source: `203.0.113.${n % 200}` }))).toBe(500);
    expect(await wrong(700, (n) => ({ source: `2001:db8:1:${n.toString(16)}::1` }))).toBe(500);
    expect(await wrong(60, (n) => ({ source: `2001:db8:2:1::${n.toString(16)}` }))).toBe(50);
  });

  it('are multiplied by the factor of a named network', async () => {
    const { wrong } = setUp({ wrongCodesTotal: 0 });
    expect(await wrong(1010, () => ({ source: OFFICE }))).toBe(1000);
  });

  it('that are refused by their source are not counted for its network or in all', async () => {
    const { deps, wrong, enter } = setUp({ wrongCodesPerSource: 2, wrongCodesTotal: 4 });
    await wrong(100);
    expect(await enter({ source: '203.0.113.8' })).toBe('allowed');
    expect(await isTotalReached(deps)).toBe(false);
  });

  it('decay with time alone: a right code in between gives nothing back (RFC 8628 §5.1)', async () => {
    const { enter, wrong } = setUp();
    await wrong(49);
    for (let n = 0; n < 100; n += 1) expect(await enter({}, true)).toBe('allowed');
    expect(await wrong(5)).toBe(1);
  });

  it('are not limited where the limits are 0', async () => {
    const { wrong } = setUp({
      wrongCodesPerSource: 0,
      wrongCodesPerBrowser: 0,
      wrongCodesPerSubject: 0,
      wrongCodesTotal: 0,
    });
    expect(await wrong(2000, () => ({ browser: 'one', person: ANNA }))).toBe(2000);
  });
});

describe('right codes', () => {
  it('of a crowd behind one address are no reason to refuse anybody', async () => {
    const { enter } = setUp();
    for (let n = 0; n < 300; n += 1) expect(await enter({}, true)).toBe('allowed');
  });
});

describe('at the total', () => {
  const flood = (n: number) => ({ source: `2001:db8:${(n % 40).toString(16)}:${n.toString(16)}::1` });

  it('nobody is refused: a person signs in first, and it is news once in a window', async () => {
    const { deps, limits, enter, wrong } = setUp();
    expect(await isTotalReached(deps)).toBe(false);
    expect(await wrong(1200, flood)).toBe(1000);
    expect(await isTotalReached(deps)).toBe(true);
    expect(await enter()).toBe('sign_in_first');
    expect(await enter({ person: ANNA }, true)).toBe('allowed');
    const news = await Promise.all(
      [1, 2, 3].map((n) => limits.mayEnter({ source: HOME, browser: `n${n}`, nowMs: deps.now() })),
    );
    expect(news.filter((entry) => entry.verdict === 'sign_in_first' && entry.isNews)).toHaveLength(0);
    deps.wait(600);
    expect(await isTotalReached(deps)).toBe(false);
    expect(await enter()).toBe('allowed');
  });

  it('is news for exactly one of those who come together', async () => {
    const { deps, limits, wrong } = setUp();
    await wrong(1000, flood);
    const entries = await Promise.all(
      Array.from({ length: 50 }, (_, n) => limits.mayEnter({ source: HOME, browser: `n${n}`, nowMs: deps.now() })),
    );
    expect(entries.filter((entry) => entry.verdict === 'sign_in_first' && entry.isNews)).toHaveLength(1);
  });

  it('being asked to sign in costs a person none of their tries', async () => {
    const { enter, wrong } = setUp();
    await wrong(1000, flood);
    for (let n = 0; n < 100; n += 1) expect(await enter({ browser: 'mine' })).toBe('sign_in_first');
    expect(await enter({ browser: 'mine', person: ANNA })).toBe('allowed');
  });

  it('costs no tries either where many come together just as it is reached', async () => {
    const { deps, limits, wrong } = setUp({ wrongCodesTotal: 5, wrongCodesPerSource: 30, wrongCodesPerSubject: 0 });
    const entries = await Promise.all(
      Array.from({ length: 30 }, (_, n) => limits.mayEnter({ source: HOME, browser: `c${n}`, nowMs: deps.now() })),
    );
    expect(entries.filter(({ verdict }) => verdict === 'allowed')).toHaveLength(5);
    expect(entries.filter(({ verdict }) => verdict === 'sign_in_first')).toHaveLength(25);
    expect(await wrong(100, () => ({ person: ANNA }))).toBe(25);
  });

  it('who signed in answers for their own wrong codes', async () => {
    const { enter, wrong } = setUp();
    await wrong(1000, flood);
    expect(await wrong(40, () => ({ person: ANNA }))).toBe(20);
    expect(await enter({ person: ANNA })).toBe('wrong_codes_per_subject');
    expect(await enter({ person: { upstream: 'corp', subject: 'ben' } })).toBe('allowed');
    expect(await enter({ person: { upstream: 'other', subject: 'anna' } })).toBe('allowed');
  });

  it('is not reached by one free IPv6 /48, and reached by many it still closes the page for nobody', async () => {
    const { deps, enter, wrong } = setUp();
    expect(await wrong(5000, (n) => ({ source: `2001:db8:1:${n.toString(16)}::1` }))).toBe(500);
    expect(await isTotalReached(deps)).toBe(false);
    expect(await enter()).toBe('allowed');
  });
});

describe('guesses that arrive together', () => {
  /** Plays entries against counters whose every step is run in an order that fast-check picks. */
  async function race(schedule: fc.Scheduler, codes: readonly boolean[], overrides: Partial<LimitSettings>) {
    const deps = limitDeps(overrides);
    const slow: Counters = {
      add: async (...rest) => {
        await schedule.schedule(Promise.resolve(), 'add');
        return deps.counters.add(...rest);
      },
      current: async (...rest) => {
        await schedule.schedule(Promise.resolve(), 'current');
        return deps.counters.current(...rest);
      },
      takePlaces: async (taking) => {
        await schedule.schedule(Promise.resolve(), 'take');
        return deps.counters.takePlaces(taking);
      },
      giveBackPlaces: async (keys) => {
        await schedule.schedule(Promise.resolve(), 'give back');
        return deps.counters.giveBackPlaces(keys);
      },
    };
    const limits: CodeEntryLimits = createCodeEntryLimits({ ...deps, counters: slow });
    let wrongLookUps = 0;
    const entries = Promise.all(
      codes.map(async (isRight, n) => {
        const entry = await limits.mayEnter({ source: HOME, browser: `b${n}`, nowMs: deps.now() });
        if (entry.verdict !== 'allowed') return;
        await schedule.schedule(Promise.resolve(), 'look up');
        if (isRight) await entry.wasRight();
        else wrongLookUps += 1;
      }),
    );
    await schedule.waitFor(entries);
    return wrongLookUps;
  }

  it.each([
    ['their source', { wrongCodesPerSource: 3 }],
    ['the total', { wrongCodesTotal: 3 }],
  ])('never slip past the limit of %s, in whatever order their steps run', async (_, overrides) => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(fc.boolean(), { minLength: 4, maxLength: 12 }),
        async (schedule, codes) => {
          expect(await race(schedule, codes, overrides)).toBeLessThanOrEqual(3);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('of one browser use up its own tries, and none of what its office, its person and all others have', async () => {
    const { deps, limits, wrong, enter } = setUp({ wrongCodesPerSubject: 60, wrongCodesTotal: 60 });
    const stubborn = { source: HOME, browser: 'stubborn', person: ANNA, nowMs: deps.now() };
    const burst = await Promise.all(Array.from({ length: 60 }, () => limits.mayEnter(stubborn)));
    expect(burst.filter(({ verdict }) => verdict === 'allowed')).toHaveLength(10);
    expect(await wrong(100, (n) => ({ browser: `colleague ${n}` }))).toBe(40);
    expect(await enter({ source: '198.51.100.200', browser: 'elsewhere', person: ANNA })).toBe('allowed');
    expect(await isTotalReached(deps)).toBe(false);
  });

  it('of one address use up its own, and none of what its network has', async () => {
    const { deps, limits, enter } = setUp({ wrongCodesPerSource: 2 });
    const at = (n: number) => ({ source: HOME, browser: `b${n}`, nowMs: deps.now() });
    await Promise.all(Array.from({ length: 100 }, (_, n) => limits.mayEnter(at(n))));
    for (let n = 0; n < 9; n += 1) expect(await enter({ source: `203.0.113.${100 + n}` })).toBe('allowed');
  });

  it('a thousand at once are fifty', async () => {
    const { deps, limits } = setUp();
    const entries = await Promise.all(
      Array.from({ length: 1000 }, (_, n) => limits.mayEnter({ source: HOME, browser: `b${n}`, nowMs: deps.now() })),
    );
    expect(entries.filter(({ verdict }) => verdict === 'allowed')).toHaveLength(50);
  });
});

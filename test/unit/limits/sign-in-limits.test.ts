import { describe, expect, it } from 'vitest';
import type { LimitSettings } from '../../../src/limits/limit-settings.ts';
import { createSignInLimits } from '../../../src/limits/sign-in-limits.ts';
import { limitDeps, OFFICE } from './limit-deps.ts';

const HOME = '203.0.113.7';

function setUp(overrides: Partial<LimitSettings> = {}) {
  const deps = limitDeps(overrides);
  const limits = createSignInLimits(deps);
  const begin = async (source = HOME, grantId?: string) => {
    const begun = await limits.mayBegin({ source, grantId, nowMs: deps.now() });
    return begun.verdict === 'allowed' ? begun.verdict : begun.limit;
  };
  const many = async (count: number, each: (n: number) => Promise<string>) => {
    const begun = await Promise.all(Array.from({ length: count }, (_, n) => each(n)));
    return begun.filter((verdict) => verdict === 'allowed').length;
  };
  return { deps, begin, many };
}

describe('steps towards a sign-in', () => {
  it('are fifty for one grant, also when they come together, and use up nothing more of the source', async () => {
    const { deps, begin, many } = setUp({ startsPerSource: 2 });
    expect(await many(200, () => begin(HOME, 'g'))).toBe(50);
    expect(await begin(HOME, 'g')).toBe('sign_ins_per_grant');
    expect(await many(100, (n) => begin(HOME, `g${n}`))).toBe(30);
    deps.wait(600);
    expect(await begin(HOME, 'g')).toBe('allowed');
  });

  it('for ever new grants are limited for their source: four for each that it may start in ten minutes', async () => {
    const { begin, many } = setUp();
    expect(await many(2500, (n) => begin(HOME, `g${n}`))).toBe(2400);
    expect(await begin(HOME, 'another')).toBe('sign_ins_per_source');
    expect(await begin('203.0.113.8', 'another')).toBe('allowed');
    expect(await begin(HOME)).toBe('allowed');
  });

  it('are ten times as many for a whole /48, and a named network has its factor', async () => {
    const { begin, many } = setUp({ startsPerSource: 1 });
    expect(await many(700, (n) => begin(`2001:db8:1:${n.toString(16)}::1`, `g${n}`))).toBe(400);
    expect(await many(900, (n) => begin(OFFICE, `o${n}`))).toBe(800);
  });

  it('without a grant are five hundred for a source', async () => {
    const { begin, many } = setUp();
    expect(await many(600, () => begin())).toBe(500);
    expect(await begin(HOME, 'g')).toBe('allowed');
  });

  it('are not limited for a source where its starts are not', async () => {
    const { begin, many } = setUp({ startsPerSource: 0 });
    expect(await many(5000, (n) => begin(HOME, `g${n}`))).toBe(5000);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createApprovalLimits } from '../../../src/limits/approval-limits.ts';
import type { Counters } from '../../../src/limits/counters.ts';
import { LIMITS } from '../../support/samples/sample-limits.ts';
import { limitDeps } from './limit-deps.ts';

function setUp(approvalsPerSubject = LIMITS.approvalsPerSubject) {
  const deps = limitDeps({ approvalsPerSubject });
  const limits = createApprovalLimits(deps);
  const approve = (grantId: string, subject = 'anna', upstream = 'corp') =>
    limits.mayApprove({ grantId, upstream, subject, nowMs: deps.now() });
  return { deps, approve };
}

describe('approvals of one person', () => {
  it('are twenty an hour, also when they come together', async () => {
    const { deps, approve } = setUp();
    deps.wait(600);
    const verdicts = await Promise.all(Array.from({ length: 60 }, (_, n) => approve(`g${n}`)));
    expect(verdicts.filter(({ verdict }) => verdict === 'allowed')).toHaveLength(20);
    expect(await approve('one more')).toEqual({
      verdict: 'refused',
      limit: 'approvals_per_subject',
      retryAfterSeconds: 3000,
    });
    deps.wait(3000);
    expect(await approve('later')).toEqual({ verdict: 'allowed' });
  });

  it('count once for a form that is sent twice', async () => {
    const { approve } = setUp(1);
    const verdicts = await Promise.all([approve('g'), approve('g'), approve('g')]);
    expect(verdicts).toEqual([{ verdict: 'allowed' }, { verdict: 'allowed' }, { verdict: 'allowed' }]);
    expect(await approve('h')).toMatchObject({ verdict: 'refused' });
  });

  it('beyond the limit are refused for a form that is sent twice at once too, in whatever order the steps run', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (schedule) => {
        const { deps, approve } = setUp(1);
        await approve('g');
        const slow: Counters = {
          ...deps.counters,
          add: (...rest) => schedule.schedule(Promise.resolve(), 'add').then(() => deps.counters.add(...rest)),
          current: (...rest) =>
            schedule.schedule(Promise.resolve(), 'current').then(() => deps.counters.current(...rest)),
          takePlaces: (taking) =>
            schedule.schedule(Promise.resolve(), 'take').then(() => deps.counters.takePlaces(taking)),
        };
        const limits = createApprovalLimits({ ...deps, counters: slow });
        const form = { grantId: 'h', upstream: 'corp', subject: 'anna', nowMs: deps.now() };
        const twice = Promise.all([limits.mayApprove(form), limits.mayApprove(form)]);
        await schedule.waitFor(twice);
        expect((await twice).map(({ verdict }) => verdict)).toEqual(['refused', 'refused']);
      }),
    );
  });

  it('are not those of the same name at another upstream, nor of another person', async () => {
    const { approve } = setUp(1);
    await approve('g');
    expect(await approve('h', 'anna', 'partner')).toEqual({ verdict: 'allowed' });
    expect(await approve('i', 'ben')).toEqual({ verdict: 'allowed' });
  });

  it('are not limited where the limit is 0', async () => {
    const { approve } = setUp(0);
    for (let n = 0; n < 50; n += 1) expect(await approve(`g${n}`)).toEqual({ verdict: 'allowed' });
  });
});

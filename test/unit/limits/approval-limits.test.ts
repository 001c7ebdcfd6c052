import { describe, expect, it } from 'vitest';
import { createApprovalLimits } from '../../../src/limits/approval-limits.ts';
import { limitGround } from './limit-ground.ts';

function setUp(approvalsPerSubject = 5) {
  const ground = limitGround({ approvalsPerSubject });
  const limits = createApprovalLimits(ground);
  const approve = (grantId: string, subject = 'anna', upstream = 'corp') =>
    limits.mayApprove({ grantId, upstream, subject, nowMs: ground.now() });
  return { ground, approve };
}

describe('approvals of one person', () => {
  it('are five an hour, also when they come together', async () => {
    const { ground, approve } = setUp();
    ground.wait(600);
    const verdicts = await Promise.all(Array.from({ length: 20 }, (_, n) => approve(`g${n}`)));
    expect(verdicts.filter(({ verdict }) => verdict === 'allowed')).toHaveLength(5);
    expect(await approve('one more')).toEqual({
      verdict: 'refused',
      limit: 'approvals_per_subject',
      retryAfterSeconds: 3000,
    });
    ground.wait(3000);
    expect(await approve('later')).toEqual({ verdict: 'allowed' });
  });

  it('count once for a form that is sent twice', async () => {
    const { approve } = setUp(1);
    const verdicts = await Promise.all([approve('g'), approve('g'), approve('g')]);
    expect(verdicts).toEqual([{ verdict: 'allowed' }, { verdict: 'allowed' }, { verdict: 'allowed' }]);
    expect(await approve('h')).toMatchObject({ verdict: 'refused' });
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

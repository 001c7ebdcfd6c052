import { describe, expect, it } from 'vitest';
import type { Approvers } from '../../../src/clients/registered-client.ts';
import { type Approver, judgeApprover, stillAllowed } from '../../../src/grants/policy.ts';
import { sampleClient } from '../../support/sample-client.ts';

const alice: Approver = { upstream: 'corp', subject: 'alice', groups: ['engineering', 'on-call'] };

describe('judgeApprover: who may approve for a client', () => {
  it.each<[string, Approvers, Approver, string]>([
    ['anybody, where nothing is said', {}, alice, 'allowed'],
    ['a member of one of the groups', { groups: ['sales', 'on-call'] }, alice, 'allowed'],
    ['a member of none of them', { groups: ['sales'] }, alice, 'group'],
    ['no group by another case', { groups: ['Engineering'] }, alice, 'group'],
    ['a group of the named upstream', { groups: ['corp|engineering'] }, alice, 'allowed'],
    ['a group of another upstream', { groups: ['labs|engineering'] }, alice, 'group'],
    ['somebody in no group', { groups: ['engineering'] }, { ...alice, groups: [] }, 'group'],
    [
      'somebody whose upstream says nothing of groups',
      { groups: ['engineering'] },
      { ...alice, groups: undefined },
      'claim_missing',
    ],
    ['somebody in a denied group', { denyGroups: ['on-call'] }, alice, 'deny_group'],
    ['a denied group before an allowed one', { groups: ['engineering'], denyGroups: ['on-call'] }, alice, 'deny_group'],
    [
      'deny_groups without the claim',
      { denyGroups: ['contractors'] },
      { ...alice, groups: undefined },
      'claim_missing',
    ],
    ['an empty deny_groups without the claim', { denyGroups: [] }, { ...alice, groups: undefined }, 'allowed'],
    ['an empty list of groups: nobody', { groups: [] }, alice, 'group'],
    ['a named subject', { subjects: ['alice'] }, alice, 'allowed'],
    ['a named subject of the upstream', { subjects: ['corp|alice'] }, alice, 'allowed'],
    ['the same subject at another upstream', { subjects: ['labs|alice'] }, alice, 'subject'],
    ['another subject', { subjects: ['bob'] }, alice, 'subject'],
    [
      'a group that is called like another upstream’s group there',
      { groups: ['labs|engineering'] },
      { ...alice, groups: ['labs|engineering'] },
      'group',
    ],
    [
      'a subject that is called like another upstream’s subject there',
      { subjects: ['labs|alice'] },
      { ...alice, subject: 'labs|alice' },
      'subject',
    ],
    [
      'a subject with a bar in it, where no upstream is called so',
      { subjects: ['auth0|1'] },
      { ...alice, subject: 'auth0|1' },
      'allowed',
    ],
    ['a named upstream', { upstreams: ['corp'] }, alice, 'allowed'],
    ['another upstream', { upstreams: ['labs'] }, alice, 'upstream'],
  ])('%s', (_who, approvers, approver, expected) => {
    const verdict = judgeApprover(sampleClient({ approvers, upstreams: ['corp', 'labs'] }), approver);
    expect(verdict.verdict === 'refused' ? verdict.reason : verdict.verdict).toBe(expected);
  });

  it('refuses an upstream that the client no longer has', () => {
    const verdict = judgeApprover(sampleClient({ upstreams: ['labs'] }), alice);
    expect(verdict).toEqual({ verdict: 'refused', reason: 'upstream' });
  });
});

describe('stillAllowed: what is issued is within what was shown and what is allowed today', () => {
  const client = sampleClient({
    scopes: { allowed: ['openid', 'packages:read'], default: [] },
    resources: ['https://a.example'],
  });
  it.each<[string, string[], string[], string[], string[]]>([
    [
      'all of it',
      ['packages:read', 'openid'],
      ['https://a.example'],
      ['packages:read', 'openid'],
      ['https://a.example'],
    ],
    ['without what is no longer allowed', ['openid', 'admin'], ['https://b.example'], ['openid'], []],
    ['never more than was asked', ['openid'], [], ['openid'], []],
  ])('%s', (_what, scopes, resources, left, leftResources) => {
    expect(stillAllowed(client, { scopes, resources })).toEqual({ scopes: left, resources: leftResources });
  });
});

import { describe, expect, it } from 'vitest';
import type { ApproverCondition, Approvers } from '../../../src/clients/registered-client.ts';
import { type Approver, judgeApprover, stillAllowed } from '../../../src/grants/decide/policy.ts';
import type { JudgedClaims } from '../../../src/ledger/approval.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';

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

  it.each<[string, Approvers, Approver]>([
    ['groups', { groups: ['engineering'] }, { ...alice, groups: 'unreadable' }],
    ['deny_groups', { denyGroups: ['contractors'] }, { ...alice, groups: 'unreadable' }],
    ['both', { groups: ['engineering'], denyGroups: ['contractors'] }, { ...alice, groups: 'unreadable' }],
  ])('decides nothing on groups that came and cannot be read: %s', (_what, approvers, approver) => {
    const verdict = judgeApprover(sampleClient({ approvers }), approver);
    expect(verdict).toEqual({ verdict: 'claim_unreadable', claim: 'groups' });
  });

  it('allows whoever comes with groups that cannot be read where nobody asks for groups', () => {
    const approver: Approver = { ...alice, groups: 'unreadable' };
    expect(judgeApprover(sampleClient(), approver)).toEqual({ verdict: 'allowed' });
    expect(judgeApprover(sampleClient({ approvers: { denyGroups: [] } }), approver)).toEqual({ verdict: 'allowed' });
  });

  it('refuses an upstream that the client no longer has', () => {
    const verdict = judgeApprover(sampleClient({ upstreams: ['labs'] }), alice);
    expect(verdict).toEqual({ verdict: 'refused', reason: 'upstream' });
  });
});

describe('judgeApprover: conditions on claims', () => {
  const is = (claim: string, value: string): ApproverCondition => ({ claim, holds: 'is', values: [value] });
  const anyOf = (claim: string, ...values: string[]): ApproverCondition => ({ claim, holds: 'any_of', values });
  const inDomain = (...values: string[]): ApproverCondition => ({ claim: 'email', holds: 'matches_domain', values });

  const verdictOf = (condition: ApproverCondition | ApproverCondition[], judged: JudgedClaims) => {
    const client = sampleClient({ approvers: { require: [condition].flat() } });
    const verdict = judgeApprover(client, { ...alice, judged });
    return verdict.verdict === 'refused' ? verdict.reason : verdict.verdict;
  };

  it.each<[string, ApproverCondition | ApproverCondition[], JudgedClaims, string]>([
    ['a value of several', anyOf('hd', 'a.example', 'b.example'), { hd: ['b.example'] }, 'allowed'],
    ['another value', anyOf('hd', 'a.example'), { hd: ['c.example'] }, 'claim'],
    ['one of its values', anyOf('roles', 'admin'), { roles: ['dev', 'admin'] }, 'allowed'],
    ['no values at all', anyOf('roles', 'admin'), { roles: [] }, 'claim'],
    ['a value by another case', anyOf('hd', 'A.example'), { hd: ['a.example'] }, 'claim'],
    ['the one value', is('email_verified', 'true'), { email_verified: ['true'] }, 'allowed'],
    ['the other one', is('email_verified', 'true'), { email_verified: ['false'] }, 'claim'],
    ['one of two where it must be the only one', is('tenant', 'a'), { tenant: ['a', 'b'] }, 'claim'],
    ['a claim that did not come', is('hd', 'a'), {}, 'claim_missing'],
    ['a claim that every object inherits', is('valueOf', 'a'), {}, 'claim_missing'],
    ['a claim that cannot be read', is('hd', 'a'), { hd: 'unreadable' }, 'claim_unreadable'],
    ['an address in the domain', inDomain('example.com'), { email: ['a@example.com'] }, 'allowed'],
    ['an address in the domain by another case', inDomain('example.com'), { email: ['a@EXAMPLE.com'] }, 'allowed'],
    ['an address in one of the domains', inDomain('a.example', 'b.example'), { email: ['a@b.example'] }, 'allowed'],
    [
      'an address in a domain of other letters',
      inDomain('xn--bcher-kva.example'),
      { email: ['a@bücher.example'] },
      'allowed',
    ],
    ['an address below the domain', inDomain('example.com'), { email: ['a@evil.example.com'] }, 'claim'],
    ['an address that only ends so', inDomain('example.com'), { email: ['a@notexample.com'] }, 'claim'],
    ['an address that begins so', inDomain('example.com'), { email: ['a@example.com.evil.example'] }, 'claim'],
    ['an address with two @', inDomain('example.com'), { email: ['a@evil.example@example.com'] }, 'claim_unreadable'],
    ['an address with a space', inDomain('example.com'), { email: ['a@example.com '] }, 'claim_unreadable'],
    ['the domain alone', inDomain('example.com'), { email: ['example.com'] }, 'claim_unreadable'],
    ['no address', inDomain('example.com'), { email: [] }, 'claim_unreadable'],
    ['two addresses, one elsewhere', inDomain('example.com'), { email: ['a@example.com', 'a@evil.example'] }, 'claim'],
    ['a verified address', inDomain('example.com'), { email: ['a@example.com'], email_verified: ['true'] }, 'allowed'],
    [
      'an unverified address',
      inDomain('example.com'),
      { email: ['a@example.com'], email_verified: ['false'] },
      'claim',
    ],
    [
      'an unverified address, compared',
      anyOf('email', 'a@b.example'),
      { email: ['a@b.example'], email_verified: ['false'] },
      'claim',
    ],
    [
      'an address of which it cannot be told',
      inDomain('example.com'),
      { email: ['a@example.com'], email_verified: 'unreadable' },
      'claim',
    ],
    ['two conditions that hold', [is('hd', 'a'), is('x', '1')], { hd: ['a'], x: ['1'] }, 'allowed'],
    ['two conditions, the second of which does not', [is('hd', 'a'), is('x', '1')], { hd: ['a'], x: ['2'] }, 'claim'],
    [
      'two conditions, the second of which cannot be told',
      [is('hd', 'a'), is('x', '1')],
      { hd: ['a'] },
      'claim_missing',
    ],
  ])('%s', (_who, condition, judged, expected) => expect(verdictOf(condition, judged)).toBe(expected));

  it('hold besides the groups, not in their place', () => {
    const approvers: Approvers = { groups: ['sales'], require: [is('hd', 'a')] };
    const verdict = judgeApprover(sampleClient({ approvers }), { ...alice, judged: { hd: ['a'] } });
    expect(verdict).toEqual({ verdict: 'refused', reason: 'group' });
  });

  it('are not met by an approval from before they were written', () => {
    const client = sampleClient({ approvers: { require: [is('hd', 'a')] } });
    expect(judgeApprover(client, alice)).toEqual({ verdict: 'claim_missing', claim: 'hd' });
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

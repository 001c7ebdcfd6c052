import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { GROUP_FORMS, type GroupForm } from '../support/upstream/fake-upstream-habits.ts';

/** What an upstream says of a person: who may approve with it, and what tokens say then. */

const ALICE = { sub: 'alice', name: 'Alice Adams', email: 'alice@example.com' };
const APPROVED = 'Approved';
const REFUSED = 'This account can’t approve this';
const NOT_SET_UP = 'The sign-in is not set up correctly';

let test: TestBroker;
const open = async (client: Record<string, unknown>, upstream: Record<string, unknown> = {}) => {
  await test?.close();
  test = await createTestBroker({ yaml: { clients: { 'build-cli': client }, upstreams: { corp: upstream } } });
};
afterEach(async () => {
  await test?.close();
  test = undefined as never;
});

/** Through the pages; answers the heading of the last one. */
async function tryToApprove(claims: Record<string, unknown>): Promise<string> {
  test.upstream.person = { ...ALICE, ...claims };
  test.upstream.behaviour = { idToken: { claims } };
  const { body } = await test.device().start();
  return test.approveInBrowser(body.user_code);
}

const undecided = () => test.lines.filter(({ event }) => event === 'account.undecided');

describe('groups that came and cannot be read', () => {
  const UNREADABLE: GroupForm[] = [
    'objects',
    'lists_in_a_list',
    'object_among_names',
    'map',
    'truth_value',
    'entra_overage',
  ];

  it.each(UNREADABLE)('let nobody approve where deny_groups are asked for: %s', async (form) => {
    await open({ approvers: { deny_groups: ['contractors'] } });
    expect(await tryToApprove(GROUP_FORMS[form])).toBe(NOT_SET_UP);
    const why = {
      client: 'build-cli',
      upstream: 'corp',
      claim: 'groups',
      reason: 'claim_unreadable',
      grant: expect.any(String),
    };
    expect(undecided()).toContainEqual(expect.objectContaining(why));
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'upstream.claim', claim: 'groups' }));
  });

  it('let nobody approve where groups are asked for, though one that can be read would do', async () => {
    await open({ approvers: { groups: ['engineering'] } });
    expect(await tryToApprove(GROUP_FORMS.object_among_names)).toBe(NOT_SET_UP);
  });

  it('stand in nobody’s way where no group is asked for, and are in no token', async () => {
    await open({ claims: ['groups'] });
    test.upstream.person = { ...ALICE, ...GROUP_FORMS.objects };
    expect(decodeJwt((await test.signIn()).access_token)).not.toHaveProperty('groups');
  });

  it('are not good enough at redemption either, by the policy of that moment', async () => {
    await open({});
    test.upstream.person = { ...ALICE, ...GROUP_FORMS.objects };
    const device = test.device();
    const { body } = await device.start();
    await test.approve(body.user_code);
    test.reload({ clients: { 'build-cli': { approvers: { deny_groups: ['contractors'] } } } });
    expect((await device.poll(body.device_code)).body.error).toBe('access_denied');
  });

  it('end a session at its refresh', async () => {
    await open({ approvers: { deny_groups: ['contractors'] } });
    const { refresh_token: token } = await test.signIn();
    test.upstream.person = { ...ALICE, ...GROUP_FORMS.lists_in_a_list };
    expect((await test.device().refresh(token)).body.error).toBe('invalid_grant');
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'policy' }));
  });
});

describe('groups are compared in whatever form they come, once claims.groups says which', () => {
  it.each<[GroupForm, Record<string, unknown>]>([
    ['names', { from: 'groups' }],
    ['objects', { from: 'groups', member: 'name' }],
    ['object_among_names', { from: 'groups', member: 'name' }],
    ['map', { from: 'groups', keys: true }],
    ['zitadel_roles', { from: 'urn:zitadel:iam:org:project:roles', keys: true }],
    ['cognito_text', { from: 'custom:groups', separator: ',' }],
    ['onelogin_text', { from: 'groups', separator: ';' }],
  ])('%s', async (form, groups) => {
    await open({ approvers: { groups: ['engineering'] }, claims: ['groups'] }, { claims: { groups } });
    expect(await tryToApprove(GROUP_FORMS[form])).toBe(APPROVED);
    test.upstream.behaviour = {};
    const said = decodeJwt((await test.signIn()).access_token)['groups'] as string[];
    expect(said.toSorted()).toEqual(['contractors', 'engineering']);
    test.reload({
      upstreams: { corp: { claims: { groups } } },
      clients: { 'build-cli': { approvers: { deny_groups: ['contractors'] } } },
    });
    expect(await tryToApprove(GROUP_FORMS[form])).toBe(REFUSED);
  });

  it('numbers as their digits', async () => {
    await open({ approvers: { deny_groups: ['1001'] } });
    expect(await tryToApprove(GROUP_FORMS.numbers)).toBe(REFUSED);
    test.reload({ clients: { 'build-cli': { approvers: { groups: ['1002'] } } } });
    expect(await tryToApprove(GROUP_FORMS.numbers)).toBe(APPROVED);
  });

  it('and only those that `only` names go into tokens, at a refresh too', async () => {
    const groups = { from: 'groups', only: ['eng-*'] };
    await open({ approvers: { groups: ['staff'] }, claims: ['groups'] }, { claims: { groups } });
    test.upstream.person = { ...ALICE, groups: ['staff', 'eng-web', 'eng-db', 'party'] };
    const first = await test.signIn();
    expect(decodeJwt(first.access_token)['groups']).toEqual(['eng-web', 'eng-db']);
    expect(decodeJwt(first.id_token)['groups']).toEqual(['eng-web', 'eng-db']);
    const second = await test.device().refresh(first.refresh_token);
    expect(decodeJwt(second.body.access_token)['groups']).toEqual(['eng-web', 'eng-db']);
  });
});

describe('approvers.require', () => {
  const CONDITIONS = [
    { claim: 'hd', any_of: ['example.com', 'example.org'] },
    { claim: 'email_verified', is: true },
    { claim: 'email', matches_domain: ['example.com'] },
    { claim: 'tenant.id', any_of: [7] },
  ];
  const GOOD = { hd: 'example.com', email_verified: true, tenant: { id: 7 } };
  beforeEach(() => open({ approvers: { require: CONDITIONS } }));

  it('all of them hold: approved, redeemed and refreshed', async () => {
    expect(await tryToApprove(GOOD)).toBe(APPROVED);
    test.upstream.behaviour = {};
    const tokens = await test.signIn();
    expect((await test.device().refresh(tokens.refresh_token)).status).toBe(200);
    // What a policy looks at is no reason to tell it to the device.
    expect(Object.keys(decodeJwt(tokens.access_token))).not.toContain('hd');
  });

  it.each<[string, Record<string, unknown>]>([
    ['another value', { ...GOOD, hd: 'evil.example' }],
    ['an unverified address', { ...GOOD, email_verified: false }],
    ['an address in another domain', { ...GOOD, email: 'alice@evil.example' }],
    ['an address below the domain', { ...GOOD, email: 'alice@evil.example.com' }],
    ['a number that is another', { ...GOOD, tenant: { id: 8 } }],
  ])('%s: this account may not', async (_what, claims) => {
    expect(await tryToApprove(claims)).toBe(REFUSED);
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'account.refused', reason: 'claim' }));
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['a claim that is missing', { ...GOOD, hd: null }, 'hd'],
    ['a claim that is empty', { ...GOOD, hd: '' }, 'hd'],
    ['a claim that cannot be read', { ...GOOD, hd: { name: 'example.com' } }, 'hd'],
    ['a claim in a claim that is missing', { ...GOOD, tenant: {} }, 'tenant.id'],
    ['a claim that is kept elsewhere', { ...GOOD, hd: null, _claim_names: { hd: 's' } }, 'hd'],
  ])('%s is never a yes, and the log says which', async (_what, claims, claim) => {
    expect(await tryToApprove(claims)).toBe(NOT_SET_UP);
    expect(undecided()).toContainEqual(expect.objectContaining({ claim, client: 'build-cli', upstream: 'corp' }));
  });

  it('is judged by today’s configuration at redemption', async () => {
    test.upstream.person = { ...ALICE, ...GOOD };
    const device = test.device();
    const { body } = await device.start();
    await test.approve(body.user_code);
    test.reload({ clients: { 'build-cli': { approvers: { require: [{ claim: 'hd', any_of: ['example.org'] }] } } } });
    expect((await device.poll(body.device_code)).body.error).toBe('access_denied');
  });

  it('ends a session whose person no longer meets it', async () => {
    test.upstream.person = { ...ALICE, ...GOOD };
    const { refresh_token: token } = await test.signIn();
    test.upstream.person = { ...ALICE, ...GOOD, hd: 'evil.example' };
    expect((await test.device().refresh(token)).body.error).toBe('invalid_grant');
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'policy' }));
  });

  it('asks userinfo for what the ID token lacks', async () => {
    const thin = { hd: null, email_verified: null, tenant: null };
    test.upstream.person = { ...ALICE, ...GOOD };
    test.upstream.behaviour = { idToken: { claims: thin } };
    const { body } = await test.device().start();
    expect(await test.approveInBrowser(body.user_code)).toBe(APPROVED);
  });
});

describe('what is very much', () => {
  const groups = (count: number) => ({
    groups: Array.from({ length: count }, (_, n) => `cn=group-${n},ou=staff,dc=example,dc=com`),
  });
  const TOO_MUCH = 'Too much to say about this account';

  it('is refused with words, before anything is approved', async () => {
    await open({ claims: ['groups'] });
    expect(await tryToApprove(groups(3000))).toBe(TOO_MUCH);
    expect(test.lines).toContainEqual(
      expect.objectContaining({ event: 'account.refused', reason: 'claims_too_large', client: 'build-cli' }),
    );
    expect(await tryToApprove(groups(100))).toBe(APPROVED);
  });

  it('is no matter where no token carries it, or where `only` keeps it small', async () => {
    await open({ approvers: { groups: ['cn=group-7,ou=staff,dc=example,dc=com'] } });
    expect(await tryToApprove(groups(3000))).toBe(APPROVED);
    test.reload({
      clients: { 'build-cli': { claims: ['groups'] } },
      upstreams: { corp: { claims: { groups: { from: 'groups', only: ['cn=group-1?,*', 'cn=group-29*'] } } } },
    });
    expect(await tryToApprove(groups(3000))).toBe(APPROVED);
  });

  it('that comes at a refresh ends the session', async () => {
    await open({ claims: ['groups'] });
    const { refresh_token: token } = await test.signIn();
    test.upstream.person = { ...ALICE, ...groups(3000) };
    expect((await test.device().refresh(token)).body.error).toBe('invalid_grant');
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'policy' }));
  });

  it.each([9000, 20_000, 100_000])(
    'a name of %i characters is shown and carried cut, and the approval goes on',
    async (length) => {
      await open({ claims: ['name'] });
      const name = 'x'.repeat(length);
      // Without an address the account is shown by its name.
      expect(await tryToApprove({ name, email: null })).toBe(APPROVED);
      expect(test.lines).toContainEqual(expect.objectContaining({ event: 'upstream.claim', claim: 'name' }));
      const approved = test.lines.find(({ event }) => event === 'grant.approved');
      expect(String(approved?.['account'])).toHaveLength(200);
      test.upstream.behaviour = {};
      expect(String(decodeJwt((await test.signIn()).access_token)['name'])).toBe(`${'x'.repeat(199)}…`);
    },
  );
});

import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { Behaviour } from '../support/upstream/fake-upstream-behaviour.ts';
import { GROUP_FORMS } from '../support/upstream/fake-upstream-habits.ts';

/** Somebody in more groups than Entra ID writes into a token: it has a reference in their place. */

const GRAPH = '/v1.0/me/getMemberGroups';
const NOT_SET_UP = 'The sign-in is not set up correctly';
const HOUR = 60 * 60 * 1000;

let test: TestBroker;
const open = async (
  client: Record<string, unknown>,
  upstream: Record<string, unknown> = { groups_overage: 'graph' },
) => {
  test = await createTestBroker({ yaml: { clients: { 'build-cli': client }, upstreams: { corp: upstream } } });
  test.upstream.person = { sub: 'alice', name: 'Alice Adams', email: 'alice@example.com' };
};
afterEach(() => test.close());

const overage = (graph: Behaviour['graph'] = {}): Behaviour => ({
  idToken: { claims: GROUP_FORMS.entra_overage },
  graph: { groups: ['id-1', 'id-2'], ...graph },
});
async function tryToApprove(behaviour: Behaviour): Promise<string> {
  test.upstream.behaviour = behaviour;
  return test.approveInBrowser((await test.device().start()).body.user_code);
}

describe('groups_overage: graph', () => {
  it.each([
    ['a reference', GROUP_FORMS.entra_overage],
    ['a word that there are too many', { groups: null, hasgroups: true }],
  ])('asks Graph for the groups where the token has %s: once, with the person’s token', async (_what, claims) => {
    await open({ approvers: { groups: ['id-2'], deny_groups: ['id-9'] }, claims: ['groups'] });
    test.upstream.behaviour = { ...overage(), idToken: { claims } };
    const tokens = await test.signIn();
    expect(decodeJwt(tokens.access_token)['groups']).toEqual(['id-1', 'id-2']);
    expect(test.upstream.requestsTo(GRAPH)).toHaveLength(1);
    const { body } = await test.device().refresh(tokens.refresh_token);
    expect(decodeJwt(body.access_token)['groups']).toEqual(['id-1', 'id-2']);
    expect(test.upstream.requestsTo(GRAPH)).toHaveLength(2);
  });

  it('judges by what Graph says', async () => {
    await open({ approvers: { deny_groups: ['id-2'] } });
    expect(await tryToApprove(overage())).toBe('This account can’t approve this');
    expect(await tryToApprove(overage({ groups: ['id-1'] }))).toBe('Approved');
  });

  it('takes as many as Graph tells', async () => {
    await open({ approvers: { groups: ['id-10999'] } });
    const groups = Array.from({ length: 11_000 }, (_, n) => `id-${n}`);
    expect(await tryToApprove(overage({ groups }))).toBe('Approved');
  });

  it.each<[string, Behaviour['graph']]>([
    ['the permission is missing', { fault: { error: 'Authorization_RequestDenied', status: 403 } }],
    ['there are more than it tells', { fault: { error: 'Directory_ResultSizeLimitExceeded', status: 400 } }],
  ])('lets nobody approve where %s', async (_what, graph) => {
    await open({ approvers: { deny_groups: ['contractors'] } });
    expect(await tryToApprove(overage(graph))).toBe(NOT_SET_UP);
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'upstream.rejected' }));
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'account.undecided', claim: 'groups' }));
  });

  it.each<[string, Behaviour['graph'], string]>([
    ['does not answer', { trouble: 'close' }, 'The sign-in is not available right now'],
    ['answers 503', { trouble: 'status_503' }, 'The sign-in is not available right now'],
    ['answers with something else', { groups: { a: 1 } }, 'The sign-in did not work'],
    ['answers with something else than ids', { groups: [{ id: 1 }] }, 'The sign-in did not work'],
    ['tells only some', { members: { '@odata.nextLink': 'https://graph.example/next' } }, 'The sign-in did not work'],
  ])('fails the sign-in of a client whose approvers need groups where Graph %s', async (_what, graph, heading) => {
    await open({ approvers: { deny_groups: ['contractors'] } });
    expect(await tryToApprove(overage(graph))).toBe(heading);
  });

  it('is not asked where nobody needs groups, nor where the token has them', async () => {
    await open({});
    expect(await tryToApprove(overage())).toBe('Approved');
    test.reload({ clients: { 'build-cli': { claims: ['groups'] } }, upstreams: { corp: { groups_overage: 'graph' } } });
    expect(await tryToApprove({ idToken: { claims: { groups: ['id-1'] } } })).toBe('Approved');
    expect(test.upstream.requestsTo(GRAPH)).toEqual([]);
  });

  it('away at a refresh, what was known stands for the tolerance', async () => {
    await open({ approvers: { groups: ['id-2'] }, claims: ['groups'] });
    test.upstream.behaviour = overage();
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = overage({ trouble: 'status_503' });
    const { status, body } = await test.device().refresh(token);
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token)['groups']).toEqual(['id-1', 'id-2']);
    await test.advance(HOUR + 1000);
    expect((await test.device().refresh(body.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('off: nobody is asked, and nobody approves who is to be judged by groups', async () => {
    await open({ approvers: { deny_groups: ['contractors'] } }, {});
    expect(await tryToApprove(overage())).toBe(NOT_SET_UP);
    expect(test.upstream.requestsTo(GRAPH)).toEqual([]);
  });
});

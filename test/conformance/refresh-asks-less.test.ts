import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { setMark } from '../../src/grants/revocation-marks.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

/** What a refresh spares: questions to the upstream, and an ID token that nobody reads. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const SIGN_IN_AGAIN = { status: 400, body: { error: 'invalid_grant' } };

let test: TestBroker;
const open = async (client: Record<string, unknown>, upstream: Record<string, unknown> = {}) => {
  test = await createTestBroker({ yaml: { clients: { 'build-cli': client }, upstreams: { corp: upstream } } });
};
afterEach(() => test.close());

const refresh = (token: string) => test.device().refresh(token);
const refreshesThere = () =>
  test.upstream.requestsTo('/token').filter(({ form }) => form.get('grant_type') === 'refresh_token').length;
const userinfosThere = () => test.upstream.requestsTo('/userinfo').length;

/** Its ID tokens have nothing but who it is; all else is in userinfo. */
const BARE = { idToken: { claims: { name: null, email: null, email_verified: null, groups: null } } };

describe('userinfo at a refresh', () => {
  it('is not asked for what nobody copies or judges', async () => {
    await open({ claims: [] });
    test.upstream.behaviour = BARE;
    const { refresh_token: token } = await test.signIn();
    const before = userinfosThere();
    expect(before).toBe(1);
    expect((await refresh(token)).status).toBe(200);
    expect(userinfosThere()).toBe(before);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a claim that tokens carry', { claims: ['email'] }],
    ['a claim of a scope', { scopes: { allowed: ['openid', 'email'], default: ['openid', 'email'] } }],
    ['groups that the policy judges', { approvers: { groups: ['engineering'] } }],
    ['groups that the policy refuses', { approvers: { deny_groups: ['contractors'] } }],
    ['a condition on a claim', { approvers: { require: [{ claim: 'email', matches_domain: ['example.com'] }] } }],
  ])('is asked for %s', async (_, client) => {
    await open(client);
    test.upstream.behaviour = BARE;
    const { refresh_token: token } = await test.signIn();
    const before = userinfosThere();
    expect((await refresh(token)).status).toBe(200);
    expect(userinfosThere()).toBe(before + 1);
  });

  it('is asked who it is where the answer has no ID token, and ends the session of another one', async () => {
    await open({ claims: [] });
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = { ...BARE, refresh: { answers: 'null_id_token' } };
    const { body } = await refresh(token);
    expect(userinfosThere()).toBeGreaterThan(0);
    test.upstream.behaviour = { refresh: { answers: 'null_id_token' }, userinfo: { claims: { sub: 'mallory' } } };
    expect(await refresh(body.refresh_token)).toMatchObject(SIGN_IN_AGAIN);
  });

  it('is asked for a claim that today’s configuration wants, and yesterday’s did not', async () => {
    await open({ claims: [] });
    test.upstream.behaviour = BARE;
    const { refresh_token: token } = await test.signIn();
    const { body } = await refresh(token);
    test.reload({ clients: { 'build-cli': { claims: ['groups'], approvers: { groups: ['engineering'] } } } });
    const { status, body: next } = await refresh(body.refresh_token);
    expect(status).toBe(200);
    expect(decodeJwt(next.access_token)).toMatchObject({ groups: ['engineering'] });
  });

  it('takes no name from the account that was shown', async () => {
    await open({ claims: [] });
    test.upstream.behaviour = BARE;
    const { refresh_token: token } = await test.signIn();
    const { body } = await refresh(token);
    expect((await refresh(body.refresh_token)).status).toBe(200);
    expect(test.lines.filter(({ event }) => event === 'session.refreshed')).toHaveLength(2);
  });
});

describe('recheck', () => {
  const RECHECK = { recheck: '10m' };

  it('the upstream is asked when its last answer is older, the one at the sign-in included', async () => {
    await open({}, RECHECK);
    let { refresh_token: token } = await test.signIn();
    const asked: number[] = [];
    for (const minutes of [1, 8, 2, 5, 6]) {
      await test.advance(minutes * MINUTE);
      const answer = await refresh(token);
      expect(answer.status).toBe(200);
      token = answer.body.refresh_token;
      asked.push(refreshesThere());
    }
    expect(asked).toEqual([0, 0, 1, 1, 2]);
  });

  it('an account that was closed goes on until then, and no longer', async () => {
    await open({}, RECHECK);
    const { refresh_token: token } = await test.signIn();
    test.upstream.isAccountEnabled = false;
    await test.advance(9 * MINUTE);
    const { status, body } = await refresh(token);
    expect(status).toBe(200);
    await test.advance(MINUTE);
    expect(await refresh(body.refresh_token)).toMatchObject(SIGN_IN_AGAIN);
  });

  it('an upstream that is away does not count as asked: it is tried at each refresh until it answers', async () => {
    await open({}, RECHECK);
    const first = await test.signIn();
    await test.advance(10 * MINUTE);
    test.upstream.behaviour = { refresh: { trouble: 'status_503' } };
    const second = await refresh(first.refresh_token);
    const third = await refresh(second.body.refresh_token);
    expect([second.status, third.status, refreshesThere()]).toEqual([200, 200, 2]);
    test.upstream.behaviour = {};
    expect((await refresh(third.body.refresh_token)).status).toBe(200);
    expect(refreshesThere()).toBe(3);
  });

  it('0s, the default, asks each time, also within one millisecond', async () => {
    await open({});
    const { refresh_token: token } = await test.signIn();
    const { body } = await refresh(token);
    await refresh(body.refresh_token);
    expect(refreshesThere()).toBe(2);
  });

  it('today’s policy is asked about at once: nobody is refused on an old answer, and nobody goes on against it', async () => {
    await open({}, RECHECK);
    const { refresh_token: token } = await test.signIn();
    test.upstream.person = { ...test.upstream.person, groups: ['admins'] };
    test.reload({
      clients: { 'build-cli': { approvers: { groups: ['admins'] } } },
      upstreams: { corp: RECHECK },
    });
    const { status, body } = await refresh(token);
    expect([status, refreshesThere()]).toEqual([200, 1]);
    test.reload({
      clients: { 'build-cli': { approvers: { groups: ['nobody'] } } },
      upstreams: { corp: RECHECK },
    });
    expect(await refresh(body.refresh_token)).toMatchObject(SIGN_IN_AGAIN);
    expect(refreshesThere()).toBe(2);
  });

  it.each<[string, (test: TestBroker) => Promise<void> | void]>([
    ['a kill switch', async () => test.advance(1)],
    ['a client that is gone', () => test.reload({ clients: { 'build-cli': { grant_types: ['device_code'] } } })],
  ])('%s does not wait for it', async (name, end) => {
    await open({}, { recheck: '1h' });
    const { refresh_token: token } = await test.signIn();
    await end(test);
    if (name === 'a kill switch') {
      const { storage, sealing } = test.broker.processContext;
      const nowMs = await storage.ledger.now();
      await setMark({ ledger: storage.ledger, sealing }, { mark: 'all' }, nowMs, nowMs + MINUTE);
    }
    expect((await refresh(token)).status).toBe(400);
    expect(refreshesThere()).toBe(0);
  });

  it('relayed tokens are the upstream’s, so it is asked each time', async () => {
    await open({ tokens: 'relay' }, RECHECK);
    const { refresh_token: token } = await test.signIn();
    expect((await refresh(token)).status).toBe(200);
    expect(refreshesThere()).toBe(1);
  });

  it('of many at once with one token all get one successor, without a lease', async () => {
    await open({}, RECHECK);
    const { refresh_token: token } = await test.signIn();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(token)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    expect(refreshesThere()).toBe(0);
  });
});

describe('id_token_on_refresh: false (OpenID Connect Core §12.2)', () => {
  it.each<[string, Record<string, unknown>]>([
    ['minted', {}],
    ['relayed', { tokens: 'relay' }],
    ['the upstream’s own', { tokens: 'relay', relay_id_token: true }],
  ])('leaves it out of refreshed answers, and of no other: %s', async (_, client) => {
    await open({ ...client, id_token_on_refresh: false });
    const first = await test.signIn();
    expect(first).toHaveProperty('id_token');
    const { status, body } = await refresh(first.refresh_token);
    expect(status).toBe(200);
    expect(body).toHaveProperty('access_token');
    expect(body).not.toHaveProperty('id_token');
    // Given again after a lost answer, it is the same answer.
    expect((await refresh(first.refresh_token)).body).not.toHaveProperty('id_token');
  });

  it('true is the default', async () => {
    await open({});
    const { refresh_token: token } = await test.signIn();
    expect((await refresh(token)).body).toHaveProperty('id_token');
  });

  it('userinfo says what it said before', async () => {
    await open({ id_token_on_refresh: false, claims: { id_token: ['email'], access_token: [] } });
    const { refresh_token: token } = await test.signIn();
    const { body } = await refresh(token);
    const headers = { authorization: `Bearer ${body.access_token}` };
    expect((await test.device().send('/userinfo', { headers })).body).toMatchObject({ email: 'alice@example.com' });
  });
});

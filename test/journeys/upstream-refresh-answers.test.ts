import { decodeJwt } from 'jose';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { Behaviour } from '../support/upstream/fake-upstream-behaviour.ts';

/** What an upstream says of the account at a refresh, and what the device's tokens say then. */

const HOUR = 60 * 60 * 1000;
const SIGN_IN_AGAIN = { status: 400, body: { error: 'invalid_grant' } };

let test: TestBroker;
const open = async (client: Record<string, unknown>, upstream: Record<string, unknown> = {}) => {
  test = await createTestBroker({ yaml: { clients: { 'build-cli': client }, upstreams: { corp: upstream } } });
};
afterEach(() => test.close());

const refresh = (token: string) => test.device().refresh(token);
const isEndedBy = (by: string) => test.lines.some((line) => line.event === 'session.ended' && line['by'] === by);

/** The upstream leaves claims out, in the ID token and in userinfo alike. */
const without = (...names: string[]): Behaviour => {
  const claims = Object.fromEntries(names.map((name) => [name, null]));
  return { idToken: { claims }, userinfo: { claims } };
};

describe('a claim that a full answer lacks is absent', () => {
  it.each([{ groups: ['engineering'] }, { deny_groups: ['contractors'] }])(
    'and a policy that needs it ends the session: %j',
    async (approvers) => {
      await open({ approvers });
      const { refresh_token: token } = await test.signIn();
      test.upstream.behaviour = without('groups');
      expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
      expect(isEndedBy('policy')).toBe(true);
      expect(test.upstream.revoked).toHaveLength(1);
    },
  );

  it('and a condition that needs it ends the session', async () => {
    await open({ approvers: { require: [{ claim: 'hd', any_of: ['example.com'] }] } });
    test.upstream.person = { ...test.upstream.person, hd: 'example.com' };
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = without('hd');
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
    expect(isEndedBy('policy')).toBe(true);
  });

  it('and its old value is never minted again, in any token nor by userinfo', async () => {
    await open({ claims: ['groups', 'email', 'name', 'department'] });
    test.upstream.person = { ...test.upstream.person, department: 'R&D' };
    const first = await test.signIn();
    expect(decodeJwt(first.access_token)).toMatchObject({ groups: ['engineering'], department: 'R&D' });
    test.upstream.behaviour = without('groups', 'department', 'name', 'email');
    const { status, body } = await refresh(first.refresh_token);
    expect(status).toBe(200);
    const userinfo = await test
      .device()
      .send('/userinfo', { headers: { authorization: `Bearer ${body.access_token}` } });
    for (const said of [decodeJwt(body.access_token), decodeJwt(body.id_token), userinfo.body]) {
      for (const name of ['groups', 'department', 'name', 'email', 'email_verified']) {
        expect(said).not.toHaveProperty(name);
      }
    }
    test.upstream.behaviour = {};
    const again = await refresh(body.refresh_token);
    expect(decodeJwt(again.body.access_token)).toMatchObject({ groups: ['engineering'], department: 'R&D' });
  });

  it('also where only userinfo says something at a refresh', async () => {
    await open({ claims: ['groups'] });
    const { refresh_token: token } = await test.signIn();
    test.upstream.behaviour = { ...without('groups'), refresh: { answers: 'null_id_token' } };
    const { body } = await refresh(token);
    expect(decodeJwt(body.access_token)).not.toHaveProperty('groups');
  });
});

describe('a claim that could not be asked for is not absent, while the upstream may be away', () => {
  const unanswered: Behaviour[] = [{ trouble: 'status_500' }, { trouble: 'status_429' }, { trouble: 'html' }].map(
    (userinfo) => ({ idToken: { claims: { groups: null } }, userinfo: userinfo as Behaviour['userinfo'] }) as Behaviour,
  );

  it.each(unanswered)('so it stands for tolerance, and what did come is new: %j', async (behaviour) => {
    await open({ claims: ['groups', 'email'], approvers: { groups: ['engineering'] } });
    const { refresh_token: token } = await test.signIn();
    test.upstream.person = { ...test.upstream.person, email: 'alice@new.example' };
    test.upstream.behaviour = behaviour;
    const { status, body } = await refresh(token);
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token)).toMatchObject({ groups: ['engineering'], email: 'alice@new.example' });
  });

  it('beyond it, it is in no token', async () => {
    await open({ claims: ['groups', 'email'] });
    const { refresh_token: token } = await test.signIn();
    await test.advance(HOUR + 1000);
    test.upstream.behaviour = unanswered[0] as Behaviour;
    const { body } = await refresh(token);
    expect(decodeJwt(body.access_token)).toMatchObject({ email: 'alice@example.com' });
    expect(decodeJwt(body.access_token)).not.toHaveProperty('groups');
    // A partial answer does not begin the tolerance anew.
    test.upstream.behaviour = {};
    expect(decodeJwt((await refresh(body.refresh_token)).body.access_token)).toHaveProperty('groups');
  });

  it('beyond it, a policy that needs it waits where nothing is lost by that, and never says yes', async () => {
    await open({ approvers: { groups: ['engineering'] } });
    test.upstream.behaviour = { token: { keepsRefreshToken: true } };
    const { refresh_token: token } = await test.signIn();
    await test.advance(HOUR + 1000);
    test.upstream.behaviour = { ...unanswered[0], token: { keepsRefreshToken: true } };
    expect(await refresh(token)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    test.upstream.behaviour = {};
    expect((await refresh(token)).status).toBe(200);
  });

  it('beyond it, and with a token that the upstream has rotated, the policy ends the session', async () => {
    await open({ approvers: { groups: ['engineering'] } });
    const { refresh_token: token } = await test.signIn();
    await test.advance(HOUR + 1000);
    test.upstream.behaviour = unanswered[0] as Behaviour;
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
    expect(isEndedBy('policy')).toBe(true);
  });

  it('nor is it told anew by an answer whose ID token does not check, beyond tolerance', async () => {
    await open({ claims: ['groups'] });
    const { refresh_token: token } = await test.signIn();
    await test.advance(HOUR + 1000);
    test.upstream.behaviour = { refresh: { answers: 'garbled_id_token' } };
    const { status, body } = await refresh(token);
    expect(status).toBe(200);
    expect(decodeJwt(body.access_token)).not.toHaveProperty('groups');
    test.upstream.behaviour = {};
    expect((await refresh(body.refresh_token)).status).toBe(200);
  });
});

import { afterEach, describe, expect, it } from 'vitest';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

/** What a reload asks for besides, of sessions that began before it. */

const SIGN_IN_AGAIN = { status: 400, body: { error: 'invalid_grant' } };
const HD = { approvers: { require: [{ claim: 'hd', any_of: ['example.com'] }] } };

let test: TestBroker;
afterEach(() => test.close());

const refresh = (token: string) => test.device().refresh(token);
const asked = () => test.upstream.requestsTo('/token').length;
const endings = () => test.lines.filter(({ event }) => event === 'session.ended').map(({ by }) => by);
const reload = (client: Record<string, unknown>) => test.reload({ ...test.yaml, clients: { 'build-cli': client } });

/** A session that began under the usual configuration. */
async function begun(person: Record<string, unknown> = {}): Promise<string> {
  test = await createTestBroker({});
  test.upstream.person = { ...test.upstream.person, ...person };
  return (await test.signIn()).refresh_token;
}

describe('a condition that a reload adds', () => {
  it('on a claim that nobody had asked for is judged by what the upstream says now', async () => {
    const token = await begun({ hd: 'example.com' });
    reload(HD);
    const { status, body } = await refresh(token);
    expect(status).toBe(200);
    expect((await refresh(body.refresh_token)).status).toBe(200);
  });

  it('on groups that are renamed on both sides ends no session', async () => {
    const token = await begun({ groups: ['engineering'] });
    reload({ approvers: { groups: ['engineering'] } });
    const { body } = await refresh(token);
    test.upstream.person = { ...test.upstream.person, groups: ['eng-platform'] };
    reload({ approvers: { groups: ['eng-platform'] } });
    expect((await refresh(body.refresh_token)).status).toBe(200);
  });

  it.each([
    ['another value', { hd: 'evil.example' }],
    ['no such claim', {}],
  ])('ends the session where the upstream says %s, and gives its token back', async (_what, person) => {
    const token = await begun(person);
    reload(HD);
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
    expect(endings()).toEqual(['policy']);
    expect(test.upstream.revoked).toHaveLength(1);
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
  });

  it('mints nothing while the upstream is away, and loses nothing', async () => {
    const token = await begun({ hd: 'example.com' });
    reload(HD);
    test.upstream.behaviour = { refresh: { trouble: 'status_503' } };
    expect(await refresh(token)).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
    test.upstream.behaviour = {};
    expect((await refresh(token)).status).toBe(200);
  });

  it('that what was said last does not meet refuses meanwhile, and ends nothing', async () => {
    const token = await begun({ groups: ['engineering'] });
    reload({ approvers: { groups: ['engineering'] } });
    const { body } = await refresh(token);
    reload({ approvers: { deny_groups: ['engineering'] } });
    test.upstream.behaviour = { refresh: { trouble: 'status_503' } };
    expect(await refresh(body.refresh_token)).toMatchObject(SIGN_IN_AGAIN);
    expect(endings()).toEqual([]);
    test.upstream.behaviour = {};
    reload({});
    expect((await refresh(body.refresh_token)).status).toBe(200);
  });

  it('that no answer of the upstream could change is judged without asking it', async () => {
    const token = await begun();
    const before = asked();
    reload({ approvers: { subjects: ['somebody-else'] } });
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
    expect([asked(), endings()]).toEqual([before, []]);
    reload({});
    expect((await refresh(token)).status).toBe(200);
  });
});

describe('require', () => {
  it('dpop: a session without a key is refused, also where a key comes with its token; nothing is ended or asked', async () => {
    const token = await begun();
    const before = asked();
    reload({ require: ['dpop'] });
    expect(await refresh(token)).toMatchObject(SIGN_IN_AGAIN);
    expect(await test.device({ dpop: await newDpopKey() }).refresh(token)).toMatchObject(SIGN_IN_AGAIN);
    expect([asked(), endings()]).toEqual([before, []]);
    reload({});
    expect((await refresh(token)).status).toBe(200);
  });

  it('dpop: a session with a key goes on; pkce: is about the code alone', async () => {
    test = await createTestBroker({});
    const device = test.device({ dpop: await newDpopKey() });
    const { refresh_token: token } = await test.signIn(device);
    reload({ require: ['dpop', 'pkce'] });
    expect((await device.refresh(token)).status).toBe(200);
  });
});

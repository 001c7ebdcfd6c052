import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceAnswer } from '../support/broker/test-device.ts';
import type { LogoutTokenChanges } from '../support/upstream/fake-upstream.ts';

const SID_ONLY = { claims: { sub: null } };
const SUB_ONLY = { claims: { sid: null } };

describe('OpenID Connect Back-Channel Logout §2: at POST /backchannel-logout/{upstream}', () => {
  let test: TestBroker;
  beforeEach(async () => {
    test = await createTestBroker({ yaml: { clients: { stays: { end_on_logout: false } } } });
  });
  afterEach(() => test.close());

  const send = (token: string, upstream = 'corp'): Promise<DeviceAnswer> =>
    test.device().send(`/backchannel-logout/${upstream}`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
  const logOut = async (changes: LogoutTokenChanges = {}) => {
    await test.advance(10);
    return send(await test.upstream.logoutToken(changes));
  };
  const isAlive = async (token: string, clientId = 'build-cli') =>
    (await test.device({ clientId }).refresh(token)).status === 200;

  it('§2.8: a good token is answered with 200 and no-store', async () => {
    const answer = await logOut();
    expect([answer.status, answer.text, answer.headers.get('cache-control')]).toEqual([200, '', 'no-store']);
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'logout.received', upstream: 'corp' }));
  });

  it.each([
    ['sid and sub', {}],
    ['sid alone', SID_ONLY],
    ['sub alone', SUB_ONLY],
  ])('§2.7: with %s it ends the device sessions of that sign-in', async (_what, changes) => {
    const tokens = await test.signIn();
    await logOut(changes);
    const userinfo = await test
      .device()
      .send('/userinfo', { headers: { authorization: `Bearer ${tokens.access_token}` } });
    expect(userinfo.status).toBe(401);
    expect(await isAlive(tokens.refresh_token)).toBe(false);
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'logout' }));
  });

  it('also a sign-in that is just being finished: nothing can be approved with it', async () => {
    test.upstream.behaviour = { slowMs: 1500, token: { trouble: 'slow' } };
    const device = test.device();
    const { body } = await device.start();
    const approving = test.approveInBrowser(body.user_code).catch(() => 'refused');
    await expect.poll(() => test.upstream.requestsTo('/token').length, { timeout: 15_000, interval: 10 }).toBe(1);
    await logOut(SUB_ONLY);
    await approving;
    expect((await device.poll(body.device_code)).body.error).toBe('authorization_pending');
  });

  it('also what was approved and is not redeemed yet', async () => {
    const device = test.device();
    const started = await device.start();
    await test.approve(started.body.user_code);
    await logOut();
    expect(await device.poll(started.body.device_code)).toMatchObject({
      status: 400,
      body: { error: 'access_denied' },
    });
  });

  it('a token with sid counts for that sid only', async () => {
    const elsewhere = await test.signIn();
    await logOut({ claims: { sid: 'another-session' } });
    expect(await isAlive(elsewhere.refresh_token)).toBe(true);
  });

  describe('where the sign-in’s ID token had no sid,', () => {
    const withoutSid = async (sid: null | '' = null) => {
      test.upstream.behaviour = { idToken: { raw: { sid } } };
      const tokens = await test.signIn();
      test.upstream.behaviour = {};
      return tokens;
    };

    it.each([null, ''] as const)('a token with sid and sub ends it by sub (sid: %j)', async (sid) => {
      const tokens = await withoutSid(sid);
      const elsewhere = await test.signIn();
      await logOut({ claims: { sid: 'another-session' } });
      expect(await isAlive(tokens.refresh_token)).toBe(false);
      // This one is known to belong to another session there.
      expect(await isAlive(elsewhere.refresh_token)).toBe(true);
    });

    it('a token of somebody else does not, nor does one with sid alone', async () => {
      const tokens = await withoutSid();
      await logOut({ claims: { sub: 'bob' } });
      await logOut(SID_ONLY);
      expect(await isAlive(tokens.refresh_token)).toBe(true);
    });

    it('also where the subject is taken from another claim', async () => {
      await test.close();
      test = await createTestBroker({ yaml: { upstreams: { corp: { claims: { subject: 'email' } } } } });
      const tokens = await withoutSid();
      await logOut();
      expect(await isAlive(tokens.refresh_token)).toBe(false);
    });
  });

  it.each([
    ['sid null, so it counts by sub', { sid: null }],
    ['sid empty, so it counts by sub', { sid: '' }],
    ['sub null, so it counts by sid', { sub: null }],
    ['sub empty, nonce null, so it counts by sid', { sub: '', nonce: null }],
  ])('§2.4: a member that says nothing is absent: %s', async (_what, raw: Record<string, unknown>) => {
    const tokens = await test.signIn();
    expect((await logOut({ raw })).status).toBe(200);
    expect(await isAlive(tokens.refresh_token)).toBe(false);
  });

  it('a token with sub counts for that person only', async () => {
    const alice = await test.signIn();
    await logOut({ claims: { sid: null, sub: 'bob' } });
    expect(await isAlive(alice.refresh_token)).toBe(true);
  });

  it('Monday’s and Wednesday’s both count, and who signed in between is judged by their own moment', async () => {
    const sunday = await test.signIn();
    await logOut(SUB_ONLY);
    await test.advance(24 * 60 * 60 * 1000);
    const tuesday = await test.signIn();
    expect(await isAlive(sunday.refresh_token)).toBe(false);
    const later = (await test.device().refresh(tuesday.refresh_token)).body;
    await logOut(SUB_ONLY);
    await test.advance(24 * 60 * 60 * 1000);
    const thursday = await test.signIn();
    expect(await isAlive(later.refresh_token)).toBe(false);
    expect(await isAlive(thursday.refresh_token)).toBe(true);
  });

  it('end_on_logout: false outlives a logout', async () => {
    const tokens = await test.signIn(test.device({ clientId: 'stays' }));
    await logOut();
    await logOut(SUB_ONLY);
    expect(await isAlive(tokens.refresh_token, 'stays')).toBe(true);
  });

  it('an upstream whose subjects are another claim names people by sub all the same', async () => {
    await test.close();
    test = await createTestBroker({ yaml: { upstreams: { corp: { claims: { subject: 'email' } } } } });
    const tokens = await test.signIn();
    await logOut(SUB_ONLY);
    expect(await isAlive(tokens.refresh_token)).toBe(false);
  });

  it('§2.6: a token that was used before is refused, and sets no new mark', async () => {
    const token = await test.upstream.logoutToken(SUB_ONLY);
    expect((await send(token)).status).toBe(200);
    await test.advance(1000);
    const tokens = await test.signIn();
    await test.advance(1000);
    expect((await send(token)).status).toBe(400);
    expect(await isAlive(tokens.refresh_token)).toBe(true);
  });

  it.each<[string, LogoutTokenChanges]>([
    ['alg none', { signature: 'none' }],
    ['a broken signature', { signature: 'broken' }],
    ['a foreign key', { signature: 'foreign_key' }],
    ['a signature by the client secret', { signature: 'client_secret' }],
    ['another iss', { claims: { iss: 'https://evil.example' } }],
    ['another aud', { claims: { aud: 'somebody-else' } }],
    ['no iat', { claims: { iat: null } }],
    ['an old iat', { claims: { iat: Math.floor(Date.now() / 1000) - 3600, exp: null } }],
    ['a past exp', { claims: { exp: Math.floor(Date.now() / 1000) - 300 } }],
    ['no exp', { claims: { exp: null } }],
    ['an empty exp', { raw: { exp: '' } }],
    ['no jti', { claims: { jti: null } }],
    ['an empty jti', { raw: { jti: '' } }],
    ['empty sid and sub', { raw: { sid: '', sub: null } }],
    ['a sub that is a number', { raw: { sub: 7 } }],
    ['no events', { claims: { events: null } }],
    ['another event', { claims: { events: { 'http://schemas.openid.net/event/other': {} } } }],
    ['a nonce', { claims: { nonce: 'abc' } }],
    ['neither sid nor sub', { claims: { sid: null, sub: null } }],
    ['the typ of an access token', { header: { typ: 'at+jwt' } }],
  ])('§2.6: %s: 400, and why only in the log', async (_what, changes) => {
    const tokens = await test.signIn();
    const answer = await logOut(changes);
    expect([answer.status, answer.body]).toEqual([
      400,
      { error: 'invalid_request', error_description: 'the logout token is not valid' },
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const line = test.lines.find(({ event, route }) => event === 'request.refused' && String(route).includes('logout'));
    expect(String(line?.['detail']).length).toBeGreaterThan(10);
    expect(await isAlive(tokens.refresh_token)).toBe(true);
  });

  it('no token, or something else: 400', async () => {
    expect((await send('')).status).toBe(400);
    expect((await send(randomUUID())).status).toBe(400);
  });

  it('an upstream that is not configured: 404; GET: 405', async () => {
    const unknown = await send(await test.upstream.logoutToken(), 'nobody');
    expect([unknown.status, unknown.headers.get('content-type')]).toEqual([404, 'application/json']);
    const got = await test.device().send('/backchannel-logout/corp');
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

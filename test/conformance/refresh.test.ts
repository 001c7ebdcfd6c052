import { createHash } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setMark } from '../../src/grants/revocation-marks.ts';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker, type YamlChanges } from '../support/broker/test-broker.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const A = 'https://a.example.com';
const B = 'https://b.example.com';

describe('refresh tokens (RFC 6749 §6, RFC 9700 §4.14)', () => {
  let test: TestBroker;
  const open = async (client: Record<string, unknown> = {}, yaml: YamlChanges = {}) => {
    await test?.close();
    test = await createTestBroker({ yaml: { ...yaml, clients: { 'build-cli': client, ...yaml.clients } } });
  };
  const refused = { status: 400, body: { error: 'invalid_grant' } };
  beforeEach(() => open());
  afterEach(async () => {
    await test.close();
    test = undefined as never;
  });

  it('a refresh gives new tokens for the same session, and the next refresh token', async () => {
    const first = await test.signIn();
    const second = await test.device().refresh(first.refresh_token);
    expect(second.status).toBe(200);
    expect(second.headers.get('cache-control')).toBe('no-store');
    expect(second.body).toMatchObject({ token_type: 'Bearer', expires_in: 600, scope: 'openid' });
    const [before, after] = [decodeJwt(first.access_token), decodeJwt(second.body.access_token)];
    expect(after).toMatchObject({ sub: before.sub, sid: before['sid'], client_id: 'build-cli' });
    expect(after.jti).not.toBe(before.jti);
    const third = await test.device().refresh(second.body.refresh_token);
    expect(new Set([first, second.body, third.body].map((one) => one.refresh_token)).size).toBe(3);
  });

  it('asks the upstream each time, with the newest of its tokens, and takes its new claims', async () => {
    await open({ claims: ['email'] });
    let { refresh_token: token } = await test.signIn();
    for (const email of ['one@example.com', 'two@example.com', 'three@example.com']) {
      test.upstream.person = { ...test.upstream.person, email };
      const { body } = await test.device().refresh(token);
      expect(decodeJwt(body.access_token)['email']).toBe(email);
      token = body.refresh_token;
    }
    const spent = test.upstream.requestsTo('/token').flatMap(({ form }) => form.get('refresh_token') ?? []);
    expect(new Set(spent).size).toBe(3);
  });

  describe('a token that comes again', () => {
    it('within 30 s gets the same tokens with the life that is left, and the upstream is not asked again', async () => {
      const { refresh_token: token } = await test.signIn();
      const once = await test.device().refresh(token);
      const asked = test.upstream.requestsTo('/token').length;
      await test.advance(29 * SECOND);
      const again = await test.device().refresh(token);
      expect([again.status, again.body.refresh_token]).toEqual([200, once.body.refresh_token]);
      // ES256 signs the same token differently each time.
      for (const name of ['access_token', 'id_token'] as const) {
        const [first, second] = [once, again].map(({ body }) => decodeJwt(body[name]));
        expect({ ...second, at_hash: '' }).toEqual({ ...first, at_hash: '' });
      }
      expect([once.body['expires_in'], again.body['expires_in']]).toEqual([600, 571]);
      expect(test.upstream.requestsTo('/token')).toHaveLength(asked);
    });

    it('gets nothing once the kill switch or a logout has ended what it was for', async () => {
      const { refresh_token: token } = await test.signIn();
      expect((await test.device().refresh(token)).status).toBe(200);
      const { storage, sealing } = test.broker.processContext;
      const nowMs = (await test.now()) + 1;
      await setMark({ ledger: storage.ledger, sealing }, { mark: 'all' }, nowMs, nowMs + DAY);
      expect(await test.device().refresh(token)).toMatchObject(refused);
    });

    it('later ends the session, for the newest token too, and the upstream is told', async () => {
      const { refresh_token: token } = await test.signIn();
      const { body: second } = await test.device().refresh(token);
      await test.advance(31 * SECOND);
      expect(await test.device().refresh(token)).toMatchObject(refused);
      expect(await test.device().refresh(second.refresh_token)).toMatchObject(refused);
      expect(test.upstream.revoked).toHaveLength(1);
      expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'reuse' }));
    });

    it('ends it also when it is many refreshes old, and then opens nothing that could be revoked at the upstream', async () => {
      const { refresh_token: first } = await test.signIn();
      let token = first;
      for (let turn = 0; turn < 5; turn += 1) token = (await test.device().refresh(token)).body.refresh_token;
      await test.advance(31 * SECOND);
      await test.device().refresh(first);
      expect(await test.device().refresh(token)).toMatchObject(refused);
      expect(test.upstream.revoked).toHaveLength(0);
      expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'reuse' }));
    });

    it('does nothing when another client brings it', async () => {
      await open({}, { clients: { other: {} } });
      const { refresh_token: token } = await test.signIn();
      const { body: second } = await test.device().refresh(token);
      await test.advance(31 * SECOND);
      expect(await test.device({ clientId: 'other' }).refresh(token)).toMatchObject(refused);
      expect((await test.device().refresh(second.refresh_token)).status).toBe(200);
    });
  });

  it('every token that does not do gets the same answer', async () => {
    await open({}, { clients: { other: {} } });
    const { refresh_token: token } = await test.signIn();
    const made = Buffer.from(token, 'base64url');
    made.fill(9, 20);
    const answers = [
      await test.device().refresh('abc'),
      await test.device().refresh(Buffer.alloc(52).toString('base64url')),
      await test.device().refresh(Buffer.alloc(68).toString('base64url')),
      await test.device().refresh(made.toString('base64url')),
      await test.device({ clientId: 'other' }).refresh(token),
      await test.device().refresh('x'.repeat(4000)),
    ];
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect((await test.device().refresh(token)).status).toBe(200);
  });

  it('without a refresh_token: invalid_request', async () => {
    const answer = await test.device().post('/token', { grant_type: 'refresh_token' });
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('of a client that may not refresh any more: unauthorized_client', async () => {
    const { refresh_token: token } = await test.signIn();
    test.reload({ clients: { 'build-cli': { grant_types: ['device_code'] } } });
    expect((await test.device().refresh(token)).body.error).toBe('unauthorized_client');
  });

  describe('scope', () => {
    beforeEach(() => open({ scopes: { allowed: ['openid', 'profile', 'packages:read'], default: ['openid'] } }));
    const start = { start: { scope: 'openid packages:read' } };

    it('may be narrower, for this answer only', async () => {
      const { refresh_token: token } = await test.signIn(test.device(), start);
      const narrow = await test.device().refresh(token, { scope: 'packages:read' });
      expect(narrow.body).toMatchObject({ scope: 'packages:read' });
      expect(narrow.body.id_token).toBeUndefined();
      const { body } = await test.device().refresh(narrow.body.refresh_token);
      expect(body['scope']).toBe('openid packages:read');
    });

    it('is never wider, and the token is not spent on trying', async () => {
      const { refresh_token: token } = await test.signIn(test.device(), start);
      const wide = await test.device().refresh(token, { scope: 'openid profile' });
      expect(wide).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
      expect(wide.body['error_description']).toContain('openid profile');
      expect((await test.device().refresh(token)).status).toBe(200);
    });

    it('that the client may no longer have is left out; with none left the session cannot go on', async () => {
      const { refresh_token: token } = await test.signIn(test.device(), start);
      test.reload({ clients: { 'build-cli': { scopes: { allowed: ['packages:read'], default: ['packages:read'] } } } });
      const { body } = await test.device().refresh(token);
      expect(body['scope']).toBe('packages:read');
      test.reload({ clients: { 'build-cli': { scopes: { allowed: ['profile'], default: ['profile'] } } } });
      expect(await test.device().refresh(body.refresh_token)).toMatchObject(refused);
    });

    it('of which nothing is left after narrowing is invalid_scope, and the token is not spent', async () => {
      const { refresh_token: token } = await test.signIn(test.device(), start);
      test.reload({ clients: { 'build-cli': { scopes: { allowed: ['openid'], default: ['openid'] } } } });
      const narrow = await test.device().refresh(token, { scope: 'packages:read' });
      expect(narrow).toMatchObject({ status: 400, body: { error: 'invalid_scope' } });
      expect((await test.device().refresh(token)).body['scope']).toBe('openid');
    });
  });

  describe('lifetimes', () => {
    it('an unused token lapses after refresh_idle, and each refresh begins that anew', async () => {
      await open({ lifetimes: { refresh_idle: '1d', refresh_absolute: '10d' } });
      let { refresh_token: token } = await test.signIn();
      for (let day = 0; day < 3; day += 1) {
        await test.advance(DAY - MINUTE);
        token = (await test.device().refresh(token)).body.refresh_token;
      }
      await test.advance(DAY + SECOND);
      expect(await test.device().refresh(token)).toMatchObject(refused);
    });

    it('nothing outlives refresh_absolute, access tokens included', async () => {
      await open({ lifetimes: { refresh_idle: '1d', refresh_absolute: '1d' } });
      const { refresh_token: token } = await test.signIn();
      await test.advance(DAY - MINUTE);
      const { body } = await test.device().refresh(token);
      expect(body['expires_in']).toBeLessThanOrEqual(60);
      await test.advance(MINUTE);
      expect(await test.device().refresh(body.refresh_token)).toMatchObject(refused);
    });

    it("today's refresh_absolute counts for sessions that began under a longer one", async () => {
      const { refresh_token: token } = await test.signIn();
      await test.advance(2 * DAY);
      test.reload({ clients: { 'build-cli': { lifetimes: { refresh_idle: '1d', refresh_absolute: '1d' } } } });
      expect(await test.device().refresh(token)).toMatchObject(refused);
    });
  });

  describe('refresh_tokens', () => {
    it('always: with every scope', async () => {
      expect((await test.signIn()).refresh_token).toMatch(/^[\w-]{91}$/);
    });

    it('never: none, and nothing of the upstream is kept', async () => {
      await open({ refresh_tokens: 'never' });
      const tokens = await test.signIn();
      expect(tokens).not.toHaveProperty('refresh_token');
      expect(tokens).toHaveProperty('access_token');
    });

    it('counts for sessions that began before it was changed', async () => {
      const { refresh_token: token } = await test.signIn();
      test.reload({ clients: { 'build-cli': { refresh_tokens: 'never' } } });
      expect(await test.device().refresh(token)).toMatchObject(refused);
      test.reload({});
      expect((await test.device().refresh(token)).status).toBe(200);
    });

    it('offline_access: only with that scope', async () => {
      await open({ refresh_tokens: 'offline_access' });
      expect(await test.signIn()).not.toHaveProperty('refresh_token');
      const offline = await test.signIn(test.device(), { start: { scope: 'openid offline_access' } });
      expect((await test.device().refresh(offline.refresh_token)).status).toBe(200);
    });
  });

  describe('the upstream at a refresh', () => {
    it('an account that no longer stands ends the session for good', async () => {
      const { refresh_token: token } = await test.signIn();
      test.upstream.isAccountEnabled = false;
      expect(await test.device().refresh(token)).toMatchObject(refused);
      test.upstream.isAccountEnabled = true;
      expect(await test.device().refresh(token)).toMatchObject(refused);
      expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'upstream' }));
    });

    it('a person who may no longer approve for the client cannot refresh, and the upstream token is given back', async () => {
      await open({ approvers: { groups: ['engineering'] } });
      const { refresh_token: token } = await test.signIn();
      test.upstream.person = { ...test.upstream.person, groups: ['sales'] };
      expect(await test.device().refresh(token)).toMatchObject(refused);
      expect(test.upstream.revoked).toHaveLength(1);
      expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'policy' }));
    });

    it('mint, upstream away: tolerated for a while, then 503, nothing written, and good again afterwards', async () => {
      let { refresh_token: token } = await test.signIn();
      test.upstream.behaviour = { refresh: { trouble: 'status_503' } };
      await test.advance(50 * MINUTE);
      const tolerated = await test.device().refresh(token);
      expect(tolerated.status).toBe(200);
      token = tolerated.body.refresh_token;
      await test.advance(11 * MINUTE);
      const away = await test.device().refresh(token);
      expect(away).toMatchObject({ status: 503, body: { error: 'temporarily_unavailable' } });
      expect(Number(away.headers.get('retry-after'))).toBeGreaterThan(0);
      test.upstream.behaviour = {};
      expect((await test.device().refresh(token)).status).toBe(200);
    });

    it.each(['garbage', 'close', 'html'] as const)('an upstream that answers with “%s” is away', async (trouble) => {
      await open({}, { upstreams: { corp: { tolerance: '0s' } } });
      const { refresh_token: token } = await test.signIn();
      await test.advance(SECOND);
      test.upstream.behaviour = { refresh: { trouble } };
      expect((await test.device().refresh(token)).status).toBe(503);
      test.upstream.behaviour = {};
      expect((await test.device().refresh(token)).status).toBe(200);
    });

    it('an upstream that keeps its refresh token is asked with the same one again', async () => {
      test.upstream.behaviour = { token: { keepsRefreshToken: true } };
      let { refresh_token: token } = await test.signIn();
      for (let turn = 0; turn < 3; turn += 1) {
        const answer = await test.device().refresh(token);
        expect(answer.status).toBe(200);
        token = answer.body.refresh_token;
      }
    });

    it('an upstream without refresh tokens is not asked, and minted sessions go on', async () => {
      test.upstream.behaviour = { token: { members: { refresh_token: null } } };
      const { refresh_token: token } = await test.signIn();
      expect((await test.device().refresh(token)).status).toBe(200);
      expect(test.upstream.requestsTo('/token')).toHaveLength(1);
    });
  });

  describe('relay', () => {
    beforeEach(() => open({ tokens: 'relay' }));

    describe('of a token that nobody can narrow', () => {
      const scopes = { allowed: ['openid', 'profile'], default: ['openid', 'profile'] };
      const fewer = {
        clients: { 'build-cli': { tokens: 'relay', scopes: { allowed: ['openid'], default: ['openid'] } } },
      };
      beforeEach(() => open({ tokens: 'relay', scopes }));

      it('says the scopes that it has, whatever was asked for', async () => {
        const { refresh_token: token } = await test.signIn();
        const { body } = await test.device().refresh(token, { scope: 'openid' });
        // What the grant asked for, and nothing of the upstream's own settings.
        expect(body['scope']).toBe('openid profile');
      });

      it('is refused when the client may no longer have one of its scopes, at a refresh and at redemption', async () => {
        const { refresh_token: token } = await test.signIn();
        const started = await test.device().start();
        await test.approve(started.body.user_code);
        test.reload(fewer);
        expect(await test.device().refresh(token)).toMatchObject(refused);
        expect((await test.device().poll(started.body.device_code)).body.error).toBe('access_denied');
      });
    });

    it('fronts the refresh: the device never sees the upstream’s refresh token', async () => {
      const first = await test.signIn();
      const second = await test.device().refresh(first.refresh_token);
      expect(second.status).toBe(200);
      const asked = test.upstream.requestsTo('/token').map(({ form }) => form.get('refresh_token'));
      expect(asked).not.toContain(first.refresh_token);
      expect(second.body.access_token).not.toBe(first.access_token);
      expect(second.body['expires_in']).toBeGreaterThan(290);
      expect((await test.device().refresh(second.body.refresh_token)).status).toBe(200);
    });

    it('upstream away: 503 at once, and the old token is still good', async () => {
      const { refresh_token: token } = await test.signIn();
      test.upstream.behaviour = { refresh: { trouble: 'status_500' } };
      expect(await test.device().refresh(token)).toMatchObject({
        status: 503,
        body: { error: 'temporarily_unavailable' },
      });
      test.upstream.behaviour = {};
      expect((await test.device().refresh(token)).status).toBe(200);
    });

    it('an account that no longer stands: invalid_grant', async () => {
      const { refresh_token: token } = await test.signIn();
      test.upstream.isAccountEnabled = false;
      expect(await test.device().refresh(token)).toMatchObject(refused);
    });

    it('an upstream without refresh tokens: the device gets none either', async () => {
      test.upstream.behaviour = { token: { members: { refresh_token: null } } };
      const tokens = await test.signIn();
      expect(tokens).not.toHaveProperty('refresh_token');
    });
  });

  describe('resource (RFC 8707 §2.2)', () => {
    beforeEach(() => open({ resources: [A, B] }));

    it('may be narrower for this answer, never wider, and the token is not spent on trying', async () => {
      const device = test.device();
      const started = await device.start({ resource: [A, B] });
      await test.approve(started.body.user_code);
      const { body: first } = await device.poll(started.body.device_code);
      expect(decodeJwt(first.access_token).aud).toEqual([A, B]);
      const wide = await device.refresh(first.refresh_token, { resource: 'https://c.example.com' });
      expect(wide).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
      const narrow = await device.refresh(first.refresh_token, { resource: B });
      expect(decodeJwt(narrow.body.access_token).aud).toBe(B);
      const whole = await device.refresh(narrow.body.refresh_token);
      expect(decodeJwt(whole.body.access_token).aud).toEqual([A, B]);
    });
  });

  describe('DPoP (RFC 9449 §5)', () => {
    it('a session that began with a key goes on with that key only; another one changes nothing', async () => {
      const device = test.device({ dpop: await newDpopKey() });
      const { refresh_token: token } = await test.signIn(device);
      expect(await test.device().refresh(token)).toMatchObject(refused);
      expect(await test.device({ dpop: await newDpopKey() }).refresh(token)).toMatchObject(refused);
      const { status, body } = await device.refresh(token);
      expect([status, body['token_type']]).toEqual([200, 'DPoP']);
      const bound = decodeJwt(body.access_token)['cnf'];
      expect(bound).toEqual({ jkt: device.identity.dpop?.jkt });
    });

    it('a retry with another key gets nothing of an answer that was bound to one: its token is its own', async () => {
      const { refresh_token: token } = await test.signIn();
      const first = await test.device({ dpop: await newDpopKey() }).refresh(token);
      const other = test.device({ dpop: await newDpopKey() });
      const answers = [first, await other.refresh(token), await test.device().refresh(token)];
      expect(answers.map(({ body }) => body['token_type'])).toEqual(['DPoP', 'DPoP', 'Bearer']);
      const claims = answers.map(({ body }) => decodeJwt(body.access_token));
      expect(claims[1]?.['cnf']).toEqual({ jkt: other.identity.dpop?.jkt });
      expect(claims[2]).not.toHaveProperty('cnf');
      expect(new Set(claims.map(({ jti }) => jti)).size).toBe(3);
      expect(new Set(answers.map(({ body }) => body.refresh_token)).size).toBe(1);
    });
  });

  it('the ID token of a refresh is about the same person and sign-in, and hashes the access token beside it', async () => {
    const first = await test.signIn();
    const { body } = await test.device().refresh(first.refresh_token);
    const [before, after] = [decodeJwt(first.id_token), decodeJwt(body.id_token)];
    expect(after).toMatchObject({ iss: before.iss, sub: before.sub, aud: before.aud, sid: before['sid'] });
    const half = createHash('sha256').update(body.access_token).digest().subarray(0, 16).toString('base64url');
    expect(after['at_hash']).toBe(half);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker, type YamlChanges } from '../support/broker/test-broker.ts';
import type { DeviceAnswer } from '../support/broker/test-device.ts';

describe('OpenID Connect Core §5.3: userinfo', () => {
  let test: TestBroker;
  const open = async (yaml: YamlChanges = {}) => {
    test = await createTestBroker({ yaml });
  };
  beforeEach(() => open({ clients: { 'build-cli': { claims: ['email', 'groups'] } } }));
  afterEach(() => test.close());

  const ask = (init: RequestInit = {}): Promise<DeviceAnswer> => test.device().send('/userinfo', init);
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const challengeOf = (answer: DeviceAnswer) => answer.headers.get('www-authenticate') ?? '';
  // The upstream does not say that it verified the address.
  const ALICE = { sub: 'corp|alice', email: 'alice@example.com', email_verified: false, groups: ['engineering'] };

  it('says of the person what the ID token says', async () => {
    const { access_token: token } = await test.signIn();
    const answer = await ask(bearer(token));
    expect([answer.status, answer.body]).toEqual([200, ALICE]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it('§5.3.1: POST does too, with the header or with the token in the body', async () => {
    const { access_token: token } = await test.signIn();
    expect((await ask({ method: 'POST', ...bearer(token) })).body).toEqual(ALICE);
    const inBody = await ask({ method: 'POST', body: new URLSearchParams({ access_token: token }) });
    expect(inBody.body).toEqual(ALICE);
  });

  it('also serves claims that the access token does not carry', async () => {
    await test.close();
    await open({ clients: { 'build-cli': { claims: { id_token: ['email', 'groups'], access_token: [] } } } });
    const first = await test.signIn();
    expect((await ask(bearer(first.access_token))).body).toEqual(ALICE);
    test.upstream.person = { ...test.upstream.person, email: 'alice@new.example' };
    const second = (await test.device().refresh(first.refresh_token)).body;
    expect((await ask(bearer(second.access_token))).body).toEqual({ ...ALICE, email: 'alice@new.example' });
    expect((await ask(bearer(first.access_token))).body).toEqual(ALICE);
  });

  it("serves no more than today's configuration names", async () => {
    const { access_token: token } = await test.signIn();
    test.reload({ clients: { 'build-cli': { claims: ['groups'] } } });
    expect((await ask(bearer(token))).body).toEqual({ sub: 'corp|alice', groups: ['engineering'] });
  });

  describe('RFC 6750 §3', () => {
    it('no token: 401, how to bring one, and no error code', async () => {
      const answer = await ask();
      expect(answer.status).toBe(401);
      expect(challengeOf(answer)).toMatch(/^Bearer realm="gatehouse", DPoP realm="gatehouse", algs="ES256 /);
      expect(challengeOf(answer)).not.toContain('error');
    });

    it.each([
      ['garbage', 'abc'],
      ['a broken JWT', 'a.b.c'],
      ['a refresh token', 'x'.repeat(70)],
    ])('%s: 401 invalid_token', async (_what, token) => {
      const answer = await ask(bearer(token));
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_token']);
      expect(challengeOf(answer)).toContain('Bearer realm="gatehouse", error="invalid_token"');
    });

    it('an ID token is no access token', async () => {
      const { id_token: token } = await test.signIn();
      expect((await ask(bearer(token))).status).toBe(401);
    });

    it('an expired token: 401 invalid_token', async () => {
      const { access_token: token } = await test.signIn();
      await test.advance(11 * 60 * 1000);
      expect((await ask(bearer(token))).body.error).toBe('invalid_token');
    });

    it('a token without openid: 403 insufficient_scope, and which scope it takes', async () => {
      const { access_token: token } = await test.signIn(test.device(), { start: { scope: 'packages:read' } });
      const answer = await ask(bearer(token));
      expect([answer.status, answer.body.error]).toEqual([403, 'insufficient_scope']);
      expect(challengeOf(answer)).toContain('scope="openid"');
    });

    it.each([
      ['twice', (token: string) => ({ ...bearer(token), body: new URLSearchParams({ access_token: token }) })],
      ['in a malformed header', () => ({ headers: { authorization: 'Bearer a b c' } })],
    ])('a token %s: 400 invalid_request', async (_what, init) => {
      const { access_token: token } = await test.signIn();
      const answer = await ask({ method: 'POST', ...init(token) });
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
    });

    it('§2.3: a token in the query is not read', async () => {
      const { access_token: token } = await test.signIn();
      expect((await test.device().send(`/userinfo?access_token=${token}`)).status).toBe(401);
    });
  });

  it('a token of a session that has ended: 401 invalid_token', async () => {
    const tokens = await test.signIn();
    await test.device().revoke(tokens.refresh_token);
    expect((await ask(bearer(tokens.access_token))).body.error).toBe('invalid_token');
  });

  it("a relayed token is the upstream's and unknown here", async () => {
    await test.close();
    await open({ clients: { 'build-cli': { tokens: 'relay' } } });
    const { access_token: token } = await test.signIn();
    expect((await ask(bearer(token))).status).toBe(401);
  });

  describe('RFC 9449 §7: with a token that is bound to a key', () => {
    const prepare = async () => {
      const device = test.device({ dpop: await newDpopKey() });
      const { access_token: token } = await test.signIn(device);
      const withProof = async (more: Parameters<typeof device.proof>[1] = {}) =>
        ask({
          headers: {
            authorization: `DPoP ${token}`,
            dpop: await device.proof('/userinfo', { method: 'GET', accessToken: token, ...more }),
          },
        });
      return { device, token, withProof };
    };

    it('a proof of that key, made for this token, is answered', async () => {
      const { withProof } = await prepare();
      expect((await withProof()).body).toEqual(ALICE);
    });

    it('§7.2: as a bearer token it is worth nothing', async () => {
      const { token } = await prepare();
      expect((await ask(bearer(token))).body.error).toBe('invalid_token');
    });

    it('an unbound token is no DPoP token', async () => {
      const { access_token: token } = await test.signIn();
      const answer = await ask({ headers: { authorization: `DPoP ${token}` } });
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_token']);
      expect(challengeOf(answer)).toMatch(/^DPoP realm="gatehouse", error="invalid_token"/);
    });

    it('no proof, a proof for another token, of another method, or used before: 401 invalid_dpop_proof', async () => {
      const { device, token, withProof } = await prepare();
      const wrong = [
        await ask({ headers: { authorization: `DPoP ${token}` } }),
        await withProof({ accessToken: 'another' }),
        await withProof({ method: 'POST' }),
      ];
      const proof = await device.proof('/userinfo', { method: 'GET', accessToken: token });
      const headers = { authorization: `DPoP ${token}`, dpop: proof };
      expect((await ask({ headers })).status).toBe(200);
      wrong.push(await ask({ headers }));
      for (const answer of wrong) {
        expect([answer.status, answer.body.error]).toEqual([401, 'invalid_dpop_proof']);
        expect(challengeOf(answer)).toContain('DPoP realm="gatehouse", error="invalid_dpop_proof"');
      }
    });

    it('§9: a clock that is off gets a nonce with the challenge, and is answered with it', async () => {
      const { device, token } = await prepare();
      const address = `${test.publicUrl}/userinfo`;
      const withNonce = async (nonce?: string) => {
        const proof = device.identity.dpop?.proof({ method: 'GET', address, accessToken: token, nonce, nowMs: 0 });
        return ask({ headers: { authorization: `DPoP ${token}`, dpop: (await proof) ?? '' } });
      };
      const first = await withNonce();
      expect([first.status, first.body.error]).toEqual([401, 'use_dpop_nonce']);
      expect(challengeOf(first)).toContain('DPoP realm="gatehouse", error="use_dpop_nonce"');
      expect((await withNonce(first.headers.get('dpop-nonce') ?? '')).body).toEqual(ALICE);
    });

    it("another key's proof: 401 invalid_token", async () => {
      const { token } = await prepare();
      const thief = test.device({ dpop: await newDpopKey() });
      const dpop = await thief.proof('/userinfo', { method: 'GET', accessToken: token });
      const answer = await ask({ headers: { authorization: `DPoP ${token}`, dpop } });
      expect([answer.status, answer.body.error]).toEqual([401, 'invalid_token']);
    });
  });
});

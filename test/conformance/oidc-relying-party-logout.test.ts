import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openIdUpstream } from '../../src/upstream/openid-upstream.ts';
import type { Upstream } from '../../src/upstream/upstream.ts';
import {
  type FakeUpstream,
  LOGOUT_EVENT,
  type LogoutTokenChanges,
  startFakeUpstream,
} from '../support/upstream/fake-upstream.ts';
import { faultOf, signInThere } from '../support/upstream/upstream-trip.ts';

/**
 * OpenID Connect Back-Channel Logout 1.0 §2.4 to §2.6, as far as a token alone can be judged. That it counts once
 * (`jti`) is the endpoint's business.
 */

let fake: FakeUpstream;
let upstream: Upstream;
let nowMs: number;

beforeEach(async () => {
  nowMs = Date.now();
  fake = await startFakeUpstream();
  upstream = openIdUpstream(fake.settings(), { clock: () => nowMs, timeoutMs: 2000 });
});
afterEach(() => fake.close());

async function check(changes: LogoutTokenChanges = {}) {
  return upstream.verifyLogoutToken(await fake.logoutToken(changes));
}

const seconds = () => Math.floor(nowMs / 1000);

describe('a logout token is accepted', () => {
  it('with typ, iss, aud, iat, exp, jti, events, sub and sid in order', async () => {
    expect(await check()).toEqual({
      jti: expect.stringMatching(/./),
      sub: 'alice',
      sid: 'upstream-session-1',
    });
  });

  it.each([
    ['only sub', { claims: { sid: null } }],
    ['only sid', { claims: { sub: null } }],
    ['no typ, as some upstreams send it', { header: { typ: null } }],
    ['typ JWT', { header: { typ: 'JWT' } }],
    ['typ in other letters', { header: { typ: 'Logout+JWT' } }],
    ['an empty sub beside the sid', { claims: { sub: '' } }],
    ['a sid that is null', { raw: { sid: null } }],
    ['several audiences, ours among them', { claims: { aud: ['somebody-else', 'gatehouse'] } }],
  ])('with %s', async (_, changes: LogoutTokenChanges) => {
    expect((await check(changes)).jti).toMatch(/./);
  });

  it('by a key that the upstream rotated to', async () => {
    await signInThere(upstream);
    await fake.rotateKeys();
    expect((await check()).sub).toBe('alice');
  });
});

describe('a logout token is refused', () => {
  it.each<[string, LogoutTokenChanges]>([
    ['its alg is none', { signature: 'none' }],
    ['its alg is not one that the upstream signs with', { signature: 'client_secret' }],
    ['its signature is broken', { signature: 'broken' }],
    ['it is signed with a foreign key', { signature: 'foreign_key' }],
    ['its kid is unknown', { header: { kid: 'nobody-knows-me' } }],
    ['it has no events', { claims: { events: null } }],
    ['its event is another one', { claims: { events: { 'http://schemas.example.com/event/other': {} } } }],
    ['its event is not an object', { claims: { events: { [LOGOUT_EVENT]: true } } }],
    ['its events are a list', { claims: { events: [LOGOUT_EVENT] } }],
    ['it has a nonce', { claims: { nonce: 'abc' } }],
    ['its aud is another client', { claims: { aud: 'somebody-else' } }],
    ['it has no aud', { claims: { aud: null } }],
    ['its iss is another issuer', { claims: { iss: 'https://other.example.com' } }],
    ['it has no iss', { claims: { iss: null } }],
    ['it has no iat', { claims: { iat: null } }],
    ['it has no jti', { claims: { jti: null } }],
    ['its jti is empty', { claims: { jti: '' } }],
    ['it has neither sub nor sid', { claims: { sub: null, sid: null } }],
    ['its sid is not a text', { claims: { sid: 7 } }],
    ['its sub is empty and it has no sid', { claims: { sub: '', sid: null } }],
    ['its sub is not a text', { claims: { sub: 7 } }],
    ['it has no exp, so nobody could forget it', { claims: { exp: null } }],
    ['its exp is empty', { raw: { exp: '' } }],
    ['it calls itself an access token', { header: { typ: 'at+jwt' } }],
  ])('when %s', async (_, changes) => {
    expect((await faultOf(check(changes))).fault).toBe('invalid_answer');
  });

  it.each([
    ['expired', () => ({ exp: seconds() - 60 }), /"exp" is (59|60|61) s behind our clock/],
    [
      'issued in the future',
      () => ({ iat: seconds() + 300, exp: seconds() + 420 }),
      /"iat" is \d+ s ahead of our clock/,
    ],
    ['not good yet', () => ({ nbf: seconds() + 45 }), /"nbf" is \d+ s ahead of our clock/],
    [
      'old, although it expires much later',
      () => ({ iat: seconds() - 3600, exp: seconds() + 3600 }),
      /"iat" is 36\d\d s behind our clock/,
    ],
  ])('when it is %s, in words that name the clock', async (_, claims, words) => {
    const { fault, detail } = await faultOf(check({ claims: claims() }));
    expect(fault).toBe('invalid_answer');
    expect(detail).toMatch(words);
    expect(detail).toContain('clock_tolerance is 30 s');
  });

  it('but not within the upstream’s clock_tolerance', async () => {
    const settings = fake.settings({ clockToleranceSeconds: 120 });
    upstream = openIdUpstream(settings, { clock: () => nowMs, timeoutMs: 2000 });
    expect(await check({ claims: { iat: seconds() + 90, exp: seconds() + 200 } })).toMatchObject({ sub: 'alice' });
  });

  it('when its alg is not among those that the metadata names', async () => {
    fake.behaviour = { discovery: { metadata: { id_token_signing_alg_values_supported: ['RS256'] } } };
    expect((await faultOf(check())).fault).toBe('invalid_answer');
  });

  it('when it has expired by our clock', async () => {
    const token = await fake.logoutToken();
    nowMs += 5 * 60_000;
    expect((await faultOf(upstream.verifyLogoutToken(token))).fault).toBe('invalid_answer');
  });

  it('when it is an ID token', async () => {
    const { tokens } = await signInThere(upstream);
    const verified = upstream.verifyLogoutToken(tokens.idToken?.reveal() ?? '');
    expect((await faultOf(verified)).fault).toBe('invalid_answer');
  });

  it.each(['', 'x', 'a.b.c', '....', `${'e'.repeat(5000)}.e30.x`])('when it is no token at all', async (text) => {
    expect((await faultOf(upstream.verifyLogoutToken(text))).fault).toBe('invalid_answer');
  });

  it('and made-up keys make us ask the upstream at most once in 30 seconds', async () => {
    await check();
    for (let attempt = 0; attempt < 5; attempt += 1) await faultOf(check({ header: { kid: `made-up-${attempt}` } }));
    expect(fake.requestsTo('/jwks')).toHaveLength(2);
  });

  it('for now, as unavailable, when the upstream’s keys cannot be had', async () => {
    fake.behaviour = { jwks: { trouble: 'status_500' } };
    expect((await faultOf(check())).fault).toBe('unavailable');
  });
});

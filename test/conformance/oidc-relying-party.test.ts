import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openIdUpstream } from '../../src/upstream/openid-upstream.ts';
import type { TripParameters, Upstream } from '../../src/upstream/upstream.ts';
import type { UpstreamSettings } from '../../src/upstream/upstream-settings.ts';
import {
  type FakeUpstream,
  type FakeUpstreamOptions,
  REACH,
  startFakeUpstream,
} from '../support/upstream/fake-upstream.ts';
import type { Behaviour } from '../support/upstream/fake-upstream-behaviour.ts';
import type { PublishedKeys } from '../support/upstream/fake-upstream-keys.ts';
import { faultOf, goThere, newTrip, signInThere } from '../support/upstream/upstream-trip.ts';

/**
 * Gatehouse as a relying party: what the OpenID Foundation's suite asks of one (basic, configuration and refresh
 * profiles), each as a test of our own. Self-tested, not certified.
 */

let fake: FakeUpstream;
let upstream: Upstream;
let nowMs: number;

async function meet(options: FakeUpstreamOptions = {}, changes: Partial<UpstreamSettings> = {}): Promise<void> {
  await fake?.close();
  nowMs = Date.now();
  fake = await startFakeUpstream(options);
  upstream = openIdUpstream(fake.settings(changes), { clock: () => nowMs, timeoutMs: 5000 });
}

beforeEach(() => meet());
afterEach(() => fake.close());

describe('OpenID Connect Core §3.1: the authorization request', () => {
  it('asks for a code with scope openid, state, nonce and PKCE S256', async () => {
    const trip = newTrip();
    const ask = (await upstream.signInAddress(trip)).searchParams;
    expect(Object.fromEntries(ask)).toEqual({
      response_type: 'code',
      client_id: 'gatehouse',
      redirect_uri: trip.redirectUri,
      scope: 'openid profile email',
      state: trip.state,
      nonce: trip.nonce,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
    });
  });

  it('asks for a trip’s scopes in the place of its own, and for nothing else (I5)', async () => {
    const scopeOf = async (trip: Partial<TripParameters>) =>
      (await upstream.signInAddress(newTrip(trip))).searchParams.get('scope');
    expect(await scopeOf({ scopes: ['packages:read'] })).toBe('openid packages:read');
    expect(await scopeOf({ scopes: [] })).toBe('openid');
  });

  it('sends prompt, max_age, acr_values and extra parameters as configured, and the trip’s in their place', async () => {
    const authorizationParameters = { domain_hint: 'example.com', state: 'not this one', response_type: 'token' };
    await meet({}, { prompt: 'login', maxAgeSeconds: 600, acrValues: 'silver gold', authorizationParameters });
    const configured = (await upstream.signInAddress(newTrip())).searchParams;
    expect(configured.get('prompt')).toBe('login');
    expect(configured.get('max_age')).toBe('600');
    expect(configured.get('acr_values')).toBe('silver gold');
    expect(configured.get('domain_hint')).toBe('example.com');
    expect(configured.get('response_type')).toBe('code');

    const asked = newTrip({ prompt: 'select_account', maxAgeSeconds: 0, acrValues: ['gold'] });
    const own = (await upstream.signInAddress(asked)).searchParams;
    expect(own.get('prompt')).toBe('select_account');
    expect(own.get('max_age')).toBe('0');
    expect(own.get('acr_values')).toBe('gold');
    expect(own.getAll('state')).toEqual([asked.state]);
  });
});

describe('the prompt for another account, at an upstream that lists its prompts', () => {
  const asked = async (listed: string[] | null, prompt: string, configured?: string) => {
    await meet({}, configured === undefined ? {} : { prompt: configured });
    fake.behaviour = { discovery: { metadata: { prompt_values_supported: listed } } };
    return (await upstream.signInAddress(newTrip({ prompt }))).searchParams.get('prompt');
  };

  it.each<[string[] | null, string, string | null]>([
    [null, 'select_account', 'select_account'],
    [['none', 'login', 'consent', 'select_account'], 'select_account', 'select_account'],
    [['none', 'login', 'consent'], 'select_account', 'login'],
    [['none', 'select_account'], 'login', 'select_account'],
    [['none', 'consent'], 'select_account', null],
    [[], 'login', null],
    [['login'], 'consent', 'consent'],
  ])('%j, wished for %s: %s', async (listed, wished, sent) => {
    expect(await asked(listed, wished)).toBe(sent);
  });

  it('falls back to what the configuration says, which is sent as it stands', async () => {
    expect(await asked(['none'], 'select_account', 'consent')).toBe('consent');
  });

  it('says whether it can be asked for, and where people sign out there', async () => {
    const end = { end_session_endpoint: `${fake.issuer}/logout?realm=corp` };
    const offer = (metadata: Record<string, unknown>) => {
      fake.behaviour = { discovery: { metadata } };
      return openIdUpstream(fake.settings(), { clock: () => nowMs }).otherAccount();
    };
    expect(await offer({})).toEqual({ isAskedFor: true, signOutAt: undefined });
    expect(await offer({ prompt_values_supported: ['login'] })).toMatchObject({ isAskedFor: true });
    expect(await offer({ prompt_values_supported: ['none'], ...end })).toEqual({
      isAskedFor: false,
      signOutAt: `${fake.issuer}/logout?realm=corp&client_id=gatehouse`,
    });
    // An address that nobody should be sent to is as good as a way that is not known.
    expect(await offer({ end_session_endpoint: 'javascript:alert(1)', prompt_values_supported: [] })).toEqual({
      isAskedFor: false,
      signOutAt: undefined,
    });
  });

  it('is led to the stated end_session address, which the browser visits', async () => {
    const reach = { ...REACH, backChannel: fake.origin, endpoints: { end_session: 'https://sso.example.com/bye' } };
    upstream = openIdUpstream(fake.settings({ reach }), { clock: () => nowMs });
    expect((await upstream.otherAccount()).signOutAt).toBe('https://sso.example.com/bye?client_id=gatehouse');
  });
});

describe('OpenID Connect Core §3.1.3: the way back', () => {
  it('signs a person in and hands on the tokens as they came', async () => {
    fake.behaviour = { token: { members: { session_state: 'abc' } } };
    const signIn = await signInThere(upstream);
    expect(signIn).toMatchObject({
      subject: 'alice',
      name: 'Alice Adams',
      email: 'alice@example.com',
      groups: ['engineering'],
      sid: 'upstream-session-1',
      tokens: { tokenType: 'Bearer', expiresInSeconds: 300, members: { session_state: 'abc' } },
    });
    expect(signIn.tokens.scopes).toEqual(['openid', 'profile', 'email']);
    expect(signIn.tokens.refreshToken?.reveal()).toMatch(/^[\w-]{32}$/);
    expect(JSON.stringify(signIn.tokens)).not.toContain(signIn.tokens.accessToken.reveal());
  });

  it('rejects an ID token whose iss is another issuer', async () => {
    fake.behaviour = { idToken: { claims: { iss: 'https://other.example.com' } } };
    const { fault, detail } = await faultOf(signInThere(upstream));
    expect(fault).toBe('invalid_answer');
    expect(detail).toContain('https://other.example.com');
  });

  it.each([
    ['sub is missing', { sub: null }],
    ['sub is empty', { sub: '' }],
    ['sub is not a text', { sub: 17 }],
    ['sub is longer than 255 characters', { sub: 'a'.repeat(256) }],
    ['aud is another client', { aud: 'somebody-else' }],
    ['aud is missing', { aud: null }],
    ['aud names others and azp is missing', { aud: ['gatehouse', 'somebody-else'] }],
    ['azp is another client', { aud: ['gatehouse', 'somebody-else'], azp: 'somebody-else' }],
    ['iat is missing', { iat: null }],
    ['exp is missing', { exp: null }],
    ['nonce is another one', { nonce: 'not-the-nonce-of-this-trip' }],
    ['nonce is missing', { nonce: null }],
  ])('rejects an ID token whose %s', async (_, claims) => {
    fake.behaviour = { idToken: { claims } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  const at = (seconds: number) => Math.floor(nowMs / 1000) + seconds;

  it.each([
    ['exp is past', () => ({ exp: at(-120) }), /"exp" is 1[12]\d s behind our clock/],
    ['nbf is in the future', () => ({ nbf: at(300) }), /"nbf" is (299|300) s ahead of our clock/],
    [
      'nbf is 45 seconds ahead',
      () => ({ nbf: at(45) }),
      /"nbf" is 4[45] s ahead of our clock, and clock_tolerance is 30 s/,
    ],
  ])('rejects an ID token whose %s, and says that clocks differ', async (_, claims, words) => {
    fake.behaviour = { idToken: { claims: claims() } };
    const { fault, detail } = await faultOf(signInThere(upstream));
    expect(fault).toBe('clock_differs');
    expect(detail).toMatch(words);
    expect(detail).toMatch(/set the clocks .* by a time server, or raise clock_tolerance/);
  });

  it('tolerates as much as the upstream’s clock_tolerance says', async () => {
    await meet({}, { clockToleranceSeconds: 60 });
    fake.behaviour = { idToken: { claims: { nbf: at(45), iat: at(45) } } };
    expect((await signInThere(upstream)).subject).toBe('alice');
    await meet({}, { clockToleranceSeconds: 0 });
    fake.behaviour = { idToken: { claims: { nbf: at(5) } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('clock_differs');
  });

  it('does not ask when an ID token was issued: a clock that is ahead is told by exp and nbf', async () => {
    fake.behaviour = { idToken: { claims: { iat: at(300) } } };
    expect((await signInThere(upstream)).subject).toBe('alice');
  });

  it('accepts an ID token for several audiences that was made for us', async () => {
    fake.behaviour = { idToken: { claims: { aud: ['gatehouse', 'somebody-else'], azp: 'gatehouse' } } };
    expect((await signInThere(upstream)).subject).toBe('alice');
  });

  it('rejects an answer without an ID token', async () => {
    fake.behaviour = { token: { members: { id_token: null } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it.each(['none', 'broken', 'foreign_key', 'client_secret'] as const)(
    'rejects an ID token with a bad signature: %s',
    async (signature) => {
      fake.behaviour = { idToken: { signature } };
      expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
    },
  );

  it.each(['none', 'client_secret'] as const)(
    'rejects an unsigned or symmetrically signed ID token even where the metadata offers it: %s',
    async (signature) => {
      const metadata = { id_token_signing_alg_values_supported: ['none', 'HS256', 'ES256'] };
      fake.behaviour = { idToken: { signature }, discovery: { metadata } };
      expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
    },
  );

  it('accepts RS256, and takes it as the default where the metadata names no algorithm', async () => {
    await meet({ signingAlgorithm: 'RS256' });
    fake.behaviour = { discovery: { metadata: { id_token_signing_alg_values_supported: null } } };
    expect((await signInThere(upstream)).subject).toBe('alice');
  });

  it('rejects an algorithm that the metadata does not offer', async () => {
    fake.behaviour = { discovery: { metadata: { id_token_signing_alg_values_supported: ['RS256'] } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('accepts an ID token without kid where one key is published', async () => {
    fake.behaviour = { idToken: { header: { kid: null } }, jwks: { keys: 'one_without_kid' } };
    expect((await signInThere(upstream)).subject).toBe('alice');
  });

  it('rejects an ID token without kid that none of the keys has signed', async () => {
    const idToken = { header: { kid: null }, signature: 'broken' } as const;
    fake.behaviour = { idToken, jwks: { keys: 'two_alike_without_kid' } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('rejects an ID token with a kid that is not published', async () => {
    fake.behaviour = { idToken: { header: { kid: 'nobody-knows-me' } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('rejects an ID token whose key cannot be read', async () => {
    fake.behaviour = { jwks: { keys: 'unreadable' } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('rejects an ID token with an unknown critical header', async () => {
    fake.behaviour = { idToken: { header: { crit: ['urn:example:rule'], 'urn:example:rule': 1 } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('judges times by our clock', async () => {
    nowMs += 3600_000;
    expect((await faultOf(signInThere(upstream))).fault).toBe('clock_differs');
  });

  it.each([
    ['another one', 'not-the-state-of-this-trip'],
    ['missing', null],
  ])('rejects an answer whose state is %s, and spends no code on it', async (_, state) => {
    fake.behaviour = { authorize: { state } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
    expect(fake.requestsTo('/token')).toEqual([]);
  });

  it('rejects an answer that has a parameter twice', async () => {
    const trip = newTrip();
    const back = await goThere(upstream, trip);
    back.searchParams.append('code', 'another-one');
    expect((await faultOf(upstream.finishSignIn(back, trip))).fault).toBe('invalid_answer');
  });

  it('lets a code count once', async () => {
    const trip = newTrip();
    const back = await goThere(upstream, trip);
    await upstream.finishSignIn(back, trip);
    expect((await faultOf(upstream.finishSignIn(back, trip))).fault).toBe('invalid_answer');
  });

  it('sends the code verifier and its own redirect URI, whatever address the callback was called at', async () => {
    const trip = newTrip();
    const back = await goThere(upstream, trip);
    await upstream.finishSignIn(new URL(`http://attacker.example${back.pathname}${back.search}`), trip);
    const [{ form } = { form: new URLSearchParams() }] = fake.requestsTo('/token');
    expect(form.get('redirect_uri')).toBe(trip.redirectUri);
    expect(form.get('code_verifier')).toBe(trip.codeVerifier);
  });
});

describe('RFC 9207: the issuer in the authorization response', () => {
  it('rejects a wrong iss, and spends no code on it', async () => {
    fake.behaviour = { authorize: { iss: 'https://other.example.com' } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
    expect(fake.requestsTo('/token')).toEqual([]);
  });

  it('requires iss where the metadata says that it is sent', async () => {
    fake.behaviour = { authorize: { iss: null } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('does without iss where the metadata does not say so, but rejects a wrong one there too', async () => {
    const discovery = { metadata: { authorization_response_iss_parameter_supported: null } };
    fake.behaviour = { discovery, authorize: { iss: null } };
    expect((await signInThere(upstream)).subject).toBe('alice');
    fake.behaviour = { discovery, authorize: { iss: 'https://other.example.com' } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('keeps a code of an honest upstream from a malicious one that mixes them up', async () => {
    const malicious = await startFakeUpstream();
    try {
      malicious.behaviour = {
        authorize: { elsewhere: (asked) => new URL(`${fake.issuer}/authorize${asked.search}`) },
      };
      const toMalicious = openIdUpstream(malicious.settings({ id: 'malicious' }), { clock: () => nowMs });
      expect((await faultOf(signInThere(toMalicious))).fault).toBe('invalid_answer');
      expect(malicious.requestsTo('/token')).toEqual([]);
    } finally {
      await malicious.close();
    }
  });
});

describe('OpenID Connect Core §3.1.2.1: how recent and how strong', () => {
  it('requires auth_time where max_age was asked for', async () => {
    expect((await signInThere(upstream, newTrip({ maxAgeSeconds: 60 }))).authTimeSeconds).toBeTypeOf('number');
    fake.behaviour = { idToken: { claims: { auth_time: null } } };
    expect((await faultOf(signInThere(upstream, newTrip({ maxAgeSeconds: 60 })))).fault).toBe('too_weak');
  });

  it('rejects a sign-in that is older than max_age', async () => {
    fake.behaviour = { idToken: { claims: { auth_time: Math.floor(nowMs / 1000) - 7200 } } };
    expect((await faultOf(signInThere(upstream, newTrip({ maxAgeSeconds: 3600 })))).fault).toBe('too_weak');
    expect((await signInThere(upstream, newTrip({ maxAgeSeconds: 10_800 }))).subject).toBe('alice');
    expect((await signInThere(upstream)).subject).toBe('alice');
  });

  it.each([
    ['missing', null],
    ['another one', 'bronze'],
  ])('rejects a sign-in whose acr is %s where acr_values were asked for', async (_, acr) => {
    fake.behaviour = { idToken: { claims: { acr } } };
    expect((await faultOf(signInThere(upstream, newTrip({ acrValues: ['silver', 'gold'] })))).fault).toBe('too_weak');
  });

  it('accepts any of the asked acr_values', async () => {
    fake.behaviour = { idToken: { claims: { acr: 'gold', amr: ['pwd', 'otp'] } } };
    const signIn = await signInThere(upstream, newTrip({ acrValues: ['silver', 'gold'] }));
    expect(signIn).toMatchObject({ acr: 'gold', amr: ['pwd', 'otp'] });
  });

  it('holds the upstream to its configured acr_values and max_age too', async () => {
    await meet({}, { acrValues: 'gold' });
    fake.behaviour = { idToken: { claims: { acr: 'bronze' } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('too_weak');
    await meet({}, { maxAgeSeconds: 60 });
    fake.behaviour = { idToken: { claims: { auth_time: null } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('too_weak');
  });
});

describe('OpenID Connect Core §5.3: userinfo', () => {
  const needing = (name: string) => newTrip({ neededClaims: { wanted: [name], required: [name] } });

  it('is never asked, or each time, where the configuration says so', async () => {
    await meet({}, { userinfo: 'never' });
    fake.behaviour = { idToken: { claims: { groups: null } } };
    expect((await signInThere(upstream, needing('groups'))).groups).toBeUndefined();
    expect(fake.requestsTo('/userinfo')).toHaveLength(0);
    await meet({}, { userinfo: 'always' });
    fake.behaviour = { userinfo: { claims: { team: 'web', name: 'Somebody Else' } } };
    expect((await signInThere(upstream)).claims).toMatchObject({ team: 'web', name: 'Alice Adams' });
    fake.behaviour = { userinfo: { trouble: 'status_404' } };
    expect((await signInThere(upstream, needing('groups'))).groups).toEqual(['engineering']);
    expect(fake.requestsTo('/userinfo')).toHaveLength(2);
  });

  it.each<NonNullable<Behaviour['userinfo']>>([
    { trouble: 'status_404' },
    { fault: { error: 'method_not_allowed', status: 405 } },
    { trouble: 'status_429' },
    { trouble: 'status_500' },
    { trouble: 'html' },
    { trouble: 'garbage' },
    { trouble: 'close' },
    { trouble: 'hang' },
    { signed: 'good' },
  ])('takes nothing from the ID token by failing, where no policy needs a claim of it: %j', async (userinfo) => {
    upstream = openIdUpstream(fake.settings(), {
      clock: () => nowMs,
      timeoutMs: userinfo.trouble === 'hang' ? 900 : 5000,
    });
    // Of a signed answer: an algorithm that the metadata do not list.
    const metadata = { userinfo_signing_alg_values_supported: ['RS256'] };
    fake.behaviour = { discovery: { metadata }, idToken: { claims: { groups: null } }, userinfo };
    const wanted = newTrip({ neededClaims: { wanted: ['groups', 'department'], required: ['email'] } });
    const signIn = await signInThere(upstream, wanted);
    expect(signIn).toMatchObject({ subject: 'alice', email: 'alice@example.com' });
    expect(signIn.groups).toBeUndefined();
    await faultOf(signInThere(upstream, needing('groups')));
  });
  it('is asked only where a mapped or wanted claim is not in the ID token', async () => {
    await signInThere(upstream, newTrip({ neededClaims: { wanted: ['email'], required: [] } }));
    expect(fake.requestsTo('/userinfo')).toHaveLength(0);
    await signInThere(upstream, newTrip({ neededClaims: { wanted: ['department'], required: [] } }));
    expect(fake.requestsTo('/userinfo')).toHaveLength(1);
    fake.behaviour = { idToken: { claims: { groups: null } } };
    expect((await signInThere(upstream)).groups).toEqual(['engineering']);
    expect(fake.requestsTo('/userinfo')).toHaveLength(2);
  });

  it('rejects a userinfo answer whose sub is another one', async () => {
    fake.behaviour = { idToken: { claims: { groups: null } }, userinfo: { claims: { sub: 'mallory' } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('takes nothing from a userinfo answer without sub, and rejects it where a claim is required', async () => {
    fake.behaviour = { idToken: { claims: { groups: null } }, userinfo: { claims: { sub: null } } };
    expect((await signInThere(upstream)).groups).toBeUndefined();
    expect((await faultOf(signInThere(upstream, needing('groups')))).fault).toBe('invalid_answer');
  });

  it('lets the ID token’s claims win', async () => {
    fake.behaviour = { idToken: { claims: { groups: null } }, userinfo: { claims: { name: 'Somebody Else' } } };
    const signIn = await signInThere(upstream);
    expect(signIn.name).toBe('Alice Adams');
    expect(signIn.claims['name']).toBe('Alice Adams');
  });

  it('takes claims that only userinfo has, as the scopes ask', async () => {
    fake.behaviour = { idToken: { claims: { name: null, email: null, groups: null } } };
    expect(await signInThere(upstream)).toMatchObject({ name: 'Alice Adams', email: 'alice@example.com' });
  });

  it('checks the signature of an answer that is a signed JWT', async () => {
    const discovery = { metadata: { userinfo_signing_alg_values_supported: ['ES256'] } };
    const idToken = { claims: { groups: null } };
    fake.behaviour = { discovery, idToken, userinfo: { signed: 'good' } };
    expect((await signInThere(upstream)).groups).toEqual(['engineering']);
    fake.behaviour = { discovery, idToken, userinfo: { signed: 'broken' } };
    expect((await faultOf(signInThere(upstream, needing('groups')))).fault).toBe('invalid_answer');
    expect((await signInThere(upstream)).groups).toBeUndefined();
  });

  it('does without where the endpoint refuses the access token, which takes nothing from the ID token', async () => {
    const fault = { error: 'invalid_token', status: 401, challenge: true };
    fake.behaviour = { idToken: { claims: { groups: null } }, userinfo: { fault } };
    const signIn = await signInThere(upstream);
    expect(signIn.subject).toBe('alice');
    expect(signIn.groups).toBeUndefined();
  });
});

describe('OpenID Connect Discovery §4.3: the upstream’s metadata', () => {
  it.each([
    ['another issuer', 'https://other.example.com'],
    ['the same with a slash at the end', 'slash'],
  ])('rejects metadata that names %s, in words that say what to do', async (_, issuer) => {
    const named = issuer === 'slash' ? `${fake.issuer}/` : issuer;
    fake.behaviour = { discovery: { metadata: { issuer: named } } };
    const { fault, detail } = await faultOf(upstream.signInAddress(newTrip()));
    expect(fault).toBe('invalid_answer');
    expect(detail).toContain(`"${named}"`);
    expect(detail).toContain(`"${fake.issuer}"`);
  });

  it('sends people and secrets nowhere but to https, except on loopback', async () => {
    fake.behaviour = { discovery: { metadata: { token_endpoint: 'http://sso.example.com/token' } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
    fake.behaviour = {};
    const insecure = openIdUpstream(fake.settings({ issuer: 'http://sso.example.com' }), { clock: () => nowMs });
    expect((await faultOf(insecure.signInAddress(newTrip()))).fault).toBe('invalid_answer');
  });

  it('is asked at first use, once, however many come at once', async () => {
    expect(fake.requests).toEqual([]);
    await Promise.all([1, 2, 3, 4].map(() => upstream.signInAddress(newTrip())));
    expect(fake.requestsTo('/.well-known/openid-configuration')).toHaveLength(1);
  });

  it('is used for up to a day while the upstream does not publish it', async () => {
    await signInThere(upstream);
    fake.behaviour = { discovery: { trouble: 'status_500' } };
    nowMs += 2 * 3600_000;
    expect((await upstream.signInAddress(newTrip())).origin).toBe(fake.issuer);
    nowMs += 24 * 3600_000;
    expect((await faultOf(upstream.signInAddress(newTrip()))).fault).toBe('unavailable');
  });
});

describe('OpenID Connect Core §10.1.1: rotation of the upstream’s keys', () => {
  it('finds a new key at once, with the metadata unchanged', async () => {
    await signInThere(upstream);
    await fake.rotateKeys();
    expect((await signInThere(upstream)).subject).toBe('alice');
    expect(fake.requestsTo('/jwks')).toHaveLength(2);
    expect(fake.requestsTo('/.well-known/openid-configuration')).toHaveLength(1);
  });

  it('rejects a key that was withdrawn, once the kept keys are renewed', async () => {
    const trip = newTrip();
    await signInThere(upstream);
    fake.behaviour = { idToken: { header: { kid: 'key-1' } } };
    await fake.rotateKeys();
    nowMs += 11 * 60_000;
    fake.behaviour.idToken = { header: { kid: 'key-1' }, claims: { exp: Math.floor(nowMs / 1000) + 300 } };
    expect((await faultOf(signInThere(upstream, trip))).fault).toBe('invalid_answer');
  });

  it('finds a new key as often as it changes: an upstream that restarts twice in a minute signs people in', async () => {
    await signInThere(upstream);
    for (let restart = 0; restart < 3; restart += 1) {
      await fake.rotateKeys();
      expect((await signInThere(upstream)).subject).toBe('alice');
    }
    expect(fake.requestsTo('/jwks')).toHaveLength(4);
  });

  it('finds a new key that has the name of the old one', async () => {
    await fake.rotateKeys('the-same');
    await signInThere(upstream);
    await fake.rotateKeys('the-same');
    expect((await signInThere(upstream)).subject).toBe('alice');
  });

  it('fetches the keys once for an ID token that none of them has signed', async () => {
    await signInThere(upstream);
    fake.behaviour = { idToken: { header: { kid: 'nobody-knows-me' } } };
    await faultOf(signInThere(upstream));
    expect(fake.requestsTo('/jwks')).toHaveLength(2);
  });

  it('fetches the keys once for all ID tokens that need it at a time', async () => {
    await signInThere(upstream);
    await fake.rotateKeys();
    fake.behaviour = { jwks: { trouble: 'slow' }, slowMs: 300 };
    await Promise.all([1, 2, 3, 4].map(() => signInThere(upstream)));
    expect(fake.requestsTo('/jwks').length).toBeLessThan(4);
  });

  it('does so at most every 30 seconds for a token that anybody can send', async () => {
    await signInThere(upstream);
    const junk = () => fake.logoutToken({ header: { kid: 'nobody-knows-me' } });
    for (let attempt = 0; attempt < 4; attempt += 1) await faultOf(upstream.verifyLogoutToken(await junk()));
    expect(fake.requestsTo('/jwks')).toHaveLength(2);
    nowMs += 31_000;
    await faultOf(
      upstream.verifyLogoutToken(
        await fake.logoutToken({ header: { kid: 'x' }, claims: { iat: Math.floor(nowMs / 1000) } }),
      ),
    );
    expect(fake.requestsTo('/jwks')).toHaveLength(3);
  });

  it('a stranger’s tokens do not keep the keys from being fetched for a sign-in', async () => {
    await signInThere(upstream);
    await faultOf(upstream.verifyLogoutToken(await fake.logoutToken({ header: { kid: 'nobody-knows-me' } })));
    await fake.rotateKeys();
    expect((await signInThere(upstream)).subject).toBe('alice');
  });
});

describe('OpenID Connect Core §10.1: which of the upstream’s keys has signed', () => {
  it.each<[string, PublishedKeys, string | null | undefined]>([
    ['the same key is published twice', 'same_twice', undefined],
    ['the only key has no kid', 'one_without_kid', undefined],
    ['two keys have no kid', 'two_alike_without_kid', undefined],
    ['two keys fit an ID token without kid', 'two_with_kid', null],
    ['two keys without kid fit an ID token without', 'two_alike_without_kid', null],
    ['another key stands there six times before the right one', 'same_six_times', null],
    ['some keys are none', 'with_junk', undefined],
  ])('is found where %s', async (_, keys, kid) => {
    fake.behaviour = { jwks: { keys }, idToken: { header: kid === undefined ? {} : { kid } } };
    expect((await signInThere(upstream)).subject).toBe('alice');
    expect(
      (await upstream.verifyLogoutToken(await fake.logoutToken({ header: kid === null ? { kid } : {} }))).sub,
    ).toBe('alice');
  });

  it.each<PublishedKeys>(['same_twice', 'one_without_kid', 'two_with_kid'])(
    'is found for userinfo that is a signed JWT too: %s',
    async (keys) => {
      fake.behaviour = {
        discovery: { metadata: { userinfo_signing_alg_values_supported: ['ES256'] } },
        jwks: { keys },
        idToken: { claims: { groups: null } },
        userinfo: { signed: 'good' },
      };
      expect((await signInThere(upstream)).groups).toEqual(['engineering']);
    },
  );

  it('is looked for among four keys, and no more', async () => {
    fake.behaviour = { jwks: { keys: 'four_others_first' }, idToken: { header: { kid: null } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });

  it('is not one of another name where the token says which', async () => {
    fake.behaviour = { jwks: { keys: 'two_with_kid' }, idToken: { header: { kid: 'another' } } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });
});

describe('OpenID Connect Core §12: refresh', () => {
  async function signedIn() {
    const { refreshToken } = (await signInThere(upstream)).tokens;
    if (refreshToken === undefined) throw new Error('no refresh token');
    return refreshToken;
  }

  it('gets new tokens and the person anew', async () => {
    const refreshToken = await signedIn();
    fake.person = { ...fake.person, groups: ['management'] };
    const { tokens, signIn } = await upstream.refresh(refreshToken, { subject: 'alice' });
    expect(tokens.refreshToken?.reveal()).not.toBe(refreshToken.reveal());
    expect(signIn).toMatchObject({ subject: 'alice', groups: ['management'] });
  });

  it('does without an ID token in the answer: userinfo says who it is', async () => {
    const refreshToken = await signedIn();
    fake.behaviour = { refresh: { members: { id_token: null } } };
    expect((await upstream.refresh(refreshToken, { subject: 'alice' })).signIn?.subject).toBe('alice');
  });

  it.each([
    ['iss is another issuer', { iss: 'https://other.example.com' }],
    ['sub is another person', { sub: 'mallory' }],
    ['aud is another client', { aud: 'somebody-else' }],
  ])('rejects a refreshed ID token whose %s', async (_, claims) => {
    const refreshToken = await signedIn();
    fake.behaviour = { idToken: { claims } };
    const refresh = upstream.refresh(refreshToken, { subject: 'alice' });
    expect((await faultOf(refresh)).fault).toBe('invalid_answer');
  });

  it('rejects a refreshed ID token with a bad signature', async () => {
    const refreshToken = await signedIn();
    fake.behaviour = { idToken: { signature: 'broken' } };
    expect((await faultOf(upstream.refresh(refreshToken, { subject: 'alice' }))).fault).toBe('invalid_answer');
  });

  it('rejects userinfo of another person where there is no ID token', async () => {
    const refreshToken = await signedIn();
    fake.behaviour = { refresh: { members: { id_token: null } }, userinfo: { claims: { sub: 'mallory' } } };
    expect((await faultOf(upstream.refresh(refreshToken, { subject: 'alice' }))).fault).toBe('invalid_answer');
  });

  it('rejects userinfo of another person beside the ID token', async () => {
    const refreshToken = await signedIn();
    fake.behaviour = { idToken: { claims: { groups: null } }, userinfo: { claims: { sub: 'mallory' } } };
    expect((await faultOf(upstream.refresh(refreshToken, { subject: 'alice' }))).fault).toBe('invalid_answer');
  });

  it('rejects an ID token of another person although userinfo, which it lacks claims for, fails', async () => {
    const refreshToken = await signedIn();
    const idToken = { claims: { sub: 'mallory', groups: null } };
    fake.behaviour = { idToken, userinfo: { trouble: 'status_500' } };
    expect((await faultOf(upstream.refresh(refreshToken, { subject: 'alice' }))).fault).toBe('invalid_answer');
  });

  it('says invalid_grant when the account no longer stands', async () => {
    const refreshToken = await signedIn();
    fake.isAccountEnabled = false;
    expect((await faultOf(upstream.refresh(refreshToken))).fault).toBe('invalid_grant');
  });

  it.each(['hang', 'status_500', 'garbage', 'html'] as const)(
    'keeps the new tokens when userinfo or the keys fail afterwards: %s',
    async (trouble) => {
      upstream = openIdUpstream(fake.settings(), { clock: () => nowMs, timeoutMs: 400 });
      const refreshToken = await signedIn();
      fake.behaviour = { idToken: { claims: { groups: null } }, userinfo: { trouble } };
      const withoutUserinfo = await upstream.refresh(refreshToken, { subject: 'alice' });
      expect(withoutUserinfo.tokens.refreshToken?.reveal()).toMatch(/^[\w-]{32}$/);
      // What the ID token has is new; that the rest is missing says nothing.
      expect(withoutUserinfo).toMatchObject({ isPartial: true, signIn: { email: 'alice@example.com' } });
      expect(withoutUserinfo.signIn?.groups).toBeUndefined();
    },
  );
});

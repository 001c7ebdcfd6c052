import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import { openIdUpstream } from '../../../src/upstream/openid-upstream.ts';
import { printable } from '../../../src/upstream/requests/foreign-text.ts';
import { type Upstream, UpstreamError, type UpstreamFault } from '../../../src/upstream/upstream.ts';
import { asUpstreamError } from '../../../src/upstream/upstream-faults.ts';
import { type FakeUpstream, startFakeUpstream } from '../../support/upstream/fake-upstream.ts';
import type { OAuthFault, Trouble } from '../../support/upstream/fake-upstream-answers.ts';
import type { Behaviour } from '../../support/upstream/fake-upstream-behaviour.ts';
import { faultOf, goThere, newTrip, signInThere } from '../../support/upstream/upstream-trip.ts';

/** What can go wrong at an upstream, and which of the port's faults it is. */

let fake: FakeUpstream;
let upstream: Upstream;

beforeAll(async () => {
  fake = await startFakeUpstream();
});
afterAll(() => fake.close());
beforeEach(() => {
  fake.behaviour = {};
  upstream = openIdUpstream(fake.settings(), { clock: Date.now });
});

const TROUBLES: [Trouble, UpstreamFault][] = [
  ['hang', 'unavailable'],
  ['close', 'unavailable'],
  ['status_500', 'unavailable'],
  ['status_503', 'unavailable'],
  ['status_429', 'unavailable'],
  ['redirect_for_ever', 'unavailable'],
  ['garbage', 'invalid_answer'],
  ['json_array', 'invalid_answer'],
  ['html', 'invalid_answer'],
  ['huge', 'invalid_answer'],
];

describe.each<[string, (trouble: Trouble) => Behaviour]>([
  ['the metadata', (trouble) => ({ discovery: { trouble } })],
  ['the keys', (trouble) => ({ jwks: { trouble } })],
  ['the token endpoint', (trouble) => ({ token: { trouble } })],
  ['userinfo', (trouble) => ({ idToken: { claims: { groups: null } }, userinfo: { trouble } })],
])('where %s would be, ', (_, behaviour) => {
  it.each(TROUBLES)('%s is %s', async (trouble, fault) => {
    fake.behaviour = behaviour(trouble);
    const timeoutMs = trouble === 'hang' ? 250 : undefined;
    const asked = openIdUpstream(fake.settings(), { clock: Date.now, timeoutMs });
    const trip = newTrip({ neededClaims: { wanted: ['groups'], required: ['groups'] } });
    expect((await faultOf(signInThere(asked, trip))).fault).toBe(fault);
  });

  it('a slow answer is waited for', async () => {
    fake.behaviour = { ...behaviour('slow'), slowMs: 60 };
    expect((await signInThere(upstream)).subject).toBe('alice');
  });
});

describe('an upstream that is not there', () => {
  it('is unavailable, and says why in the log', async () => {
    const gone = await startFakeUpstream();
    const settings = gone.settings();
    await gone.close();
    const { fault, detail } = await faultOf(openIdUpstream(settings, { clock: Date.now }).signInAddress(newTrip()));
    expect(fault).toBe('unavailable');
    expect(detail).toContain('ECONNREFUSED');
  });

  it('is said at a new sign-in, though its metadata are known: nobody is sent to a dead address', async () => {
    let nowMs = Date.now();
    const port = 0;
    const going = await startFakeUpstream({ port });
    const asked = openIdUpstream(going.settings(), { clock: () => nowMs, timeoutMs: 2000 });
    await asked.signInAddress(newTrip());
    await going.close();
    nowMs += 11_000;
    expect((await faultOf(asked.signInAddress(newTrip()))).fault).toBe('unavailable');
    const back = await startFakeUpstream({ port: Number(new URL(going.issuer).port) });
    expect((await asked.signInAddress(newTrip())).origin).toBe(going.issuer);
    await back.close();
  });

  it.each([
    ['status_503', 'unavailable'],
    ['close', 'unavailable'],
    ['status_500', undefined],
    ['status_404', undefined],
    ['html', undefined],
  ] as const)('is what an answer of this kind says at a new sign-in: %s: %s', async (trouble, fault) => {
    let nowMs = Date.now();
    const asked = openIdUpstream(fake.settings(), { clock: () => nowMs, timeoutMs: 2000 });
    await asked.signInAddress(newTrip());
    nowMs += 11_000;
    fake.behaviour = { discovery: { trouble } };
    const set = asked.signInAddress(newTrip());
    if (fault === undefined) expect((await set).origin).toBe(fake.issuer);
    else expect((await faultOf(set)).fault).toBe(fault);
  });

  it('works as soon as it is back', async () => {
    fake.behaviour = { discovery: { trouble: 'status_500' } };
    await faultOf(signInThere(upstream));
    fake.behaviour = {};
    expect((await signInThere(upstream)).subject).toBe('alice');
  });

  it('holds a whole operation no longer than its deadline, however many requests it takes', async () => {
    fake.behaviour = {
      slowMs: 300,
      token: { trouble: 'slow' },
      jwks: { trouble: 'slow' },
      idToken: { claims: { groups: null } },
      userinfo: { trouble: 'slow' },
    };
    // Each of the three answers comes within the deadline; only all of them together do not.
    const impatient = openIdUpstream(fake.settings(), { clock: Date.now, timeoutMs: 600 });
    expect((await faultOf(signInThere(impatient))).fault).toBe('unavailable');
  });
});

describe('the browser comes back with an error', () => {
  it.each<[string, UpstreamFault]>([
    ['access_denied', 'access_denied'],
    ['temporarily_unavailable', 'unavailable'],
    ['server_error', 'unavailable'],
    ['login_required', 'not_signed_in'],
    ['interaction_required', 'not_signed_in'],
    ['consent_required', 'not_signed_in'],
    ['account_selection_required', 'not_signed_in'],
    ['something_of_their_own', 'not_signed_in'],
    ['authentication_expired', 'not_signed_in'],
    ['unauthorized_client', 'client_rejected'],
    ['invalid_scope', 'client_rejected'],
    ['invalid_request', 'client_rejected'],
  ])('%s: %s', async (error, fault) => {
    fake.behaviour = { authorize: { error, code: null } };
    expect((await faultOf(signInThere(upstream))).fault).toBe(fault);
  });

  it('and a description that says more than the error: its page was left open too long (Keycloak)', async () => {
    const authorize = { error: 'temporarily_unavailable', description: 'authentication_expired', code: null };
    fake.behaviour = { authorize };
    const { fault, detail } = await faultOf(signInThere(upstream));
    expect(fault).toBe('not_signed_in');
    expect(detail).toContain('left open too long');
  });

  it('and a state that is not the trip’s: it counts for nothing', async () => {
    fake.behaviour = { authorize: { error: 'access_denied', state: 'not-the-state-of-this-trip' } };
    expect((await faultOf(signInThere(upstream))).fault).toBe('invalid_answer');
  });
});

describe('the token endpoint refuses', () => {
  it.each<[OAuthFault, UpstreamFault]>([
    [{ error: 'invalid_client', status: 401 }, 'client_rejected'],
    [{ error: 'invalid_client', status: 401, challenge: true }, 'client_rejected'],
    [{ error: 'invalid_client' }, 'client_rejected'],
    [{ error: 'invalid_client', status: 200 }, 'client_rejected'],
    [{ error: 'access_denied', status: 200 }, 'access_denied'],
    [{ error: 'unauthorized_client', status: 401 }, 'client_rejected'],
    [{ error: 'unauthorized_client' }, 'client_rejected'],
    [{ error: 'something_of_their_own', status: 401 }, 'client_rejected'],
    [{ error: 'unsupported_grant_type' }, 'client_rejected'],
    [{ error: 'invalid_scope' }, 'client_rejected'],
    [{ error: 'invalid_grant' }, 'invalid_answer'],
    [{ error: 'invalid_grant', challenge: true }, 'invalid_answer'],
    [{ error: 'invalid_grant', status: 401 }, 'invalid_answer'],
    [{ error: 'invalid_grant', status: 401, challenge: true }, 'invalid_answer'],
    [{ error: 'invalid_request' }, 'invalid_answer'],
    [{ error: 'access_denied', status: 403 }, 'access_denied'],
    [{ error: 'not_allowed', description: 'Offline tokens not allowed for the user or client' }, 'sign_in_refused'],
    [{ error: 'not_allowed', status: 403 }, 'sign_in_refused'],
    [{ error: 'interaction_required' }, 'not_signed_in'],
    [{ error: 'temporarily_unavailable' }, 'unavailable'],
  ])('a code with %j: %s', async (refusal, fault) => {
    fake.behaviour = { token: { fault: refusal } };
    expect((await faultOf(signInThere(upstream))).fault).toBe(fault);
  });

  it.each<[OAuthFault, UpstreamFault]>([
    [{ error: 'invalid_grant' }, 'invalid_grant'],
    [{ error: 'access_denied' }, 'invalid_grant'],
    [{ error: 'interaction_required' }, 'invalid_grant'],
    [{ error: 'login_required' }, 'invalid_grant'],
    [{ error: 'not_allowed', description: 'Offline tokens not allowed for the user or client' }, 'invalid_grant'],
    [{ error: 'invalid_client', status: 401, challenge: true }, 'client_rejected'],
    [{ error: 'unauthorized_client' }, 'client_rejected'],
    [{ error: 'temporarily_unavailable' }, 'unavailable'],
    // A 400 that is no known error: the token is gone, which the tolerance decides.
    [{ error: 'invalid_request' }, 'refresh_refused'],
    [{ error: 'invalid_request', status: 422 }, 'invalid_answer'],
    [{ error: 'invalid_grant', status: 401, challenge: true }, 'invalid_grant'],
    [{ error: 'unauthorized_client', status: 400, description: 'Refresh token is invalid' }, 'client_rejected'],
  ])('a refresh token with %j: %s', async (refusal, fault) => {
    fake.behaviour = { refresh: { fault: refusal } };
    expect((await faultOf(upstream.refresh(new Secret('a-refresh-token')))).fault).toBe(fault);
  });

  it('a wrong secret, and tells the administrator what to check', async () => {
    const settings = fake.settings({ clientSecret: new Secret('a-wrong-secret') });
    const wrong = openIdUpstream(settings, { clock: Date.now });
    const { fault, detail } = await faultOf(signInThere(wrong));
    expect(fault).toBe('client_rejected');
    expect(detail).toMatch(/check client_id, client_secret and authentication/);
    expect(detail).not.toContain('a-wrong-secret');
  });
});

describe('what is told in the log', () => {
  it('has no code, verifier, token or secret in it, even where the upstream repeats them', async () => {
    const trip = newTrip();
    const back = await goThere(upstream, trip);
    const code = back.searchParams.get('code') ?? '';
    const description = `code ${code} verifier ${trip.codeVerifier} secret ${fake.clientSecret} is not good`;
    for (const fault of [
      { error: 'invalid_grant', description },
      { error: code, description },
    ]) {
      fake.behaviour = { token: { fault } };
      const { detail } = await faultOf(upstream.finishSignIn(back, trip));
      expect(detail).toContain('is not good');
      for (const secret of [code, trip.codeVerifier, fake.clientSecret]) expect(detail).not.toContain(secret);
    }
  });

  it('keeps no answer as a cause, since answers have tokens in them', async () => {
    fake.behaviour = { idToken: { claims: { nonce: 'another' } } };
    const thrown: unknown = await signInThere(upstream).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(UpstreamError);
    expect((thrown as UpstreamError).cause).toBeUndefined();
  });

  it('is short printable ASCII', () => {
    expect(printable('a\u0000b\u202ec\nd')).toBe('a?b?c?d');
    expect(printable('x'.repeat(1000))).toHaveLength(300);
  });

  it('names a fault for whatever was thrown', async () => {
    expect((await asUpstreamError('a text', 'token')).fault).toBe('invalid_answer');
    expect((await asUpstreamError(new TypeError('Invalid URL'), 'discovery')).fault).toBe('invalid_answer');
  });
});

describe('revoking', () => {
  it('answers whether it could, and never throws', async () => {
    expect(await upstream.revoke(new Secret('a-refresh-token'), 'refresh_token')).toBe(true);
    expect(fake.revoked).toEqual(['a-refresh-token']);
    fake.behaviour = { revocation: { trouble: 'hang' } };
    expect(await upstream.revoke(new Secret('a-refresh-token'), 'refresh_token')).toBe(false);
    fake.behaviour = { revocation: { fault: { error: 'unsupported_token_type' } } };
    expect(await upstream.revoke(new Secret('a-refresh-token'), 'access_token')).toBe(false);
  });

  it('is not tried where the upstream offers no such endpoint', async () => {
    fake.behaviour = { discovery: { metadata: { revocation_endpoint: null } } };
    expect(await upstream.revoke(new Secret('a-refresh-token'), 'refresh_token')).toBe(false);
  });
});

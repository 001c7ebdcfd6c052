import { exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../src/sealing/secret.ts';
import { openIdUpstream } from '../../../src/upstream/openid-upstream.ts';
import type { ProbeReport } from '../../../src/upstream/upstream.ts';
import type { UpstreamSettings } from '../../../src/upstream/upstream-settings.ts';
import { type FakeUpstream, startFakeUpstream } from '../../support/upstream/fake-upstream.ts';
import { CALLBACK, PUBLIC_URL } from '../../support/upstream/upstream-trip.ts';

/** `gatehouse check --probe`: what an administrator is told about an upstream. */

let fake: FakeUpstream;
beforeAll(async () => {
  fake = await startFakeUpstream();
});
afterAll(() => fake.close());
beforeEach(() => {
  fake.behaviour = { authorize: { error: 'login_required', code: null } };
});

const COMPLETE = { scopes: ['openid', 'profile', 'email', 'offline_access'] };

async function probe(changes: Partial<UpstreamSettings> = COMPLETE): Promise<ProbeReport> {
  return openIdUpstream(fake.settings(changes), { clock: Date.now, timeoutMs: 2000 }).probe(PUBLIC_URL);
}

function texts(report: ProbeReport, level: 'ok' | 'missing' | 'wrong' | 'away'): string {
  return report.findings
    .filter((finding) => finding.level === level)
    .map(({ text }) => text)
    .join('\n');
}

describe('an upstream that has everything', () => {
  it('is found to be in order, with the addresses to register', async () => {
    const report = await probe();
    expect(report.ok).toBe(true);
    expect(texts(report, 'wrong')).toBe('');
    expect(texts(report, 'missing')).toBe('');
    expect(texts(report, 'ok')).toContain(`the redirect URI to register is ${CALLBACK}`);
    expect(texts(report, 'ok')).toContain('http://127.0.0.1:8080/backchannel-logout/corp');
    expect(texts(report, 'ok')).toContain('the redirect URI is registered');
    expect(texts(report, 'ok')).toContain('accepts client_id gatehouse');
  });

  it('refuses a secret that is not ours', async () => {
    expect(texts(await probe(), 'ok')).toContain('with its credentials, and refuses wrong ones');
  });

  it('is not tried with a wrong secret where there is none', async () => {
    const report = await probe({ ...COMPLETE, authentication: 'none' });
    expect(texts(report, 'ok')).not.toContain('wrong ones');
  });

  it('is asked without signing anybody in', async () => {
    fake.requests.length = 0;
    await probe();
    expect(fake.requestsTo('/authorize').map(({ query }) => query.get('prompt'))).toEqual(['none']);
    expect(fake.requestsTo('/userinfo')).toEqual([]);
  });
});

describe('offline_access', () => {
  it.each<[Partial<UpstreamSettings>, { authorization_endpoint?: string; scopes_supported?: string[] }, RegExp]>([
    [{}, {}, /offline_access is asked for where refresh tokens are wanted/],
    [{ offlineAccess: 'always' }, { scopes_supported: ['openid'] }, /is asked for where refresh tokens are wanted/],
    [{}, { scopes_supported: ['openid', 'profile', 'email'] }, /offline_access is not offered/],
    [{}, { authorization_endpoint: '/realms/corp/protocol/openid-connect/auth' }, /refresh tokens come without it/],
  ])('is asked for where it is needed: %j %j', async (settings, metadata, words) => {
    const { authorization_endpoint: path } = metadata;
    const there = path === undefined ? {} : { authorization_endpoint: `${fake.issuer}${path}` };
    fake.behaviour.discovery = { metadata: { ...metadata, ...there } };
    expect(texts(await probe(settings), 'ok')).toMatch(words);
  });
});

describe('a logout at Keycloak', () => {
  const keycloak = (more = {}) => {
    const authorization = `${fake.issuer}/realms/corp/protocol/openid-connect/auth`;
    fake.behaviour.discovery = {
      metadata: { authorization_endpoint: authorization, backchannel_logout_supported: true, ...more },
    };
  };

  it.each<[Partial<UpstreamSettings>]>([
    [{ scopes: ['openid', 'profile', 'email', 'offline_access'] }],
    [{ offlineAccess: 'always' }],
  ])('%j: is not told for tokens that outlive the session', async (settings) => {
    keycloak();
    const report = await probe(settings);
    expect(texts(report, 'missing')).toMatch(/offline_access is asked for.*a logout there is not told/);
    expect(texts(report, 'ok')).not.toContain('offline_access is asked for');
    fake.behaviour.discovery = {};
    expect(texts(await probe(settings), 'missing')).not.toContain('offline_access');
  });

  it('is told where a switch of the client is off, which nobody can see from outside', async () => {
    keycloak();
    expect(texts(await probe(), 'ok')).toMatch(/back-channel logout is offered; .*Front channel logout must be off/);
    fake.behaviour.discovery = { metadata: { backchannel_logout_supported: true } };
    expect(texts(await probe(), 'ok')).not.toContain('Front channel');
  });
});

describe('encryption', () => {
  const encryptionKeys: Secret[] = [];
  it.each<[Partial<UpstreamSettings>, Record<string, unknown>, 'ok' | 'missing', RegExp | '']>([
    [
      {},
      { id_token_encryption_alg_values_supported: ['RSA1_5', 'RSA-OAEP', 'ECDH-ES'] },
      'ok',
      /can encrypt .* with RSA-OAEP, ECDH-ES; where it does so for this client, set encryption_key/,
    ],
    [
      { encryptionKeys },
      { userinfo_encryption_alg_values_supported: ['RSA-OAEP-256'] },
      'ok',
      /with RSA-OAEP-256; with encryption_key/,
    ],
    [{ encryptionKeys }, {}, 'missing', /encryption_key is set, and it lists no encryption that is accepted \(RSA-O/],
    [
      { encryptionKeys },
      { id_token_encryption_alg_values_supported: ['RSA1_5', 'A128KW'] },
      'missing',
      /lists no encryption that is accepted .*, only RSA1_5, A128KW$/m,
    ],
    [{}, {}, 'missing', ''],
    [{}, { id_token_encryption_alg_values_supported: ['RSA1_5'] }, 'missing', ''],
  ])('%j of %j: %s', async (settings, metadata, level, words) => {
    fake.behaviour.discovery = { metadata };
    const told = texts(await probe({ ...COMPLETE, ...settings }), level);
    if (words === '') expect(told).toBe('');
    else expect(told).toMatch(words);
  });
});

describe('front-channel logout', () => {
  const offers = (more: Record<string, unknown>) => ({ frontchannel_logout_supported: true, ...more });

  it.each<[Partial<UpstreamSettings>, Record<string, unknown>, 'ok' | 'missing', RegExp]>([
    [
      { frontChannelLogout: true },
      offers({ frontchannel_logout_session_supported: true }),
      'ok',
      /register for front-channel logout is http:\/\/127\.0\.0\.1:8080\/frontchannel-logout\/corp/,
    ],
    [
      { frontChannelLogout: true },
      offers({}),
      'missing',
      /does not say that its front-channel logout names the session/,
    ],
    [
      { frontChannelLogout: 'sid_only' },
      {},
      'missing',
      /does not say that it offers front-channel logout; the address/,
    ],
    [{}, offers({ backchannel_logout_supported: false }), 'ok', /front_channel_logout takes it/],
  ])('%j of %j: %s', async (settings, metadata, level, words) => {
    fake.behaviour.discovery = { metadata };
    expect(texts(await probe({ ...COMPLETE, ...settings }), level)).toMatch(words);
  });

  it('is not spoken of where there is a better one', async () => {
    fake.behaviour.discovery = { metadata: offers({}) };
    expect(JSON.stringify(await probe())).not.toMatch(/front.channel/);
  });
});

describe('response_mode', () => {
  it('form_post that is listed is in order; where the redirect URI is known there cannot be seen', async () => {
    fake.behaviour.discovery = { metadata: { response_modes_supported: ['query', 'fragment', 'form_post'] } };
    const report = await probe({ ...COMPLETE, responseMode: 'form_post' });
    expect(report.ok).toBe(true);
    expect(texts(report, 'ok')).toContain('response_mode form_post is offered');
    expect(texts(report, 'missing')).toMatch(/could not be seen: the answer comes in a page/);
  });

  it.each<[Partial<UpstreamSettings>, unknown, RegExp]>([
    [{ responseMode: 'form_post' }, null, /does not list response_mode form_post, only query, fragment/],
    [{}, ['form_post'], /does not list response_mode query, only form_post: set response_mode: form_post/],
    [{}, ['fragment'], /does not list response_mode query, only fragment$/m],
  ])('%j of %j is told', async (settings, listed, words) => {
    fake.behaviour.discovery = { metadata: { response_modes_supported: listed } };
    expect(texts(await probe({ ...COMPLETE, ...settings }), 'missing')).toMatch(words);
  });
});

describe('what is wrong is said in plain words:', () => {
  it('a wrong client secret', async () => {
    const report = await probe({ ...COMPLETE, clientSecret: new Secret('not-the-secret') });
    expect(report.ok).toBe(false);
    expect(texts(report, 'wrong')).toMatch(/check client_id, client_secret and authentication/);
    expect(JSON.stringify(report)).not.toContain('not-the-secret');
  });

  it('a wrong client secret at Keycloak, which calls it unauthorized_client', async () => {
    fake.behaviour.token = {
      fault: { error: 'unauthorized_client', description: 'Invalid client or Invalid client credentials', status: 401 },
    };
    expect(texts(await probe(), 'wrong')).toMatch(/unauthorized_client.*check client_id, client_secret/);
  });

  it('the code alone is refused, whatever status that comes with: the credentials are right', async () => {
    const statuses = ['invalid_grant_as_401', 'invalid_grant_as_401_with_challenge', 'invalid_grant_as_200'] as const;
    for (const refuses of statuses) {
      fake.behaviour.token = { refuses };
      expect(texts(await probe(), 'ok')).toContain('it accepts client_id gatehouse with its credentials');
    }
  });

  it('an endpoint that cannot be reached though all the rest is right, and who said that it is there', async () => {
    fake.behaviour.discovery = { metadata: { token_endpoint: 'http://127.0.0.1:9/token' } };
    const report = await probe();
    expect(texts(report, 'away')).toContain('tokens cannot be had: http://127.0.0.1:9/token: ECONNREFUSED');
    expect(texts(report, 'away')).toMatch(/its own document names that address/);
    expect(report.ok).toBe(false);
  });

  it('another issuer', async () => {
    fake.behaviour.discovery = { metadata: { issuer: `${fake.issuer}/` } };
    const report = await probe();
    expect(report.ok).toBe(false);
    expect(texts(report, 'wrong')).toContain(`"${fake.issuer}/"`);
    expect(texts(report, 'ok')).toContain(CALLBACK);
  });

  it('a redirect URI that is not registered', async () => {
    fake.behaviour.authorize = { elsewhere: () => new URL('/error-page', fake.issuer) };
    expect(texts(await probe(), 'missing')).toContain('could not be seen');
    fake.behaviour.authorize = { status: 400 };
    const report = await probe();
    expect(report.ok).toBe(false);
    expect(texts(report, 'wrong')).toContain(`register exactly ${CALLBACK}`);
  });

  it('a sign-in page that is not there, which has nothing to do with the redirect URI', async () => {
    fake.behaviour.discovery = { metadata: { authorization_endpoint: `${fake.issuer}/no-such-page` } };
    const report = await probe();
    expect(report.ok).toBe(false);
    expect(texts(report, 'wrong')).toContain(
      `nothing answers at its sign-in page ${fake.issuer}/no-such-page (status 404)`,
    );
    expect(texts(report, 'wrong')).not.toContain('register exactly');
  });

  it('a wrong client secret at a server that looks at the code before the client', async () => {
    fake.behaviour.token = { looksAtCodeFirst: true };
    expect(texts(await probe(), 'ok')).toContain('accepts client_id gatehouse');
    const report = await probe({ ...COMPLETE, clientSecret: new Secret('not-the-secret-of-this-client') });
    expect(report.ok).toBe(false);
    expect(texts(report, 'wrong')).toMatch(/check client_id, client_secret and authentication/);
  });

  it('a wrong secret that nobody looks at: the client is public there', async () => {
    fake.behaviour.isClientPublic = true;
    const report = await probe();
    expect(report.ok).toBe(false);
    expect(texts(report, 'wrong')).toMatch(
      /client_id gatehouse: this client is public at the provider, its secret protects nothing/,
    );
    expect(texts(report, 'ok')).not.toContain('accepts client_id');
    expect(JSON.stringify(report)).not.toContain(fake.clientSecret);
  });

  it('a wrong secret that is looked at only when a token is revoked', async () => {
    fake.behaviour.token = { refuses: 'invalid_grant_as_401' };
    expect(texts(await probe(), 'ok')).toContain('accepts client_id gatehouse with its credentials, and refuses wrong');
  });

  it.each<[string, FakeUpstream['behaviour']]>([
    ['tokens cannot be revoked there', { discovery: { metadata: { revocation_endpoint: null } } }],
    ['anybody may revoke there', { revocation: { fault: { error: 'unsupported_token_type' } } }],
    ['nobody answers there', { revocation: { trouble: 'status_503' } }],
  ])('but nothing is called public where codes are looked at first and %s', async (_, behaviour) => {
    Object.assign(fake.behaviour, behaviour, { token: { refuses: 'invalid_grant_as_401' } });
    const report = await probe();
    expect(report.ok).toBe(true);
    expect(texts(report, 'missing')).toMatch(/whether it looks at the secret of client_id gatehouse could not be seen/);
  });

  it('but not a client that may not refresh', async () => {
    fake.behaviour.refresh = { fault: { error: 'unauthorized_client', status: 400 } };
    expect(texts(await probe(), 'ok')).toContain('accepts client_id gatehouse');
    fake.behaviour.refresh = { fault: { error: 'unsupported_grant_type' } };
    expect(texts(await probe(), 'wrong')).toBe('');
  });

  it('a sign-in request that is refused', async () => {
    fake.behaviour.authorize = { error: 'invalid_scope', description: 'Invalid scopes: groups', code: null };
    expect(texts(await probe(), 'wrong')).toContain('invalid_scope Invalid scopes: groups');
  });

  it('no keys', async () => {
    fake.behaviour.jwks = { keys: 'none' };
    expect(texts(await probe(), 'wrong')).toContain('publishes no key');
    fake.behaviour.jwks = { trouble: 'status_404' };
    expect(texts(await probe(), 'wrong')).toContain('keys cannot be had');
  });

  it('no signature that can be checked, or no authorization code flow', async () => {
    fake.behaviour.discovery = {
      metadata: { id_token_signing_alg_values_supported: ['none', 'HS256'], response_types_supported: ['id_token'] },
    };
    const wrong = texts(await probe(), 'wrong');
    expect(wrong).toContain('RS256 or ES256');
    expect(wrong).toContain('response_type code');
  });
});

describe.each(['client_secret_post', 'private_key_jwt'] as const)('a client with %s', (authentication) => {
  it('is found to be guarded, or to be public', async () => {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const clientKey = await exportJWK(publicKey);
    const jwk = new Secret(JSON.stringify(await exportJWK(privateKey)));
    const guarded = await startFakeUpstream({ authentication, clientKey });
    const isByKey = authentication === 'private_key_jwt';
    const settings = guarded.settings(isByKey ? { assertionKey: { jwk, audience: 'issuer' } } : {});
    const upstream = openIdUpstream(settings, { clock: Date.now, timeoutMs: 2000 });
    expect(texts(await upstream.probe(PUBLIC_URL), 'ok')).toContain('with its credentials, and refuses wrong ones');
    guarded.behaviour.isClientPublic = true;
    const what = isByKey ? 'key' : 'secret';
    expect(texts(await upstream.probe(PUBLIC_URL), 'wrong')).toContain(
      `is public at the provider, its ${what} protects`,
    );
    await guarded.close();
  });
});

describe('what does not answer now is away, and nothing of it is called wrong:', () => {
  it.each([
    ['hang', /no answer in time/],
    ['close', /openid-configuration: UND_ERR_SOCKET/],
    ['status_500', /openid-configuration answers 500/],
  ] as const)('the upstream itself (%s)', async (trouble, words) => {
    fake.behaviour.discovery = { trouble };
    const report = await probe();
    expect(report.ok).toBe(false);
    expect(texts(report, 'away')).toMatch(words);
    expect(texts(report, 'wrong')).toBe('');
  });

  it('its keys', async () => {
    fake.behaviour.jwks = { trouble: 'hang' };
    const report = await probe();
    expect(report.ok).toBe(false);
    expect(texts(report, 'away')).toMatch(/keys cannot be had.*no answer in time/);
  });

  it('but not an address that redirects: waiting does not mend that', async () => {
    fake.behaviour.discovery = { trouble: 'redirect_for_ever' };
    const report = await probe();
    expect(report.ok).toBe(false);
    expect(texts(report, 'wrong')).toContain('which is not followed');
    expect(texts(report, 'away')).toBe('');
  });
});

describe('what is missing is said, and is no failure:', () => {
  it.each<[string, Record<string, unknown>, RegExp]>([
    ['PKCE', { code_challenge_methods_supported: null }, /PKCE.*choose S256/],
    ['iss', { authorization_response_iss_parameter_supported: null }, /RFC 9207/],
    ['back-channel logout', { backchannel_logout_supported: null }, /no back-channel logout/],
    ['revocation', { revocation_endpoint: null }, /cannot be revoked/],
    ['refresh tokens', { grant_types_supported: ['authorization_code'] }, /refresh_token/],
    ['userinfo', { userinfo_endpoint: null }, /no userinfo/],
    ['a scope', { scopes_supported: ['openid', 'email', 'offline_access'] }, /profile/],
    ['the authentication', { token_endpoint_auth_methods_supported: ['private_key_jwt'] }, /client_secret_basic/],
  ])('%s', async (_, metadata, words) => {
    fake.behaviour.discovery = { metadata };
    const report = await probe();
    expect(report.ok).toBe(true);
    expect(texts(report, 'missing')).toMatch(words);
  });

  it.each<[string[], Partial<UpstreamSettings>, RegExp]>([
    [['none', 'login'], {}, /does not offer prompt select_account: “Not you\?” asks for login/],
    [['none', 'consent'], {}, /neither prompt select_account nor login: .* must sign out there first/],
    [['select_account'], { prompt: 'login consent' }, /prompt login consent of this upstream is not among those/],
  ])('prompts: %j', async (listed, changes, words) => {
    fake.behaviour.discovery = { metadata: { prompt_values_supported: listed } };
    const report = await probe({ ...COMPLETE, ...changes });
    expect(report.ok).toBe(true);
    expect(texts(report, 'missing')).toMatch(words);
  });

  it('offline_access, where it is offered and not asked for, with how long sessions live then', async () => {
    const report = await probe({ offlineAccess: 'never', uncheckedSessionSeconds: 6 * 3600 });
    expect(report.ok).toBe(true);
    expect(texts(report, 'missing')).toMatch(
      /offline_access: never: .*sessions end after 6 hours \(unchecked_session\)/,
    );
  });
});

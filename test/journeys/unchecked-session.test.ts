import { afterEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

/** Whether anybody can be asked about an account at a refresh, and how long a session lives where nobody can. */

const HOUR = 60 * 60 * 1000;
const KEYCLOAK = '/realms/corp/protocol/openid-connect/auth';

let test: TestBroker;
const open = async (client: Record<string, unknown> = {}, upstream: Record<string, unknown> = {}) => {
  test = await createTestBroker({ yaml: { clients: { 'build-cli': client }, upstreams: { corp: upstream } } });
};
afterEach(() => test.close());

/** The scope that people are sent to the upstream with. */
async function askedScope(start: Record<string, string> = {}): Promise<string> {
  test.upstream.requests.length = 0;
  const { body } = await test.device().start(start);
  await test.approveInBrowser(body.user_code).catch(() => undefined);
  return (
    test.upstream.requests.find(({ path }) => path.endsWith('/auth') || path === '/authorize')?.query.get('scope') ?? ''
  );
}

describe('offline_access', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown> | undefined, string]>([
    ['auto: where it is offered', {}, undefined, 'openid profile email offline_access'],
    ['auto: not where it is not offered', {}, { scopes_supported: ['openid'] }, 'openid profile email'],
    ['auto: not where nothing is listed', {}, { scopes_supported: null }, 'openid profile email'],
    ['never: not', { offline_access: 'never' }, undefined, 'openid profile email'],
    [
      'never: not although the scopes have it',
      { offline_access: 'never', scopes: ['openid', 'offline_access'] },
      undefined,
      'openid',
    ],
    [
      'always: although it is not offered',
      { offline_access: 'always' },
      { scopes_supported: ['openid'] },
      'openid profile email offline_access',
    ],
  ])('%s', async (_what, upstream, metadata, scope) => {
    await open({}, upstream);
    test.upstream.behaviour = { discovery: { ...(metadata !== undefined && { metadata }) } };
    expect(await askedScope()).toBe(scope);
  });

  it('auto: not of Keycloak, which gives refresh tokens without and sends no logout token with it', async () => {
    await open();
    const metadata = { authorization_endpoint: `${test.upstream.issuer}${KEYCLOAK}` };
    test.upstream.behaviour = { discovery: { metadata } };
    expect(await askedScope()).toBe('openid profile email');
  });

  it('is asked for only where refresh tokens are wanted', async () => {
    await open({ refresh_tokens: 'offline_access' }, { offline_access: 'always' });
    expect(await askedScope({ scope: 'openid' })).toBe('openid profile email');
    expect(await askedScope({ scope: 'openid offline_access' })).toBe('openid profile email offline_access');
  });
});

describe('relay asks the upstream for the grant’s scopes, and for nothing else (I5)', () => {
  it.each<[string, Record<string, unknown>, Record<string, string>, string]>([
    ['openid alone', { refresh_tokens: 'never' }, { scope: 'openid' }, 'openid'],
    ['one of its own', { refresh_tokens: 'never' }, { scope: 'packages:read' }, 'openid packages:read'],
    ['with a refresh token', {}, { scope: 'openid' }, 'openid offline_access'],
    [
      'offline_access that the client may not have',
      { refresh_tokens: 'never' },
      { scope: 'openid offline_access' },
      'openid',
    ],
  ])('%s', async (_what, client, start, scope) => {
    await open({ tokens: 'relay', ...client });
    expect(await askedScope(start)).toBe(scope);
  });

  it('and tells the device what it was granted, without what is not its own', async () => {
    await open({ tokens: 'relay' });
    test.upstream.behaviour = { token: { members: { scope: 'openid offline_access' } } };
    expect((await test.signIn(test.device(), { start: { scope: 'openid' } }))['scope']).toBe('openid');
  });

  it.each(['openid packages:read', 'packages:read'])(
    'what came counts, whatever `scope` leaves out: "%s"',
    async (scope) => {
      await open({ tokens: 'relay', refresh_tokens: 'offline_access' });
      test.upstream.behaviour = { token: { members: { scope } } };
      const start = { scope: 'openid packages:read offline_access' };
      const tokens = await test.signIn(test.device(), { start });
      expect(String(tokens['scope']).split(' ').sort()).toEqual(['offline_access', 'openid', 'packages:read']);
      expect((await test.device().refresh(tokens.refresh_token)).status).toBe(200);
    },
  );
});

describe('a session whose upstream gave no refresh token', () => {
  const withoutRefreshToken = () => {
    test.upstream.behaviour = { token: { members: { refresh_token: null } } };
  };

  it('refreshes for unchecked_session and no longer', async () => {
    await open();
    withoutRefreshToken();
    let { refresh_token: token } = await test.signIn();
    await test.advance(11.9 * HOUR);
    const { status, body } = await test.device().refresh(token);
    expect(status).toBe(200);
    token = body.refresh_token;
    await test.advance(0.2 * HOUR);
    expect((await test.device().refresh(token)).body.error).toBe('invalid_grant');
  });

  it('as the configuration of this upstream says, today’s too', async () => {
    await open({}, { unchecked_session: '2d' });
    withoutRefreshToken();
    const { refresh_token: token } = await test.signIn();
    await test.advance(40 * HOUR);
    const { body } = await test.device().refresh(token);
    test.reload({ upstreams: { corp: { unchecked_session: '1d' } } });
    expect((await test.device().refresh(body.refresh_token)).body.error).toBe('invalid_grant');
  });

  it('never lives longer than refresh_absolute, nor shorter than its access token', async () => {
    await open({ lifetimes: { refresh_absolute: '1h', refresh_idle: '1h' } });
    withoutRefreshToken();
    const { refresh_token: token } = await test.signIn();
    await test.advance(HOUR);
    expect((await test.device().refresh(token)).body.error).toBe('invalid_grant');
    test.reload({ upstreams: { corp: { unchecked_session: '1m' } } });
    expect((await test.signIn())['expires_in']).toBe(600);
  });

  it('is told from one whose account is asked about', async () => {
    await open();
    const { refresh_token: token } = await test.signIn();
    await test.advance(24 * HOUR);
    expect((await test.device().refresh(token)).status).toBe(200);
  });
});

import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type DeviceServer, type DeviceServerScript, startDeviceServer } from '../support/broker/device-server.ts';
import { type LoginRunOptions, runLogin } from '../support/broker/login-run.ts';

const opened: DeviceServer[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

async function logInAt(
  script: Partial<DeviceServerScript>,
  args: readonly string[] = [],
  options: LoginRunOptions = {},
) {
  const server = await startDeviceServer({ polls: ['tokens'], ...script });
  opened.push(server);
  const run = await runLogin(['--issuer', server.issuer, '--client-id', 'tv', ...args], options);
  const [start, ...polls] = server.requests;
  return { ...run, server, start, polls };
}

describe('gatehouse login finds the metadata of a server', () => {
  it.each([
    ['where OpenID Connect Discovery puts it', '/.well-known/openid-configuration', ''],
    ['where RFC 8414 puts it', '/.well-known/oauth-authorization-server', ''],
    ['appended to the issuer’s path', '/realms/corp/.well-known/openid-configuration', '/realms/corp'],
    ['inserted before the issuer’s path', '/.well-known/oauth-authorization-server/realms/corp', '/realms/corp'],
    ['appended, in the other form', '/realms/corp/.well-known/oauth-authorization-server', '/realms/corp'],
    ['inserted, in the other form', '/.well-known/openid-configuration/realms/corp', '/realms/corp'],
  ])('%s', async (_, metadataPath, issuerPath) => {
    expect((await logInAt({ metadataPath, issuerPath })).exitCode).toBe(0);
  });

  it('at an address that is given in full', async () => {
    const server = await startDeviceServer({ polls: ['tokens'], metadataPath: '/.well-known/openid-configuration' });
    opened.push(server);
    const issuer = `${server.issuer}/.well-known/openid-configuration`;
    expect((await runLogin(['--issuer', issuer, '--client-id', 'tv'])).exitCode).toBe(0);
  });

  it('also where the person leaves out the slash at the issuer’s end, or adds one', async () => {
    const slash = await startDeviceServer({ polls: ['tokens'], issuerPath: '/o' });
    opened.push(slash);
    expect((await runLogin(['--issuer', `${slash.issuer}/`, '--client-id', 'tv'])).exitCode).toBe(0);
  });
});

describe('gatehouse login finds the device endpoint', () => {
  it('where the metadata does not name it but the person does, as with django-oauth-toolkit', async () => {
    const server = await startDeviceServer({
      polls: ['tokens'],
      metadata: { device_authorization_endpoint: undefined },
    });
    opened.push(server);
    const args = ['--issuer', server.issuer, '--client-id', 'tv', '--device-authorization-endpoint'];
    expect((await runLogin([...args, `${server.issuer}/device_authorization`])).exitCode).toBe(0);
    expect((await runLogin([...args, 'http://elsewhere.example/device'])).screen).toContain('without https');
    expect((await runLogin([...args, '/device_authorization'])).exitCode).toBe(64);
  });
});

describe('gatehouse login refuses, with 1 and a sentence that says what to do,', () => {
  it('metadata that names another issuer (RFC 8414 §3.3)', async () => {
    const { exitCode, screen, server } = await logInAt({ metadata: { issuer: 'https://other.example' } });
    expect(exitCode).toBe(1);
    expect(screen).toContain('use --issuer https://other.example');
    expect(server.requests.filter(({ path }) => !path.startsWith('/.well-known/'))).toEqual([]);
  });

  it('a server without the device flow', async () => {
    const { exitCode, screen } = await logInAt({ metadata: { device_authorization_endpoint: undefined } });
    expect(exitCode).toBe(1);
    expect(screen).toContain('has no device flow');
  });

  it('a server without metadata', async () => {
    const { exitCode, screen } = await logInAt({ metadataPath: '/elsewhere' });
    expect(exitCode).toBe(1);
    expect(screen).toContain('answered 404');
  });

  it('a server that is away', async () => {
    const server = await startDeviceServer({ polls: [] });
    await server.close();
    const { exitCode, screen } = await runLogin(['--issuer', server.issuer, '--client-id', 'tv']);
    expect(exitCode).toBe(1);
    expect(screen).toMatch(/Cannot reach 127\.0\.0\.1:\d+ \(connection refused\)\./);
  });

  it('http to another machine, before anything is sent', async () => {
    const sent: unknown[] = [];
    const fetch = (async (...request: unknown[]) => void sent.push(request)) as unknown as typeof globalThis.fetch;
    const { exitCode, screen } = await runLogin(['--issuer', 'http://login.example.com', '--client-id', 'tv'], {
      fetch,
    });
    expect(exitCode).toBe(1);
    expect(screen).toContain('without https');
    expect(sent).toEqual([]);
  });

  it.each(['device_authorization_endpoint', 'token_endpoint', 'jwks_uri'])(
    'http to another machine where the metadata names it (%s)',
    async (endpoint) => {
      const { exitCode, screen, server } = await logInAt({
        metadata: { [endpoint]: 'http://login.example.com/there' },
      });
      expect(exitCode).toBe(1);
      expect(screen).toContain('http://login.example.com is refused');
      expect(server.requests).toEqual([]);
    },
  );

  it.each([
    [
      'an unknown client',
      { status: 401, json: { error: 'invalid_client' }, headers: { 'www-authenticate': 'Basic' } },
      '--client-id',
    ],
    [
      'a client without the grant',
      { status: 400, json: { error: 'unauthorized_client' } },
      'may not use the device flow',
    ],
    [
      'an error with a description',
      { status: 400, json: { error: 'invalid_request', error_description: 'No luck' } },
      'No luck',
    ],
    ['an answer without codes', { status: 200, json: {} }, 'device_code'],
    ['a server in trouble', { status: 500, html: '<h1>Oops</h1>' }, 'answered 500'],
  ] satisfies [string, DeviceServerScript['start'], string][])('%s', async (_, start, words) => {
    const { exitCode, screen } = await logInAt({ start });
    expect(exitCode).toBe(1);
    expect(screen).toContain(words);
  });

  it('a secret that is not where the option says', async () => {
    const unset = await logInAt({}, ['--client-secret-env', 'NOT_SET']);
    expect([unset.exitCode, unset.server.requests]).toEqual([1, []]);
    expect(unset.screen).toContain('NOT_SET');
    expect((await logInAt({}, ['--client-secret-file', '/nowhere/at/all'])).screen).toContain('/nowhere/at/all');
  });
});

describe('gatehouse login takes servers as they are:', () => {
  it('without interval: 5 seconds', async () => {
    const { exitCode, sleeps } = await logInAt({ start: { change: { interval: undefined } } });
    expect([exitCode, sleeps]).toEqual([0, [5]]);
  });

  it.each([
    ['interval as text', { interval: '7' }, 7],
    ['interval 0', { interval: 0 }, 5],
    ['null in place of an absent member', { interval: null, verification_uri_complete: null }, 5],
    ['expires_in as text', { expires_in: '600' }, 5],
    ['Google’s verification_url', { verification_uri: undefined, verification_url: 'https://example.com/device' }, 5],
    ['unknown members', { Header: null, message: { text: 'hello' } }, 5],
  ])('%s', async (_, change, seconds) => {
    const { exitCode, sleeps } = await logInAt({ start: { change } });
    expect([exitCode, sleeps]).toEqual([0, [seconds]]);
  });

  it('200 with an error in it, and 201 with tokens', async () => {
    const polls: DeviceServerScript['polls'] = [
      { status: 200, json: { error: 'authorization_pending' } },
      { status: 201, json: { access_token: 'good', token_type: 'bearer' } },
    ];
    const { exitCode, sleeps } = await logInAt({ polls });
    expect([exitCode, sleeps]).toEqual([0, [5, 5]]);
  });

  it('no ID token: the name comes from userinfo', async () => {
    const polls = [{ status: 200, json: { access_token: 'good', token_type: 'Bearer' } }];
    const unnamed = await logInAt({ polls });
    expect(unnamed.screen).toContain('Signed in.\n');
    expect(unnamed.screen).not.toContain('verified');
    const named = await logInAt({ polls, hasUserinfo: true });
    expect(named.screen).toContain('Signed in as Alice Adams (alice@example.com).');
  });

  it('a userinfo endpoint that is away: the tokens are good without a name', async () => {
    const polls = [{ status: 200, json: { access_token: 'good', token_type: 'Bearer' } }];
    const { exitCode, screen } = await logInAt({ polls, metadata: { userinfo_endpoint: 'http://127.0.0.1:1/' } });
    expect(exitCode).toBe(0);
    expect(screen).toContain('Signed in.\n');
  });

  it('no scope where none is asked for; openid where it can be had', async () => {
    expect((await logInAt({})).start?.form).not.toHaveProperty('scope');
    const metadata = { scopes_supported: ['openid', 'profile'] };
    expect((await logInAt({ metadata })).start?.form['scope']).toBe('openid');
    const asked = await logInAt({ metadata }, ['--scope', 'openid', '--scope', 'packages:read']);
    expect(asked.start?.form['scope']).toBe('openid packages:read');
  });

  it('leaves the scope to the server where it refuses openid to this client', async () => {
    const metadata = { scopes_supported: ['openid'] };
    const { server } = await logInAt({ metadata, start: { status: 400, json: { error: 'invalid_scope' } } });
    expect(server.requests.map(({ form }) => form['scope'])).toEqual(['openid', undefined]);
  });
});

describe('gatehouse login sends', () => {
  it('the client alone where it has no secret', async () => {
    const { start, polls } = await logInAt({});
    expect(start).toMatchObject({ form: { client_id: 'tv' }, authorization: undefined });
    expect(polls[0]?.form).toEqual({
      client_id: 'tv',
      device_code: 'the-device-code',
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    });
  });

  it('forms with the bare content type, for servers that refuse a charset behind it', async () => {
    const { server } = await logInAt({});
    expect(server.requests.map(({ contentType }) => contentType)).toEqual(
      Array(2).fill('application/x-www-form-urlencoded'),
    );
  });

  it('a secret from the environment by Basic, at both endpoints', async () => {
    const { start, polls } = await logInAt({}, ['--client-secret-env', 'SECRET'], {
      environment: { SECRET: 's3cret' },
    });
    const basic = `Basic ${Buffer.from('tv:s3cret').toString('base64')}`;
    expect([start?.authorization, polls[0]?.authorization]).toEqual([basic, basic]);
  });

  it('a secret from a file, without the line’s end, in the body where the server wants it there', async () => {
    const file = join(await mkdtemp(join(tmpdir(), 'login-')), 'secret');
    await writeFile(file, 's3cret\n');
    const metadata = { token_endpoint_auth_methods_supported: ['client_secret_post'] };
    const { start } = await logInAt({ metadata }, ['--client-secret-file', file]);
    expect(start?.form).toMatchObject({ client_id: 'tv', client_secret: 's3cret' });
  });

  it('PKCE where the metadata offers it: the challenge at the start, its verifier with each poll', async () => {
    const metadata = { code_challenge_methods_supported: ['S256'] };
    const { start, polls } = await logInAt({ metadata, polls: ['pending', 'tokens'] });
    const verifier = polls[0]?.form['code_verifier'] ?? '';
    const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
    expect(start?.form).toMatchObject({
      code_challenge: Buffer.from(digest).toString('base64url'),
      code_challenge_method: 'S256',
    });
    expect(polls[1]?.form['code_verifier']).toBe(verifier);
    expect((await logInAt({})).start?.form).not.toHaveProperty('code_challenge');
  });

  it('a resource at the start, and with the polls where it is a single one (RFC 8707)', async () => {
    const { start, polls } = await logInAt({}, ['--resource', 'https://packages.example.com']);
    expect([start?.form['resource'], polls[0]?.form['resource']]).toEqual(
      Array(2).fill('https://packages.example.com'),
    );
  });
});

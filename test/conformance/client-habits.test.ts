import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, importSPKI, jwtVerify } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { asItIs, basic } from '../support/broker/device-clients.ts';
import { startDeviceServer } from '../support/broker/device-server.ts';
import { runLogin } from '../support/broker/login-run.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT, type DeviceAnswer } from '../support/broker/test-device.ts';

/**
 * What programs in the field were seen to do, each by its name, so that they go on working without being run.
 * docs/clients.md has the same as a table.
 */
const SECRET = 'robot secret+with/signs%41&é';
const SCOPES = ['openid', 'profile', 'email', 'offline_access'];
const OPENID = '/.well-known/openid-configuration';

let test: TestBroker;
beforeAll(async () => {
  test = await createTestBroker({
    environment: { ROBOT_SECRET: SECRET },
    yaml: {
      compatibility: {
        ...{ keycloak: { realm: 'rrap' }, authentik: { slug: 'corp' }, auth0: true, github: true, microsoft: true },
        paths: { '/oauth/device': 'device_authorization' },
      },
      clients: {
        tv: { name: 'TV', signing_alg: 'RS256', scopes: { allowed: SCOPES } },
        robot: {
          ...{ name: 'Robot', signing_alg: 'RS256', scopes: { allowed: SCOPES } },
          ...{ authentication: 'client_secret', client_secret: { env: 'ROBOT_SECRET' } },
        },
        'go-tool': {
          ...{ name: 'Tool in Go', authentication: 'client_secret', client_secret: { env: 'ROBOT_SECRET' } },
          ...{ signing_alg: 'RS256', start_without_secret: true, scopes: { allowed: SCOPES } },
        },
        'post-tool': {
          ...{
            name: 'Tool that is pinned',
            authentication: 'client_secret_post',
            client_secret: { env: 'ROBOT_SECRET' },
          },
          ...{ start_without_secret: true, scopes: { allowed: SCOPES } },
        },
      },
    },
  });
});
afterAll(() => test.close());

/** A body as the program builds it, byte for byte. */
const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<DeviceAnswer> => {
  const type = { 'content-type': 'application/x-www-form-urlencoded' };
  return test.device().send(path, { method: 'POST', headers: { ...type, ...headers }, body });
};
const outcome = ({ status, body }: DeviceAnswer) => (status === 200 ? 200 : `${status} ${body.error}`);
const pollBody = (deviceCode: string, more = '') =>
  `grant_type=${encodeURIComponent(DEVICE_CODE_GRANT)}&device_code=${deviceCode}${more}`;
const encoded = encodeURIComponent(SECRET);

async function started(body: string, path = '/device_authorization', headers: Record<string, string> = {}) {
  const answer = await post(path, body, headers);
  expect(outcome(answer)).toBe(200);
  return answer.body;
}

describe('mdsisclienttools', () => {
  const realm = '/realms/rrap';
  const protocol = `${realm}/protocol/openid-connect`;

  it('reads public_key from the realm document and checks its access token with it, itself', async () => {
    const document = await test.device().send(realm);
    const start = await started('client_id=tv&scope=', `${protocol}/auth/device`);
    await test.approve(start.user_code);
    const { body } = await post(`${protocol}/token`, `client_id=tv&scope=&${pollBody(start.device_code)}`);
    const pem = `-----BEGIN PUBLIC KEY-----\n${String(document.body['public_key'])}\n-----END PUBLIC KEY-----`;
    const { payload } = await jwtVerify(body.access_token, await importSPKI(pem, 'RS256'));
    expect(decodeProtectedHeader(body.access_token).alg).toBe('RS256');
    expect(payload['at_hash'], 'it takes a token with at_hash for an ID token').toBeUndefined();
    expect([typeof payload.sub, typeof payload.jti, Number.isInteger(payload.iat)]).toEqual(['string', 'string', true]);
  });

  it('needs verification_uri_complete and interval', async () => {
    const start = await started('client_id=tv&scope=', `${protocol}/auth/device`);
    expect(String(start['verification_uri_complete'])).toContain(start.user_code);
    expect(start['interval']).toEqual(expect.any(Number));
  });

  it('polls at once, and anything but authorization_pending ends it', async () => {
    const { device_code: code } = await started('client_id=tv&scope=', `${protocol}/auth/device`);
    const body = `client_id=tv&scope=&${pollBody(code)}`;
    expect(outcome(await post(`${protocol}/token`, body))).toBe('400 authorization_pending');
    for (let poll = 0; poll < 4; poll += 1) {
      await test.advance(5000);
      expect(outcome(await post(`${protocol}/token`, body))).toBe('400 authorization_pending');
    }
  });

  it('refreshes with an empty scope and wants both tokens again', async () => {
    const start = await started('client_id=tv&scope=', `${protocol}/auth/device`);
    await test.approve(start.user_code);
    let { body } = await post(`${protocol}/token`, `client_id=tv&scope=&${pollBody(start.device_code)}`);
    for (let refresh = 0; refresh < 2; refresh += 1) {
      const form = `client_id=tv&scope=&grant_type=refresh_token&refresh_token=${body.refresh_token}`;
      const before = body;
      ({ body } = await post(`${protocol}/token`, form));
      expect(body.access_token).not.toBe(before.access_token);
      expect(body.refresh_token).toEqual(expect.any(String));
    }
  });
});

describe('golang.org/x/oauth2', () => {
  it('sends no secret to the device endpoint: a key of its client lets it in, others stay out', async () => {
    expect(outcome(await post('/device_authorization', 'client_id=go-tool&scope=openid'))).toBe(200);
    expect(outcome(await post('/device_authorization', 'client_id=robot&scope=openid'))).toBe('401 invalid_client');
  });

  it.each([
    ['public: Basic with an empty password first', 'tv', '', '', '400 authorization_pending'],
    ['with a secret', 'go-tool', SECRET, `&client_secret=${encoded}`, '400 authorization_pending'],
    [
      'with a secret, where the YAML wants it in the body',
      'post-tool',
      SECRET,
      `&client_secret=${encoded}`,
      '401 invalid_client',
    ],
  ])('finds out the style by two polls at each tick, %s', async (_who, id, secret, inBody, byBasic) => {
    const start = await started(`client_id=${id}&scope=openid`);
    const body = `client_id=${id}&${pollBody(start.device_code)}`;
    const tick = async () => {
      const first = outcome(await post('/token', body, { authorization: basic(id, secret) }));
      // What is no error ends its search.
      return first === 200 ? [first] : [first, outcome(await post('/token', body + inBody))];
    };
    for (let each = 0; each < 3; each += 1) {
      expect(await tick()).toEqual([byBasic, '400 authorization_pending']);
      await test.advance(5000);
    }
    await test.approve(start.user_code);
    expect((await tick()).at(-1), 'the first tick after the approval').toBe(200);
  });

  it('names the client in header and body at once', async () => {
    const start = await started('client_id=go-tool&scope=openid');
    await test.approve(start.user_code);
    const header = { authorization: basic('go-tool', SECRET) };
    expect(outcome(await post('/token', `client_id=go-tool&${pollBody(start.device_code)}`, header))).toBe(200);
  });

  it('refreshes in the style that it found, by Basic or in the body', async () => {
    const start = await started('client_id=go-tool&scope=openid');
    await test.approve(start.user_code);
    const { body } = await post('/token', `client_id=go-tool&${pollBody(start.device_code)}&client_secret=${encoded}`);
    const refresh = `grant_type=refresh_token&refresh_token=${body.refresh_token}`;
    const again = await post('/token', refresh, { authorization: basic('go-tool', SECRET) });
    expect(outcome(again)).toBe(200);
    const inBody = `grant_type=refresh_token&refresh_token=${again.body.refresh_token}`;
    expect(outcome(await post('/token', `${inBody}&client_id=go-tool&client_secret=${encoded}`))).toBe(200);
  });
});

describe('msal', () => {
  const scope = 'scope=offline_access+openid+profile';

  it('wants an authorization endpoint and the exact issuer from discovery', async () => {
    const { body } = await test.device().send(OPENID);
    expect(body['issuer']).toBe(test.publicUrl);
    expect(body['authorization_endpoint']).toEqual(expect.stringContaining(test.publicUrl));
  });

  it('polls at once, with the code under two names and client_info, and gets its tokens', async () => {
    const start = await started(`client_id=tv&${scope}`);
    const more = `&client_id=tv&code=${start.device_code}&client_info=1`;
    expect(outcome(await post('/token', pollBody(start.device_code, more)))).toBe('400 authorization_pending');
    await test.approve(start.user_code);
    await test.advance(5000);
    const { body } = await post('/token', pollBody(start.device_code, more));
    expect(body.id_token).toEqual(expect.any(String));
    expect(body.refresh_token).toEqual(expect.any(String));
  });
});

describe('Apache HttpClient 4 and 5, under many a Java tool', () => {
  it('says charset=ISO-8859-1 of every form', async () => {
    const header = { 'content-type': 'application/x-www-form-urlencoded; charset=ISO-8859-1' };
    const start = await started('client_id=tv&scope=openid', '/device_authorization', header);
    const poll = () => post('/token', pollBody(start.device_code, '&client_id=tv'), header);
    expect(outcome(await poll())).toBe('400 authorization_pending');
    await test.approve(start.user_code);
    await test.advance(5000);
    const { body } = await poll();
    expect(outcome(await post('/revoke', `client_id=tv&token=${body.refresh_token}`, header))).toBe(200);
  });
});

describe('msal-node', () => {
  it('names its request in query and body: what nobody reads may be there twice', async () => {
    const query = '?client-request-id=1f7a';
    const more = '&client-request-id=1f7a&x-client-SKU=msal.js.node&x-client-SKU=again';
    const start = await started(`client_id=tv&scope=openid${more}`, `/device_authorization${query}`);
    const answer = await post(`/token${query}`, pollBody(start.device_code, `&client_id=tv${more}`));
    expect(outcome(answer)).toBe('400 authorization_pending');
  });
});

describe('msal-node and MSAL4J', () => {
  it('make /devicecode of our token endpoint, send grant_type=device_code and wait for client_info', async () => {
    const { body: found } = await test.device().send(OPENID);
    const endpoint = String(found['token_endpoint']).slice(test.publicUrl.length).replace('/token', '/devicecode');
    const start = await started('client_id=tv&scope=openid+profile+offline_access', endpoint);
    await test.approve(start.user_code);
    const body = `client_id=tv&grant_type=device_code&device_code=${start.device_code}&client_info=1`;
    const answer = await post('/token', body);
    expect([outcome(answer), typeof answer.body['client_info']]).toEqual([200, 'string']);
  });
});

describe('docker', () => {
  it('has Auth0’s paths built in, names an audience, and gives its token back', async () => {
    const start = await started(
      'client_id=tv&scope=openid+offline_access&audience=https://hub.docker.com',
      '/oauth/device/code',
    );
    await test.approve(start.user_code);
    const tokens = await post('/oauth/token', pollBody(start.device_code, '&client_id=tv'));
    expect(outcome(tokens)).toBe(200);
    expect(outcome(await post('/oauth/revoke', `client_id=tv&token=${tokens.body.refresh_token}`))).toBe(200);
  });
});

describe('gh', () => {
  it('has GitHub’s paths built in, and reads a form where it does not say what it accepts', async () => {
    const { text } = await post('/login/device/code', 'client_id=tv&scope=openid', { accept: '' });
    const start = new URLSearchParams(text);
    const poll = () => post('/login/oauth/access_token', pollBody(start.get('device_code') ?? '', '&client_id=tv'));
    expect(new URLSearchParams((await poll()).text).get('error')).toBe('authorization_pending');
    await test.approve(start.get('user_code') ?? '');
    await test.advance(5000);
    expect(new URLSearchParams((await poll()).text).get('access_token')).toEqual(expect.any(String));
  });
});

describe('huggingface_hub', () => {
  it('has /oauth/device and /oauth/token built in', async () => {
    const start = await started('client_id=tv&scope=openid', '/oauth/device');
    expect(outcome(await post('/oauth/token', pollBody(start.device_code, '&client_id=tv')))).toBe(
      '400 authorization_pending',
    );
  });
});

describe('PostgreSQL 18’s libpq', () => {
  it('appends to the issuer byte by byte, and wants the issuer byte for byte', async () => {
    for (const issuer of [test.publicUrl, `${test.publicUrl}/application/o/corp/`]) {
      const path = `${issuer}/.well-known/openid-configuration`.slice(test.publicUrl.length);
      const { status, body, headers } = await test.device().send(path);
      expect([status, headers.get('content-type'), body['issuer']]).toEqual([200, 'application/json', issuer]);
    }
  });

  it('polls at once, by Basic with an empty secret and no client_id in the body', async () => {
    const empty = { authorization: basic('tv', '') };
    const start = await started('scope=openid', '/device_authorization', empty);
    expect(outcome(await post('/token', pollBody(start.device_code), empty))).toBe('400 authorization_pending');
    await test.approve(start.user_code);
    await test.advance(5000);
    const { body } = await post('/token', pollBody(start.device_code), empty);
    expect([typeof body.access_token, body['token_type']]).toEqual(['string', 'Bearer']);
  });
});

describe('SSSD’s oidc_child', () => {
  it('asks for all of scopes_supported: its client must have them, else it is told which one it has not', async () => {
    const { body: found } = await test.device().send(OPENID);
    const scope = (found['scopes_supported'] as string[]).join('+');
    const refused = await post('/device_authorization', `client_id=tv&scope=${scope}`);
    expect(outcome(refused)).toBe('400 invalid_scope');
    expect(refused.body['error_description']).toContain('packages:read');
    const start = await started(`client_id=build-cli&scope=${scope}`);
    const poll = await post('/token', pollBody(start.device_code, '&client_id=build-cli'));
    expect(outcome(poll)).toBe('400 authorization_pending');
  });
});

describe('Authlib', () => {
  it('sends scope with every poll', async () => {
    const start = await started('client_id=tv&scope=openid+profile');
    await test.approve(start.user_code);
    const answer = await post('/token', pollBody(start.device_code, '&client_id=tv&scope=openid+profile'));
    expect(outcome(answer)).toBe(200);
  });
});

describe('requests-oauthlib', () => {
  it('raises an error where the scope changes: the answer names none where all is granted', async () => {
    const start = await started('client_id=tv&scope=openid+profile');
    await test.approve(start.user_code);
    const { body } = await post('/token', pollBody(start.device_code, '&client_id=tv'));
    expect([undefined, 'openid profile']).toContain(body['scope']);
  });

  it('may put parameters into the query: they are not read there', async () => {
    expect(outcome(await post('/device_authorization?client_id=tv&scope=openid', ''))).toBe('400 invalid_request');
  });
});

describe('requests-oauth2client', () => {
  it('does not look at expiry: it goes on polling, and is told', async () => {
    const start = await started('client_id=tv&scope=openid');
    await test.advance(601_000);
    for (let poll = 0; poll < 3; poll += 1) {
      const answer = await post('/token', pollBody(start.device_code, '&client_id=tv'));
      expect(outcome(answer)).toBe('400 expired_token');
      await test.advance(5000);
    }
  });
});

describe('the Nimbus SDK and the openidconnect crate', () => {
  it('read no discovery document without what OpenID Connect Discovery §3 requires', async () => {
    const { body } = await test.device().send(OPENID);
    const addresses = [body['issuer'], body['authorization_endpoint'], body['token_endpoint'], body['jwks_uri']];
    expect(addresses.every((address) => String(address).startsWith(test.publicUrl))).toBe(true);
    expect(body['subject_types_supported']).toEqual(['public']);
    expect(body['response_types_supported']).toEqual(['none']);
    expect(body['id_token_signing_alg_values_supported']).toContain('RS256');
  });
});

describe('kubelogin', () => {
  it('sends its secret in the body of both requests, polls at once, and verifies the ID token', async () => {
    const credentials = `client_id=robot&client_secret=${encoded}`;
    const start = await started(`${credentials}&scope=openid`);
    const poll = () => post('/token', pollBody(start.device_code, `&${credentials}`));
    expect(outcome(await poll())).toBe('400 authorization_pending');
    await test.approve(start.user_code);
    await test.advance(5000);
    const { body } = await poll();
    const discovered = (await test.device().send(OPENID)).body;
    const keys = createRemoteJWKSet(new URL(String(discovered['jwks_uri'])));
    const currentDate = new Date(await test.now());
    await jwtVerify(body.id_token, keys, { issuer: test.publicUrl, audience: 'robot', currentDate });
  });
});

describe('oauth2c', () => {
  it('needs device and token endpoint in discovery, an interval, and a complete address to show', async () => {
    const { body } = await test.device().send(OPENID);
    expect(body['device_authorization_endpoint']).toBe(`${test.publicUrl}/device_authorization`);
    expect(body['token_endpoint']).toBe(`${test.publicUrl}/token`);
    const start = await started('client_id=tv&scope=openid');
    expect(start['interval']).toBe(5);
    expect(start['verification_uri_complete']).toEqual(expect.any(String));
  });

  it('sends an Origin that nobody registered, and a raw Basic header', async () => {
    const headers = { origin: 'http://localhost:9876', authorization: basic('go-tool', SECRET, asItIs) };
    const start = await started('client_id=go-tool&scope=openid', '/device_authorization', { origin: headers.origin });
    await test.approve(start.user_code);
    expect(outcome(await post('/token', pollBody(start.device_code), headers))).toBe(200);
  });

  it.each(['oauth2c', 'step'])('%s does not slow down: it is told so as often, and still gets its tokens', async () => {
    const start = await started('client_id=tv&scope=openid');
    const body = pollBody(start.device_code, '&client_id=tv');
    const seen = new Set<string | number>();
    for (let poll = 0; poll < 8; poll += 1) {
      seen.add(outcome(await post('/token', body)));
      await test.advance(2000);
    }
    expect([...seen].sort((a, b) => String(a).localeCompare(String(b)))).toEqual([
      '400 authorization_pending',
      '400 slow_down',
    ]);
    await test.approve(start.user_code);
    expect(outcome(await post('/token', body))).toBe(200);
  });
});

describe('zitadel/oidc’s device client', () => {
  it('wants a revocation endpoint and keys in discovery', async () => {
    const { body } = await test.device().send(OPENID);
    expect(body['issuer']).toBe(test.publicUrl);
    expect(body['revocation_endpoint']).toEqual(expect.any(String));
    expect(body['jwks_uri']).toEqual(expect.any(String));
  });
});

describe.each(['zitadel/oidc', 'step'])('%s: empty parameters are absent ones', () => {
  it('client_secret= and scope= at the start, at a poll and at a refresh', async () => {
    const empty = 'client_id=tv&client_secret=&scope=';
    const start = await started(empty);
    const pending = await post('/token', pollBody(start.device_code, `&${empty}`));
    expect(outcome(pending)).toBe('400 authorization_pending');
    await test.approve(start.user_code);
    await test.advance(5000);
    const { body } = await post('/token', pollBody(start.device_code, `&${empty}`));
    const refresh = `grant_type=refresh_token&refresh_token=${body.refresh_token}&${empty}`;
    expect(outcome(await post('/token', refresh))).toBe(200);
  });
});

describe('what several of them would trip over', () => {
  it('success is exactly 200, JSON, numbers as numbers, and without a member called error', async () => {
    const start = await post('/device_authorization', 'client_id=tv&scope=openid');
    expect([start.status, start.headers.get('content-type'), 'error' in start.body]).toEqual([
      200,
      'application/json',
      false,
    ]);
    expect([typeof start.body['expires_in'], typeof start.body['interval']]).toEqual(['number', 'number']);
    await test.approve(start.body.user_code);
    const tokens = await post('/token', pollBody(start.body.device_code, '&client_id=tv'));
    expect([tokens.status, typeof tokens.body['expires_in'], 'error' in tokens.body]).toEqual([200, 'number', false]);
    expect(decodeJwt(tokens.body.access_token)['at_hash']).toBeUndefined();
  });
});

describe('servers that gatehouse login meets', () => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  const logInAt = async (script: Parameters<typeof startDeviceServer>[0]) => {
    const server = await startDeviceServer(script);
    closing.push(() => server.close());
    return { server, run: await runLogin(['--issuer', server.issuer, '--client-id', 'tv', '--scope', 'openid']) };
  };

  it('Hydra: "Header":null in the device response, and never slow_down', async () => {
    const json = {
      ...{ device_code: 'code', user_code: 'WDJBMJHT', expires_in: 600, interval: 5, Header: null },
      ...{ verification_uri: 'http://127.0.0.1:1/device', verification_uri_complete: 'http://127.0.0.1:1/device?u=W' },
    };
    const { run } = await logInAt({ start: { status: 200, json }, polls: ['pending', 'tokens'] });
    expect(run.exitCode).toBe(0);
  });

  it('Dex and Hydra keep a denied grant pending: the code’s own end ends it', async () => {
    const { run } = await logInAt({ start: { change: { expires_in: 12 } }, polls: ['pending'] });
    expect(run.exitCode).toBe(4);
  });

  it.each([
    ['django-oauth-toolkit', 404, 'device_not_found'],
    ['Authlib', 400, 'invalid_request'],
    ['Keycloak, a while after the end', 400, 'invalid_grant'],
  ])('%s has its own word for a code that is gone: the login has failed', async (_server, status, error) => {
    const { run } = await logInAt({ polls: ['pending', { status, json: { error } }] });
    expect(run.exitCode).toBe(1);
  });

  it('Spring refuses openid in the device flow: without --scope it is asked again, without one', async () => {
    const polls: ['tokens'] = ['tokens'];
    const refusal = { status: 400, json: { error: 'invalid_scope' } };
    const server = await startDeviceServer({ polls, start: refusal, metadata: { scopes_supported: ['openid'] } });
    closing.push(() => server.close());
    await runLogin(['--issuer', server.issuer, '--client-id', 'tv']);
    expect(server.requests.map(({ form }) => form['scope'])).toEqual(['openid', undefined]);
  });

  it('Dex wants openid in an explicit scope: it is sent', async () => {
    const { server } = await logInAt({ polls: ['tokens'] });
    expect(server.requests[0]?.form['scope']).toBe('openid');
  });
});

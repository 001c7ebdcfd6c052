import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PAGE_PATHS } from '../../src/oauth/routes.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

/**
 * Paths as clients make them: by appending byte by byte to an issuer that ends in a slash or to a copied address, and
 * those of other servers, which nobody has here.
 */
const ACCEPT_HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

describe.each(['', '/gate'])('with public_url%s', (base) => {
  let test: TestBroker;
  beforeAll(async () => {
    const publicUrl = base === '' ? undefined : `https://login.example.com${base}`;
    test = await createTestBroker({
      ...(publicUrl !== undefined && { publicUrl }),
      yaml: { trusted_proxies: [], compatibility: { authentik: { slug: 'corp' } } },
    });
  });
  afterAll(() => test.close());

  const send = (path: string, init: RequestInit = {}) => test.device().send(path, init);
  const form = (path: string, parameters: Record<string, string>, headers: Record<string, string> = {}) =>
    send(path, { method: 'POST', headers, body: new URLSearchParams(parameters) });
  const start = (path: string) => form(path, { client_id: 'build-cli', scope: 'openid' });

  describe('slashes too many', () => {
    it.each(['//device_authorization', '/device_authorization/', '///device_authorization//'])(
      'device authorization answers at %s',
      async (path) => {
        expect((await start(base + path)).status).toBe(200);
      },
    );

    it.each(['//token', '/token/', '//token//'])('%s takes polls', async (path) => {
      const { body } = await start(`${base}/device_authorization`);
      const poll = { client_id: 'build-cli', grant_type: DEVICE_CODE_GRANT, device_code: body.device_code };
      expect((await form(base + path, poll)).body.error).toBe('authorization_pending');
    });

    it.each(['//jwks', '/jwks/', '//.well-known/openid-configuration', '//.well-known/oauth-authorization-server/'])(
      '%s is published',
      async (path) => {
        expect((await send(base + path)).status).toBe(200);
      },
    );

    it.each(['//device', '/device/', '//device/?user_code=BBBB-BBBB'])('%s is the code page', async (path) => {
      const page = await send(base + path, { headers: { accept: ACCEPT_HTML } });
      expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.text).toContain(`action="${base}/device"`);
    });

    it('an upstream’s logout token arrives too', async () => {
      const answer = await form(`${base}//backchannel-logout/corp/`, { logout_token: 'x.y.z' });
      expect([answer.status, answer.body.error]).toEqual([400, 'invalid_request']);
    });

    it('lead nowhere else', async () => {
      for (const path of ['//evil.example/device', '//evil.example//', '/\\evil.example']) {
        const { status, headers } = await send(path, { headers: { accept: ACCEPT_HTML } });
        expect([path, status, headers.get('location')]).toEqual([path, 404, null]);
      }
    });
  });

  it.each([
    [
      'OpenID Connect Discovery, appended byte by byte',
      (issuer: string) => `${issuer}/.well-known/openid-configuration`,
    ],
    ['… with the slash taken off first', (issuer: string) => `${issuer}.well-known/openid-configuration`],
    ['RFC 8414, inserted with the slash', (issuer: string) => `/.well-known/oauth-authorization-server${issuer}`],
    ['… without it', (issuer: string) => `/.well-known/oauth-authorization-server${issuer.slice(0, -1)}`],
  ])('an issuer that ends in a slash is found: %s', async (_how, at) => {
    const issuer = '/application/o/corp/';
    const { status, body } = await send(at(issuer));
    expect([status, body['issuer']]).toEqual([200, new URL(issuer, test.publicUrl).href]);
  });

  describe('a path that nobody has', () => {
    it.each([
      ['/oauth/device/code', '/device_authorization'],
      ['/login/device/code', '/device_authorization'],
      ['/oauth2/v2.0/devicecode', '/device_authorization'],
      ['/device/code', '/device_authorization'],
      ['/oauth/token', '/token'],
      ['/login/oauth/access_token', '/token'],
      ['/realms/corp/protocol/openid-connect/token/introspect', '/introspect'],
      ['/oauth/revoke', '/revoke'],
      ['/api/v4/userinfo/', '/userinfo'],
      ['/', '/.well-known/openid-configuration'],
      ['/anything', '/.well-known/openid-configuration'],
    ])('a form posted to %s is told of %s, whatever it accepts', async (path, right) => {
      for (const accept of ['*/*', 'application/json', ACCEPT_HTML]) {
        const answer = await form(base + path, { client_id: 'build-cli' }, { accept });
        expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/json']);
        expect(answer.headers.get('cache-control')).toBe('no-store');
        expect(answer.headers.get('x-request-id')).toEqual(expect.any(String));
        expect(answer.body.error).toBe('invalid_request');
        expect(answer.body['error_description']).toMatch(
          new RegExp(`${test.publicUrl}${right}$`.replaceAll('.', '\\.')),
        );
      }
    });

    it.each([
      ['GET', '/.well-known/jwks.json', 'application/json'],
      ['GET', '/nowhere', '*/*'],
      ['PUT', '/nowhere', 'application/json'],
      ['DELETE', '/token/x', '*/*'],
      ['GET', '/device/style', 'text/css,*/*;q=0.1'],
    ])('%s %s from a program that names no HTML gets JSON', async (method, path, accept) => {
      const answer = await send(base + path, { method, headers: { accept } });
      expect([answer.status, answer.headers.get('content-type')]).toEqual([404, 'application/json']);
      expect(answer.body['error_description']).toContain(test.publicUrl);
    });

    it('JSON that is posted there gets JSON too, and its body is not read', async () => {
      const answer = await send(`${base}/login/oauth/access_token`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify({ client_id: 'x'.repeat(20_000) }),
      });
      expect([answer.status, answer.body.error]).toEqual([404, 'invalid_request']);
    });

    it('HEAD gets the same without a body', async () => {
      const answer = await send(`${base}/nowhere`, { method: 'HEAD' });
      expect([answer.status, answer.text]).toEqual([404, '']);
    });

    it('a person gets a page with the way on', async () => {
      for (const path of ['/nowhere', '/oauth/token', '/device/code']) {
        const page = await send(base + path, { headers: { accept: ACCEPT_HTML } });
        expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8']);
        expect(page.text).toContain(`href="${base}/device"`);
      }
    });
  });

  it('every page of ours is one, whoever asks', async () => {
    for (const path of PAGE_PATHS) {
      const page = await send(base + path.replace(':upstream', 'corp'), { headers: { accept: '*/*' } });
      expect([path, page.headers.get('content-type')]).toEqual([path, 'text/html; charset=utf-8']);
    }
    const { text } = await send(`${base}/device`);
    for (const [, file = ''] of text.matchAll(/(?:href|src)="([^"]+\.(?:css|js))"/g)) {
      expect([file, (await send(file)).status]).toEqual([file, 200]);
    }
  });
});

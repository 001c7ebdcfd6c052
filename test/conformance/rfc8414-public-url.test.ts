import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerIn, rawHttp } from '../support/broker/raw-http.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const OAUTH = '/.well-known/oauth-authorization-server';
const OPENID = '/.well-known/openid-configuration';
const FORWARDED = [
  'Host: evil.example',
  'X-Forwarded-Host: evil.example',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Port: 6666',
  'X-Forwarded-Prefix: /evil',
  'X-Forwarded-For: 192.0.2.66',
  'X-Original-URL: /evil',
  'X-Rewrite-URL: /evil',
  'Forwarded: for=192.0.2.66;host=evil.example;proto=https',
  'X-HTTP-Method-Override: DELETE',
];

/** One request as it goes over the wire, and what came back, without what differs from answer to answer. */
async function ask(test: TestBroker, target: string, headers: readonly string[] = ['Host: whatever'], body = '') {
  const method = body === '' ? 'GET' : 'POST';
  const entity =
    body === '' ? [] : ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`];
  const lines = [`${method} ${target} HTTP/1.1`, ...headers, 'Connection: close', ...entity, '', body];
  const answer = answerIn(await rawHttp(test.origin, lines.join('\r\n')));
  delete answer.headers['x-request-id'];
  delete answer.headers['date'];
  return answer;
}

/** Of a start: addresses only, since codes are new in every answer. */
function addressesIn(body: string): string {
  const { verification_uri: uri, verification_uri_complete: complete, user_code: code } = JSON.parse(body);
  return JSON.stringify([uri, String(complete).replace(String(code), 'CODE')]);
}

describe.each([
  ['without a path', ''],
  ['with a path', '/auth/device-broker'],
])('public_url %s is the only source of addresses', (_what, path) => {
  let test: TestBroker;
  const publicUrl = `https://login.example.com${path}`;
  beforeAll(async () => {
    test = await createTestBroker({ publicUrl, yaml: { trusted_proxies: ['127.0.0.1/32'] } });
  });
  afterAll(() => test.close());

  it.each([`${OAUTH}${path}`, `${path}${OPENID}`, `${path}${OAUTH}`, `${path}/jwks`])(
    '%s is the same whatever headers say',
    async (document) => {
      const plain = await ask(test, document);
      expect(plain.status).toBe(200);
      for (const header of FORWARDED) {
        const headers = header.startsWith('Host') ? [header] : ['Host: whatever', header];
        expect(await ask(test, document, headers), header).toEqual(plain);
      }
      expect(await ask(test, document, FORWARDED)).toEqual(plain);
    },
  );

  it('RFC 9112 §3.2.2: a target in absolute form means the same path, whatever host it names', async () => {
    const plain = await ask(test, `${OAUTH}${path}`);
    for (const origin of ['http://evil.example', 'https://evil.example:6666', 'HTTP://evil.example']) {
      expect(await ask(test, `${origin}${OAUTH}${path}`)).toEqual(plain);
    }
    const page = await ask(test, `http://evil.example${path}/device`);
    expect(page.status).toBe(200);
    expect(page.body).not.toContain('evil.example');
    const root = await ask(test, '/');
    for (const target of ['http://evil.example', 'http://evil.example?x=/device', 'http://evil.example/']) {
      expect([target, (await ask(test, target)).status]).toEqual([target, root.status]);
    }
  });

  it('a start answers the configured addresses, whatever headers say', async () => {
    const expected = JSON.stringify([`${publicUrl}/device`, `${publicUrl}/device?user_code=CODE`]);
    for (const headers of [['Host: x'], FORWARDED]) {
      const answer = await ask(test, `${path}/device_authorization`, headers, 'client_id=build-cli');
      expect([answer.status, addressesIn(answer.body)]).toEqual([200, expected]);
    }
    const absolute = `http://evil.example${path}/device_authorization`;
    expect(addressesIn((await ask(test, absolute, ['Host: x'], 'client_id=build-cli')).body)).toBe(expected);
  });

  it('pages link and redirect to the configured addresses, and their cookies do not change', async () => {
    const plain = await ask(test, `${path}/device`);
    const evil = await ask(test, `${path}/device`, FORWARDED);
    expect(JSON.stringify(evil)).not.toContain('evil');
    const cookieOf = (cookie: string | undefined) => cookie?.replace(/=[^;]*/, '=…');
    expect(cookieOf(evil.headers['set-cookie'])).toBe(cookieOf(plain.headers['set-cookie']));
    expect(plain.headers['set-cookie'] ?? '__Host-').toContain('__Host-');
  });

  it('metadata names the issuer exactly, and its endpoints below it', async () => {
    const { issuer, token_endpoint: token } = JSON.parse((await ask(test, `${OAUTH}${path}`)).body);
    expect([issuer, token]).toEqual([publicUrl, `${publicUrl}/token`]);
  });

  it('a proxy that strips the path of public_url works like one that does not', async () => {
    for (const prefix of [path, '']) {
      expect((await ask(test, `${prefix}/device_authorization`, undefined, 'client_id=build-cli')).status).toBe(200);
      expect((await ask(test, `${prefix}/token`, undefined, 'client_id=build-cli')).status).toBe(400);
      expect((await ask(test, `${prefix}/jwks`)).status).toBe(200);
      expect((await ask(test, `${prefix}${OPENID}`)).status).toBe(200);
      const page = await ask(test, `${prefix}/device`);
      expect([page.status, page.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(page.body).toContain(`action="${path}/device"`);
    }
  });

  it('what only begins like the path is not it', async () => {
    if (path === '') return;
    expect((await ask(test, `${path}x/jwks`)).status).toBe(404);
    expect((await ask(test, `${path}${path}/jwks`)).status).toBe(404);
  });
});

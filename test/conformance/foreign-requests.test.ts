import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerIn, type RawAnswer, rawHttp } from '../support/broker/raw-http.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

let test: TestBroker;
beforeAll(async () => {
  test = await createTestBroker({
    yaml: {
      clients: { tv: { name: 'TV', origins: ['https://tv.example', 'chrome-extension://abcdefghijklmnop'] } },
      limits: { starts_per_source: 3 },
    },
  });
});
afterAll(() => test.close());

async function ask(method: string, path: string, headers: Record<string, string>, body = ''): Promise<RawAnswer> {
  const { host } = new URL(test.origin);
  const all: Record<string, string> = {
    Host: host,
    Connection: 'close',
    ...(method === 'POST' && {
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': `${body.length}`,
    }),
    ...headers,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return answerIn(await rawHttp(test.origin, `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`));
}

const start = (headers: Record<string, string>, client = 'build-cli') =>
  ask('POST', '/device_authorization', headers, `client_id=${client}`);

const BROWSER = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate' };
const FOREIGN = [
  'https://evil.example',
  'http://evil.example:8080',
  'null',
  'https://tv.example.evil.example',
  'https://tv.example:8443',
  'http://tv.example',
  'HTTPS://TV.EXAMPLE',
  'chrome-extension://ponmlkjihgfedcba',
  'file://',
  '',
  '*',
  'valueOf',
];

describe('a form of another site', () => {
  it.each(FOREIGN)('from %j starts nothing, and is not counted', async (origin) => {
    // More often than the limit would let through.
    for (let n = 0; n < 5; n += 1) {
      const { status, body } = await start({ ...BROWSER, Origin: origin });
      expect([status, JSON.parse(body).error]).toEqual([403, 'invalid_request']);
    }
    const honest = await start({});
    expect(honest.status).toBe(200);
    await test.advance(60_000);
  });

  it.each(FOREIGN)('from %j is refused at every other endpoint', async (origin) => {
    const headers = { Origin: origin };
    for (const path of ['/token', '/revoke', '/introspect', '/userinfo', '/backchannel-logout/corp']) {
      const { status, headers: answered } = await ask('POST', path, headers, 'client_id=build-cli&token=x');
      expect([path, status]).toEqual([path, 403]);
      expect(answered['access-control-allow-origin']).toBeUndefined();
      expect(answered['content-type']).toBe('application/json');
    }
  });

  it('is told from a program of this machine, which has no site', async () => {
    await test.advance(60_000);
    const local = { Origin: 'http://localhost:9876' };
    expect((await start(local)).status).toBe(200);
    expect((await start({ ...local, 'Sec-Fetch-Site': 'cross-site' })).status).toBe(403);
    expect((await start({ ...local, 'Sec-Fetch-Site': 'same-site' })).status).toBe(403);
  });

  it('may be one of a client’s, whichever client it speaks for', async () => {
    await test.advance(60_000);
    expect((await start({ Origin: 'https://tv.example' }, 'tv')).status).toBe(200);
    expect((await start({ Origin: 'chrome-extension://abcdefghijklmnop' }, 'tv')).status).toBe(200);
    expect((await start({ Origin: test.origin })).status).toBe(200);
  });

  it('reads what is published, as before', async () => {
    const { status } = await ask('GET', '/jwks', { Origin: 'https://evil.example' });
    expect(status).toBe(200);
  });
});

describe('a name that a stranger lets resolve to this machine', () => {
  const NAMES = ['evil.example', 'evil.example:8080', '192.0.2.1', '127.0.0.1.evil.example', 'localhost.evil.example'];

  it.each(NAMES)('%s gets nothing of the device door', async (Host) => {
    const requests: [string, string][] = [
      ['POST', '/device_authorization'],
      ['POST', '/token'],
      ['GET', '/jwks'],
      ['GET', '/.well-known/openid-configuration'],
      ['GET', '/userinfo'],
      ['OPTIONS', '/token'],
      ['POST', '/backchannel-logout/corp'],
      ['POST', '/nowhere'],
    ];
    for (const [method, path] of requests) {
      const { status, body } = await ask(method, path, { Host }, method === 'POST' ? 'client_id=build-cli' : '');
      expect([method, path, status]).toEqual([method, path, 421]);
      expect(JSON.parse(body)).toMatchObject({
        error: 'invalid_request',
        error_description: expect.stringContaining(test.publicUrl),
      });
    }
  });

  it.each(NAMES)('%s gets no page, but the right address', async (Host) => {
    for (const path of ['/', '/device', '/sessions', '/sessions?upstream=corp', '/callback/corp', '/device/nowhere']) {
      const { status, body } = await ask('GET', path, { Host, Accept: 'text/html' });
      expect([path, status]).toEqual([path, 421]);
      expect(body).toContain(`href="${test.publicUrl}/device"`);
    }
    const posted = await ask('POST', '/device', { Host, Origin: `http://${Host}` }, 'user_code=WDJB-MJHT');
    expect(posted.status).toBe(421);
  });

  it.each(['localhost', 'gatehouse.localhost', '[::1]', '127.0.0.2'])(
    '%s is of this machine: devices are served, and people go on to the one name',
    async (name) => {
      const Host = `${name}:${new URL(test.origin).port}`;
      expect((await ask('GET', '/jwks', { Host })).status).toBe(200);
      const { status, headers } = await ask('GET', '/device?user_code=WDJB-MJHT', { Host });
      expect([status, headers['location']]).toEqual([303, `${test.publicUrl}/device?user_code=WDJB-MJHT`]);
      const posted = await ask('POST', '/device', { Host, Origin: `http://${Host}` }, 'user_code=WDJB-MJHT');
      expect(posted.status).toBe(403);
    },
  );

  it.each([
    ['127.0.0.1', 'evil.example'],
    ['evil.example', '127.0.0.1'],
    ['localhost', 'localhost'],
  ])('two of them, %s and %s, are refused at both doors (RFC 9112 §3.2)', async (first, second) => {
    for (const path of ['/jwks', '/device']) {
      const text = `GET ${path} HTTP/1.1\r\nHost: ${first}\r\nhOST: ${second}\r\nConnection: close\r\n\r\n`;
      expect([400, 421]).toContain(answerIn(await rawHttp(test.origin, text)).status);
    }
  });

  it.each(['localhost:1', '127.0.0.1:1', '[::1]:1', 'localhost'])(
    '%s may be a replica, and is served',
    async (Host) => {
      expect((await ask('GET', '/device', { Host })).status).toBe(200);
      expect((await ask('GET', '/jwks', { Host })).status).toBe(200);
    },
  );
});

it('behind https any name is served: the proxy and its certificate say whose it is', async () => {
  const behind = await createTestBroker({
    publicUrl: 'https://login.example.com',
    yaml: { trusted_proxies: [], limits: { starts_per_source: 0 } },
  });
  const answer = await rawHttp(behind.origin, 'GET /device HTTP/1.1\r\nHost: 10.0.0.7\r\nConnection: close\r\n\r\n');
  expect(answerIn(answer).status).toBe(200);
  await behind.close();
});

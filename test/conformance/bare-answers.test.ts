import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerIn, type RawAnswer, rawHttp } from '../support/broker/raw-http.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

/** What Node's server would answer by itself, with a bare status: here it is answered like everything else. */
let test: TestBroker;
beforeAll(async () => {
  test = await createTestBroker();
});
afterAll(() => test.close());

const KIBIBYTE = 1024;
const HTML = 'Accept: text/html,*/*;q=0.8\r\n';
const FORM = 'client_id=build-cli';
const START = `POST /device_authorization HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${FORM.length}\r\n`;

const ask = async (bytes: string): Promise<RawAnswer> => answerIn(await rawHttp(test.origin, bytes));
const cookies = (bytes: number) => `Cookie: ${'a=b; '.repeat(Math.ceil(bytes / 5))}\r\n`;

function expectJson({ headers, body }: RawAnswer, words: RegExp): void {
  expect(headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
  expect(headers['x-request-id']).toMatch(/\S{8}/);
  const { error, error_description: description } = JSON.parse(body) as Record<string, string>;
  expect(error).toBe('invalid_request');
  expect(description).toMatch(words);
}

function expectPage({ headers, body }: RawAnswer, words: RegExp): void {
  expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  expect(headers['content-security-policy']).toMatch(
    /base-uri 'none'.*frame-ancestors 'none'|frame-ancestors 'none'.*base-uri 'none'/,
  );
  expect(headers['x-frame-options']).toBe('DENY');
  expect(body.match(/<h1[ >]/g)).toHaveLength(1);
  expect(body).toMatch(/<html lang="\w+"/);
  expect(body).toContain(headers['x-request-id']);
  expect(body).toMatch(words);
}

describe('Expect is ignored', () => {
  it.each(['', ' ', '200-ok', 'x=y; z', '417'])('Expect: %j', async (value) => {
    const start = await ask(`${START}Expect: ${value}\r\n\r\n${FORM}`);
    expect([start.status, JSON.parse(start.body)]).toEqual([200, expect.objectContaining({ interval: 5 })]);
    expect((await ask(`GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: ${value}\r\n${HTML}\r\n`)).status).toBe(200);
  });

  it('100-continue is answered first, and then the request', async () => {
    const text = await rawHttp(test.origin, `${START}Expect: 100-continue\r\n\r\n${FORM}`);
    expect(text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });
});

describe('a body', () => {
  it('in chunks of one byte is read as one', async () => {
    const chunks = Array.from(FORM, (byte) => `1\r\n${byte}\r\n`).join('');
    const head = START.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked');
    const answer = await ask(`${head}\r\n${chunks}0\r\n\r\n`);
    expect([answer.status, JSON.parse(answer.body)]).toEqual([200, expect.objectContaining({ interval: 5 })]);
  });
});

describe('a request without Host', () => {
  it('is refused by name', async () => {
    const answer = await ask(`${START.replace('Host: 127.0.0.1\r\n', '')}\r\n${FORM}`);
    expect(answer.status).toBe(400);
    expectJson(answer, /Host/);
  });

  it('gets a page where it asks for one', async () => {
    const answer = await ask(`GET /device HTTP/1.1\r\n${HTML}\r\n`);
    expect(answer.status).toBe(400);
    expectPage(answer, /That did not work/);
  });

  it('is served in HTTP/1.0, which has none', async () => {
    expect((await ask('GET /jwks HTTP/1.0\r\n\r\n')).status).toBe(200);
    expect((await ask(`GET /device HTTP/1.0\r\n${HTML}\r\n`)).status).toBe(200);
  });
});

describe('a request with several Host headers (RFC 9112 §3.2)', () => {
  it.each(['Host: evil.example', 'HOST: 127.0.0.1', 'host:'])('%s: is refused by name', async (second) => {
    const answer = await ask(`${START}${second}\r\n\r\n${FORM}`);
    expect(answer.status).toBe(400);
    expectJson(answer, /Host header occurs more than once/);
    const page = await ask(`GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\n${second}\r\n${HTML}\r\n`);
    expect(page.status).toBe(400);
    expectPage(page, /<h1/);
  });

  it('but not where another header has that word for its value', async () => {
    expect((await ask(`${START}X-Which: Host\r\n\r\n${FORM}`)).status).toBe(200);
  });
});

describe('CONNECT', () => {
  it.each(['127.0.0.1:443', 'example.com:25', '[::1]:1'])('to %s is answered, and leads nowhere', async (target) => {
    const text = await rawHttp(test.origin, `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n${START}\r\n${FORM}`);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    const answer = answerIn(text);
    expect([answer.status, answer.headers['connection']]).toEqual([400, 'close']);
    expectJson(answer, /no proxy/);
    const line = test.lines.find(({ requestId }) => requestId === answer.headers['x-request-id']);
    expect(line).toMatchObject({ event: 'request.refused', detail: 'CONNECT' });
  });
});

describe('a head that is too large', () => {
  it.each([17, 30, 45])('%i KiB: 431 in JSON for a program', async (size) => {
    for (const line of [cookies(size * KIBIBYTE), `X-Filler: ${'x'.repeat(size * KIBIBYTE)}\r\n`]) {
      const answer = await ask(`${START}${line}\r\n${FORM}`);
      expect(answer.status).toBe(431);
      expectJson(answer, /headers are larger than 16 KiB/);
    }
  });

  it('at a path that nobody has, too', async () => {
    const answer = await ask(`GET /${'x'.repeat(17 * KIBIBYTE)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    expect(answer.status).toBe(431);
    expectJson(answer, /16 KiB/);
  });

  it.each([17, 30, 45])('%i KiB of cookies: a person is told what to do', async (size) => {
    const answer = await ask(`GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\n${HTML}${cookies(size * KIBIBYTE)}\r\n`);
    expect(answer.status).toBe(431);
    expectPage(answer, /Delete the cookies of 127\.0\.0\.1.*private window/);
  });

  it('… in the language of the browser', async () => {
    const language = 'Accept-Language: de\r\n';
    const answer = await ask(
      `GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\n${HTML}${language}${cookies(20 * KIBIBYTE)}\r\n`,
    );
    expectPage(answer, /Löschen Sie .* die Cookies von 127\.0\.0\.1/);
  });

  it('of something else than cookies is no matter of cookies', async () => {
    const answer = await ask(
      `GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\n${HTML}X: ${'x'.repeat(17 * KIBIBYTE)}\r\n\r\n`,
    );
    expect(answer.status).toBe(431);
    expectPage(answer, /That was too long/);
  });

  it.each([66, 200])('%i KiB: more than is read', async (size) => {
    const device = await ask(`${START}${cookies(size * KIBIBYTE)}\r\n${FORM}`);
    expect(device.status).toBe(431);
    expectJson(device, /headers of the request are too large/);
    const person = await ask(`GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\n${HTML}${cookies(size * KIBIBYTE)}\r\n`);
    expect(person.status).toBe(431);
    expectPage(person, /very many cookies/);
  });

  it('up to 16 KiB are served', async () => {
    expect((await ask(`${START}${cookies(15 * KIBIBYTE)}\r\n${FORM}`)).status).toBe(200);
    expect((await ask(`GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\n${HTML}${cookies(15 * KIBIBYTE)}\r\n`)).status).toBe(
      200,
    );
  });
});

describe('what is no request', () => {
  it.each([
    ['a word', 'HELLO\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
    ['the beginning of TLS', '\x16\x03\x01\x02\x00\x01\x00\x01'],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a version of the future', 'GET /jwks HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n'],
    ['a header without colon', 'GET /jwks HTTP/1.1\r\nHost: 127.0.0.1\r\nnothing\r\n\r\n'],
    ['both lengths', `${START}Transfer-Encoding: chunked\r\n\r\n${FORM}`],
    ['a broken chunk', `${START.replace(/Content-Length: \d+/, 'Transfer-Encoding: chunked')}\r\nxyz\r\n`],
    ['a length that is none', `${START.replace(/Content-Length: \d+/, 'Content-Length: many')}\r\n`],
  ])('%s: 400 in JSON, once, and the connection ends', async (_what, bytes) => {
    const text = await rawHttp(test.origin, bytes + bytes, 800);
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    const answer = answerIn(text);
    expect([answer.status, answer.headers['connection']]).toEqual([400, 'close']);
    expectJson(answer, /not readable as HTTP/);
  });

  it('a browser’s gets a page', async () => {
    const answer = await ask(`GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\n${HTML}nothing\r\n\r\n`);
    expect(answer.status).toBe(400);
    expectPage(answer, /could not be read/);
  });

  it('the log has its reference', async () => {
    const { headers } = await ask('HELLO\r\n\r\n');
    const line = test.lines.find(({ requestId }) => requestId === headers['x-request-id']);
    expect(line).toMatchObject({ event: 'request.refused', status: 400, detail: expect.stringMatching(/^HPE_/) });
  });
});

describe('more headers than anybody has', () => {
  const short = (count: number) => Array.from({ length: count }, (_, n) => `${n.toString(36)}:\r\n`).join('');
  const from = 'X-Forwarded-For: 203.0.113.7\r\n';

  it.each([201, 500, 2000, 2016, 2017, 2100])('%i of them are refused, however short they are', async (count) => {
    const start = await ask(`${START}${short(count)}\r\n${FORM}`);
    expect(start.status).toBe(431);
    expectJson(start, /more than 200 headers/);
    const page = await ask(`GET /device HTTP/1.1\r\nHost: 127.0.0.1\r\n${HTML}${short(count)}\r\n`);
    expect(page.status).toBe(431);
  });

  it('and as many as anybody has are read to the last, which a proxy may have written', async () => {
    const behindProxy = await createTestBroker({ yaml: { trusted_proxies: ['127.0.0.1/32'] } });
    const start = async (count: number) =>
      answerIn(await rawHttp(behindProxy.origin, `${START}${short(count)}${from}\r\n${FORM}`)).status;
    try {
      expect(await start(190)).toBe(200);
      for (const count of [1990, 2010, 2048, 5000]) expect(await start(count)).toBe(431);
      const sources = behindProxy.lines.filter(({ event }) => event === 'grant.started').map(({ source }) => source);
      expect(sources).toEqual(['203.0.113.7']);
    } finally {
      await behindProxy.close();
    }
  });
});

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { basic, DEVICE_CLIENTS, DEVICE_SECRETS, ROBOT_SECRET } from '../support/broker/device-clients.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceAnswer } from '../support/broker/test-device.ts';

const FORM = 'application/x-www-form-urlencoded';
const PATH = '/device_authorization';

describe('RFC 8628 §3.1, device authorization request', () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await createTestBroker({ yaml: DEVICE_CLIENTS, environment: DEVICE_SECRETS });
  });
  afterAll(() => test.close());

  const send = (body: string | Buffer, headers: Record<string, string> = { 'content-type': FORM }, query = '') =>
    test.device().send(PATH + query, { method: 'POST', headers, body: body as string });
  const outcome = ({ status, body }: DeviceAnswer) => (status === 200 ? 200 : `${status} ${body.error}`);

  describe('the device authorization endpoint (R1)', () => {
    it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'PATCH'])('is for POST: %s gets 405 with Allow', async (method) => {
      const answer = await test.device().send(PATH, { method });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(answer.headers.get('content-type')).toBe('application/json');
    });

    it('answers POST', async () => {
      expect((await test.device().start()).status).toBe(200);
    });
  });

  describe('parameters come as application/x-www-form-urlencoded in UTF-8 (R2)', () => {
    it.each([
      ['application/x-www-form-urlencoded'],
      ['application/x-www-form-urlencoded;charset=utf-8'],
      ['application/x-www-form-urlencoded; charset=UTF-8'],
      ['application/x-www-form-urlencoded; charset="utf-8"'],
      ['Application/X-WWW-Form-URLEncoded'],
      ['application/x-www-form-urlencoded; charset=ISO-8859-1'],
      ['application/x-www-form-urlencoded; charset=us-ascii'],
      ['application/x-www-form-urlencoded;charset=windows-1252'],
      ['application/x-www-form-urlencoded; charset='],
      ['application/x-www-form-urlencoded ; charset=utf-8; charset=latin1; version=2'],
      ['application/x-www-form-urlencoded;'],
    ])('takes %s', async (type) => {
      expect(outcome(await send('client_id=tv', { 'content-type': type }))).toBe(200);
    });

    it.each([
      ['JSON', 'application/json', '{"client_id":"tv"}'],
      ['text', 'text/plain', 'client_id=tv'],
      ['multipart', 'multipart/form-data; boundary=x', '--x\r\n\r\n--x--'],
      ['a look-alike', 'application/x-www-form-urlencodedx', 'client_id=tv'],
      ['two types', 'application/x-www-form-urlencoded, text/plain', 'client_id=tv'],
    ])('refuses %s with invalid_request', async (_what, type, body) => {
      expect(outcome(await send(body, { 'content-type': type }))).toBe('400 invalid_request');
    });

    it('refuses a body without a type', async () => {
      expect(outcome(await send(Buffer.from('client_id=tv'), {}))).toBe('400 invalid_request');
    });

    it.each([
      ['a broken escape', 'client_id=tv&scope=%zz'],
      ['half an escape', 'client_id=tv&scope=%4'],
      ['a broken escape in a name', 'client_id=tv&%=1'],
      ['escaped bytes that are not UTF-8', 'client_id=tv&scope=%ff'],
      ['an escaped surrogate', 'client_id=tv&scope=%ed%a0%80'],
      ['an overlong escape', 'client_id=tv&scope=%c0%af'],
    ])('refuses %s', async (_what, body) => {
      expect(outcome(await send(body))).toBe('400 invalid_request');
    });

    it('says which type it got instead', async () => {
      const { body } = await send('{"client_id":"tv"}', { 'content-type': 'application/json; v="1"' });
      expect(body['error_description']).toContain('not application/json; v=?1?');
    });

    it.each([
      ['raw', [0xff, 0xfe], 'scope is not UTF-8'],
      ['raw, as ISO-8859-1 has it', Buffer.from('caf\u00e9', 'latin1'), 'scope is not UTF-8'],
      ['escaped, as ISO-8859-1 has it', 'caf%E9', 'scope is not UTF-8'],
      ['an escape that is none', 'caf%é', 'scope has a broken escape'],
    ])('refuses bytes that are not UTF-8, and names their parameter: %s', async (_how, value, words) => {
      const bytes = typeof value === 'string' ? Buffer.from(value) : Buffer.from(value);
      const rest = Buffer.from('&device_label=Büro');
      const body = Buffer.concat([Buffer.from('client_id=tv&scope='), bytes, rest]);
      for (const type of [FORM, `${FORM}; charset=ISO-8859-1`]) {
        const answer = await send(body, { 'content-type': type });
        expect([outcome(answer), answer.body['error_description']]).toEqual([
          '400 invalid_request',
          `the parameter ${words}`,
        ]);
      }
    });

    it('refuses a body with a Content-Encoding', async () => {
      const headers = { 'content-type': FORM, 'content-encoding': 'gzip' };
      expect(outcome(await send('client_id=tv', headers))).toBe('400 invalid_request');
    });

    it('takes 8 KiB and not a byte more', async () => {
      const fitting = `client_id=tv&filler=${'x'.repeat(8192 - 20)}`;
      expect(fitting.length).toBe(8192);
      expect(outcome(await send(fitting))).toBe(200);
      expect(outcome(await send(`${fitting}x`))).toBe('400 invalid_request');
    });

    it('refuses a body of ten megabytes without reading it to its end into memory', async () => {
      const answer = await send(`client_id=tv&filler=${'x'.repeat(10 * 1024 * 1024)}`).catch(() => undefined);
      // The connection may be cut while the client still writes.
      if (answer !== undefined) expect(outcome(answer)).toBe('400 invalid_request');
      expect((await test.device().start()).status).toBe(200);
    });
  });

  describe('client_id is REQUIRED where the client does not authenticate otherwise (R3)', () => {
    it.each([
      ['left out', 'scope=openid', '400 invalid_request'],
      ['empty', 'client_id=&scope=openid', '400 invalid_request'],
      ['unknown', 'client_id=nobody', '401 invalid_client'],
      ['in another case', 'client_id=TV', '401 invalid_client'],
      ['a property of every object', 'client_id=__proto__', '401 invalid_client'],
    ])('%s', async (_how, body, expected) => {
      expect(outcome(await send(body))).toBe(expected);
    });

    it('an empty body gets invalid_request', async () => {
      expect(outcome(await send(''))).toBe('400 invalid_request');
    });
  });

  describe('the client authentication of the token endpoint applies here too (R4)', () => {
    it.each([
      ['a client with a secret, with its id alone', 'client_id=robot', ''],
      ['a wrong secret in the body', 'client_id=robot&client_secret=wrong', ''],
      ['a wrong secret by Basic', '', basic('robot', 'wrong')],
      ['the secret of another client', '', basic('robot', DEVICE_SECRETS.BASIC_SECRET)],
      ['an empty secret', '', basic('robot', '')],
      ['an empty secret in the body', 'client_id=robot&client_secret=', ''],
    ])('refuses %s', async (_what, body, authorization) => {
      const headers = { 'content-type': FORM, ...(authorization !== '' && { authorization }) };
      expect(outcome(await send(body, headers))).toBe('401 invalid_client');
    });

    it('takes the right secret, by Basic and in the body', async () => {
      const secret = encodeURIComponent(ROBOT_SECRET);
      expect(outcome(await send(`client_id=robot&client_secret=${secret}`))).toBe(200);
      const authorization = basic('robot', ROBOT_SECRET);
      expect(outcome(await send('scope=openid', { 'content-type': FORM, authorization }))).toBe(200);
    });

    it('start_without_secret lets a client start without, and no other', async () => {
      expect(outcome(await send('client_id=go-tool'))).toBe(200);
      expect(outcome(await send('client_id=basic-robot'))).toBe('401 invalid_client');
    });

    it('start_without_secret does not excuse a wrong secret', async () => {
      expect(outcome(await send('client_id=go-tool&client_secret=wrong'))).toBe('401 invalid_client');
    });
  });

  it('Strict-Transport-Security is sent where public_url is https (R5)', async () => {
    const https = await createTestBroker({
      publicUrl: 'https://login.example.com',
      yaml: { trusted_proxies: ['127.0.0.1/32'] },
    });
    expect((await https.device().start()).headers.get('strict-transport-security')).toBe('max-age=31536000');
    expect((await test.device().start()).headers.get('strict-transport-security')).toBeNull();
    await https.close();
  });

  describe('parameters without a value are as if left out (R6)', () => {
    it.each([
      'client_id=tv&scope=',
      'client_id=tv&scope',
      'client_id=tv&client_secret=&resource=&code_challenge=&code_challenge_method=&dpop_jkt=&device_label=&confirmation=',
      '&&client_id=tv&&',
    ])('%s', async (body) => {
      expect(outcome(await send(body))).toBe(200);
    });
  });

  describe('parameters that are not known are ignored (R7)', () => {
    it.each([
      ['one', 'foo=bar'],
      ['names that mean something to JavaScript', '__proto__=1&constructor=2&prototype=3&toString=4&hasOwnProperty=5'],
      ['names with brackets: nothing is nested', 'a[b][c]=1&client_id[]=evil&scope[$ne]=x'],
      ['names of other flows', 'response_type=code&redirect_uri=https://evil.example&request=x&request_uri=y'],
      ['62 of them', Array.from({ length: 62 }, (_, n) => `k${n}=v`).join('&')],
    ])('%s', async (_what, more) => {
      expect(outcome(await send(`client_id=tv&${more}`))).toBe(200);
    });

    it('more than 64 parameters are refused, a hundred thousand at once', async () => {
      const many = (count: number) => Array.from({ length: count }, (_, n) => `${n}=`).join('&');
      expect(outcome(await send(`client_id=tv&${many(63)}`))).toBe(200);
      expect(outcome(await send(`client_id=tv&${many(64)}`))).toBe('400 invalid_request');
      const answer = await send(`client_id=tv&${many(100_000)}`).catch(() => undefined);
      if (answer !== undefined) expect(outcome(answer)).toBe('400 invalid_request');
    });
  });

  describe('parameters MUST NOT be included more than once (R8)', () => {
    it.each([
      ['with the same value', 'client_id=tv&client_id=tv', ''],
      ['with another value', 'client_id=tv&client_id=robot', ''],
      ['once empty', 'client_id=tv&scope=&scope=openid', ''],
      ['written in another way', 'client_id=tv&client%5Fid=tv', ''],
      ['in the query and in the body', 'client_id=tv', '?client_id=tv'],
      ['resource in the query and in the body', 'client_id=api&resource=https://a.example/', '?resource=x'],
    ])('%s', async (_how, body, query) => {
      const answer = await send(body, { 'content-type': FORM }, query);
      expect(outcome(answer)).toBe('400 invalid_request');
      expect(answer.body['error_description']).toMatch(/^(client_id|scope|resource) occurs /);
    });

    it.each([
      ['in the body', 'client_id=tv&foo=1&foo=2', ''],
      ['in the query and in the body', 'client_id=tv&foo=1', '?foo=1'],
      ['in the query', 'client_id=tv', '?foo=1&foo=2'],
      ['__proto__ and valueOf', 'client_id=tv&__proto__=1&__proto__=2&valueOf=', '?__proto__=&valueOf=x'],
    ])('those that nobody reads are ignored twice too (RFC 6749 §3.2): %s', async (_how, body, query) => {
      expect(outcome(await send(body, { 'content-type': FORM }, query))).toBe(200);
    });

    it('but resource may (RFC 8707 §2)', async () => {
      const body = 'client_id=api&resource=https://a.example/&resource=https://b.example/';
      expect(outcome(await send(body))).toBe(200);
    });

    it('what stands in the query alone is not read: no credentials in URIs (RFC 6749 §2.3.1)', async () => {
      expect(outcome(await send('scope=openid', { 'content-type': FORM }, '?client_id=tv'))).toBe(
        '400 invalid_request',
      );
      const secret = `?client_secret=${encodeURIComponent(ROBOT_SECRET)}`;
      expect(outcome(await send('client_id=robot', { 'content-type': FORM }, secret))).toBe('401 invalid_client');
      expect(outcome(await send('client_id=tv', { 'content-type': FORM }, '?scope=not-allowed'))).toBe(200);
    });
  });

  describe('scope', () => {
    it.each([
      ['all that are allowed', 'openid profile email', 200],
      ['one of them', 'packages:read', 200],
      ['twice the same', 'openid openid', 200],
      ['spaces around', '  openid   profile ', 200],
      ['one that is not allowed', 'openid admin', '400 invalid_scope'],
      ['in another case', 'OpenID', '400 invalid_scope'],
      ['characters that RFC 6749 §3.3 does not allow', 'open"id', '400 invalid_scope'],
      ['a line end', 'openid\nprofile', '400 invalid_scope'],
      ['a letter outside ASCII', 'openid é', '400 invalid_scope'],
      ['a quotation mark and a backslash', 'a"b\\c', '400 invalid_scope'],
    ])('%s', async (_what, scope, expected) => {
      expect(outcome(await test.device({ clientId: 'tv' }).start({ scope }))).toBe(expected);
    });

    it.each([
      ['openid admin', 'admin'],
      ['admin openid root:~!', 'admin root:~!'],
      ['open"id', 'open?id'],
      ['a\\b', 'a?b'],
      ['openid caf\u00e9\u202e', 'caf?'],
      ['x'.repeat(2000), `${'x'.repeat(70)}`],
    ])(
      'a refusal of %j names what it refuses, in the characters of a description (RFC 6749 §5.2)',
      async (scope, named) => {
        const { body } = await test.device({ clientId: 'tv' }).start({ scope });
        expect(body.error).toBe('invalid_scope');
        expect(body['error_description']).toContain(named);
        expect(body['error_description']).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]{1,200}$/);
      },
    );
  });

  describe('what Gatehouse takes besides', () => {
    const challenge = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM';
    it.each<[string, string, Record<string, string>, number | string]>([
      ['PKCE (RFC 7636 §4.3)', 'tv', { code_challenge: challenge, code_challenge_method: 'S256' }, 200],
      ['the plain method', 'tv', { code_challenge: challenge, code_challenge_method: 'plain' }, '400 invalid_request'],
      ['no method, which means plain', 'tv', { code_challenge: challenge }, '400 invalid_request'],
      ['an unknown method', 'tv', { code_challenge: challenge, code_challenge_method: 'S512' }, '400 invalid_request'],
      ['a method alone', 'tv', { code_challenge_method: 'S256' }, '400 invalid_request'],
      [
        'a challenge that is no SHA-256',
        'tv',
        { code_challenge: 'short', code_challenge_method: 'S256' },
        '400 invalid_request',
      ],
      ['no challenge, where the client must', 'pkce', {}, '400 invalid_request'],
      ['a challenge, where the client must', 'pkce', { code_challenge: challenge, code_challenge_method: 'S256' }, 200],
      ['a label', 'tv', { device_label: 'Küche 📺' }, 200],
      ['a label of 64 characters', 'tv', { device_label: '📺'.repeat(64) }, 200],
      ['a longer one', 'tv', { device_label: 'x'.repeat(65) }, '400 invalid_request'],
      ['a label with control characters', 'tv', { device_label: 'a\u0007b' }, '400 invalid_request'],
      ['a label that turns the direction', 'tv', { device_label: 'a\u202eb' }, '400 invalid_request'],
      ['confirmation=supported', 'tv', { confirmation: 'supported' }, 200],
      ['confirmation=required', 'tv', { confirmation: 'required' }, 200],
      ['another confirmation', 'tv', { confirmation: 'maybe' }, '400 invalid_request'],
      ['a resource of the client (RFC 8707)', 'api', { resource: 'https://b.example/' }, 200],
      ['a resource of nobody', 'api', { resource: 'https://c.example/' }, '400 invalid_target'],
      ['a resource that is no URI', 'api', { resource: 'b' }, '400 invalid_target'],
    ])('%s', async (_what, clientId, parameters, expected) => {
      expect(outcome(await test.device({ clientId }).start(parameters))).toBe(expected);
    });
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { basic, DEVICE_CLIENTS, DEVICE_SECRETS, ROBOT_SECRET } from '../support/broker/device-clients.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT, type DeviceAnswer, type TestDevice } from '../support/broker/test-device.ts';

const FORM = 'application/x-www-form-urlencoded';

describe('RFC 8628 §3.4, device access token request', () => {
  let test: TestBroker;
  let tv: TestDevice;
  let deviceCode: string;
  beforeAll(async () => {
    test = await createTestBroker({ yaml: DEVICE_CLIENTS, environment: DEVICE_SECRETS });
    tv = test.device({ clientId: 'tv' });
  });
  afterAll(() => test.close());
  beforeEach(async () => {
    deviceCode = (await tv.start()).body.device_code;
  });

  const outcome = ({ status, body }: DeviceAnswer) => (status === 200 ? 200 : `${status} ${body.error}`);
  const send = (body: string, headers: Record<string, string> = {}) =>
    tv.send('/token', { method: 'POST', headers: { 'content-type': FORM, ...headers }, body });
  const type = `grant_type=${encodeURIComponent(DEVICE_CODE_GRANT)}`;

  describe('grant_type and device_code are REQUIRED (R21)', () => {
    it.each([
      ['no grant_type', 'client_id=tv&device_code=x', '400 invalid_request'],
      ['an empty one', 'client_id=tv&grant_type=&device_code=x', '400 invalid_request'],
      [
        'the short name of the draft',
        'client_id=tv&grant_type=device_code&device_code=x',
        '400 unsupported_grant_type',
      ],
      ['another grant', 'client_id=tv&grant_type=password&username=a&password=b', '400 unsupported_grant_type'],
      ['the code flow', 'client_id=tv&grant_type=authorization_code&code=x', '400 unsupported_grant_type'],
      ['no device_code', `client_id=tv&${type}`, '400 invalid_request'],
      ['an empty device_code', `client_id=tv&${type}&device_code=`, '400 invalid_request'],
      ['two device codes', `client_id=tv&${type}&device_code=a&device_code=b`, '400 invalid_request'],
      ['an unknown device_code', `client_id=tv&${type}&device_code=x`, '400 invalid_grant'],
      ['a very long one', `client_id=tv&${type}&device_code=${'x'.repeat(5000)}`, '400 invalid_grant'],
      ['one that is no text', `client_id=tv&${type}&device_code=%00%0a%e2%80%ae`, '400 invalid_grant'],
    ])('%s', async (_what, body, expected) => {
      expect(outcome(await send(body))).toBe(expected);
    });

    it('a code is not found by its user code, nor by a part or another case of it', async () => {
      const { body } = await tv.start();
      const { device_code: code } = body;
      const swapped = Array.from(code, (c) => (c === c.toLowerCase() ? c.toUpperCase() : c.toLowerCase())).join('');
      for (const guess of [body.user_code, code.slice(0, -1), `${code} `, `${code}x`, swapped]) {
        expect(outcome(await tv.poll(guess)), guess).toBe('400 invalid_grant');
      }
    });

    it('wrong method gets 405 with Allow', async () => {
      const answer = await tv.send('/token', { method: 'GET' });
      expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    });

    it('client_id is required where the client does not authenticate otherwise', async () => {
      expect(outcome(await send(`${type}&device_code=${deviceCode}`))).toBe('400 invalid_request');
      expect(outcome(await send(`${type}&device_code=${deviceCode}&client_id=nobody`))).toBe('401 invalid_client');
    });

    it('parameters that are not known are ignored: scope, code and client_info of msal, state', async () => {
      const more = `&scope=anything&code=${deviceCode}&client_info=1&state=x&__proto__=y&redirect_uri=z`;
      expect(outcome(await send(`${type}&device_code=${deviceCode}&client_id=tv${more}`))).toBe(
        '400 authorization_pending',
      );
    });
  });

  describe('clients with credentials MUST authenticate (R22)', () => {
    it.each([
      ['with the id alone', () => ({ client_id: 'robot' }), ''],
      ['with a wrong secret', () => ({ client_id: 'robot', client_secret: 'wrong' }), ''],
      ['with a wrong secret by Basic', () => ({}), basic('robot', 'wrong')],
      [
        'with the secret of another client',
        () => ({ client_id: 'robot', client_secret: DEVICE_SECRETS.POST_SECRET }),
        '',
      ],
    ])('not %s', async (_how, parameters, authorization) => {
      const robot = test.device({ clientId: 'robot', secret: '' });
      const started = await robot.start({}, { authorization: basic('robot', ROBOT_SECRET) });
      await test.approve(started.body.user_code);
      const form = new URLSearchParams({
        grant_type: DEVICE_CODE_GRANT,
        device_code: started.body.device_code,
        ...parameters(),
      });
      const headers = { 'content-type': FORM, ...(authorization !== '' && { authorization }) };
      const refused = await tv.send('/token', { method: 'POST', headers, body: form });
      expect(outcome(refused)).toBe('401 invalid_client');
      const good = await robot.poll(started.body.device_code, {}, { authorization: basic('robot', ROBOT_SECRET) });
      expect(good.status).toBe(200);
    });

    it('a client that may start without its secret must bring it here', async () => {
      const tool = test.device({ clientId: 'go-tool' });
      const { body } = await tool.start();
      await test.approve(body.user_code);
      expect(outcome(await tool.poll(body.device_code))).toBe('401 invalid_client');
      expect((await tool.poll(body.device_code, { client_secret: ROBOT_SECRET })).status).toBe(200);
    });
  });

  describe('a code is good for the client that it was issued to (R23)', () => {
    it('another client gets invalid_grant, with the body and headers of an unknown code', async () => {
      const other = test.device({ clientId: 'api' });
      const foreign = await other.poll(deviceCode);
      const unknown = await other.poll('never-issued');
      expect(outcome(foreign)).toBe('400 invalid_grant');
      expect(foreign.text).toBe(unknown.text);
      expect([...foreign.headers.keys()]).toEqual([...unknown.headers.keys()]);
    });

    it('… and so is the answer once it is approved, denied, spent or expired', async () => {
      const other = test.device({ clientId: 'api' });
      const { text } = await other.poll('never-issued');
      const states: [string, (userCode: string, code: string) => Promise<unknown>][] = [
        ['approved', (userCode) => test.approve(userCode)],
        ['denied', (userCode) => test.deny(userCode)],
        ['spent', async (userCode, code) => [await test.approve(userCode), await tv.poll(code)]],
        ['expired', () => test.advance(601_000)],
      ];
      for (const [state, reach] of states) {
        const { body } = await tv.start();
        await reach(body.user_code, body.device_code);
        expect((await other.poll(body.device_code)).text, state).toBe(text);
      }
    });

    it('has no side effect on the grant: pace, approval and interval stay', async () => {
      const other = test.device({ clientId: 'api' });
      expect(outcome(await tv.poll(deviceCode))).toBe('400 authorization_pending');
      for (let n = 0; n < 10; n += 1) {
        await test.advance(300);
        await other.poll(deviceCode);
      }
      await test.advance(2000);
      expect(outcome(await tv.poll(deviceCode))).toBe('400 authorization_pending');
    });

    it('a client with credentials cannot redeem another client’s approved code, and the owner still can', async () => {
      const { body } = await tv.start();
      await test.approve(body.user_code);
      const robot = await send(`${type}&device_code=${body.device_code}`, {
        authorization: basic('robot', ROBOT_SECRET),
      });
      expect(outcome(robot)).toBe('400 invalid_grant');
      expect((await tv.poll(body.device_code)).status).toBe(200);
    });
  });

  it('a client without the grant type gets unauthorized_client', async () => {
    const clients = { ...DEVICE_CLIENTS.clients, tv: { name: 'TV', grant_types: ['device_code'] } };
    test.reload({ ...DEVICE_CLIENTS, clients });
    expect(outcome(await tv.refresh('whatever'))).toBe('400 unauthorized_client');
    expect(outcome(await tv.poll(deviceCode))).toBe('400 authorization_pending');
    test.reload(DEVICE_CLIENTS);
    expect(outcome(await tv.refresh('whatever'))).toBe('400 invalid_grant');
  });

  it('errors have the format of RFC 6749 §5.2, whatever is sent (R15)', async () => {
    const bodies = [
      '',
      type,
      `${type}&device_code=x`,
      'grant_type=%',
      'client_id=tv&grant_type=x',
      `${type}&device_code=x&client_id=tv&resource=y`,
    ];
    for (const body of bodies) {
      const answer = await send(body);
      expect(answer.status, body).toBe(400);
      expect(answer.headers.get('content-type'), body).toBe('application/json');
      expect(answer.headers.get('cache-control'), body).toBe('no-store');
      expect(answer.body['error_description'], body).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/);
    }
  });
});

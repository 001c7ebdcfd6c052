import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceAnswer } from '../support/broker/test-device.ts';

describe('RFC 7636, PKCE of a device grant', () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await createTestBroker();
  });
  afterAll(() => test.close());

  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const outcome = ({ status, body }: DeviceAnswer) => (status === 200 ? 200 : `${status} ${body.error}`);
  const start = async (parameters = {}) => (await test.device().start(parameters)).body;
  const withChallenge = { code_challenge: challenge, code_challenge_method: 'S256' };
  const PENDING = '400 authorization_pending';

  it('§4.6: with the verifier of the challenge the grant is polled and redeemed', async () => {
    const { device_code: code, user_code: userCode } = await start(withChallenge);
    expect(outcome(await test.device().poll(code, { code_verifier: verifier }))).toBe(PENDING);
    await test.approve(userCode);
    expect(outcome(await test.device().poll(code, { code_verifier: verifier }))).toBe(200);
  });

  it.each([
    ['without the verifier', {}],
    ['with an empty one', { code_verifier: '' }],
    ['with another one', { code_verifier: randomBytes(32).toString('base64url') }],
    ['with the challenge itself', { code_verifier: challenge }],
  ])('§4.6: %s it is invalid_grant, with no side effect, pending and approved', async (_how, parameters) => {
    const { device_code: code, user_code: userCode } = await start(withChallenge);
    expect(outcome(await test.device().poll(code, parameters))).toBe('400 invalid_grant');
    await test.advance(2000);
    expect(outcome(await test.device().poll(code, { code_verifier: verifier }))).toBe(PENDING);
    await test.approve(userCode);
    expect(outcome(await test.device().poll(code, parameters))).toBe('400 invalid_grant');
    expect(outcome(await test.device().poll(code, { code_verifier: verifier }))).toBe(200);
  });

  it('a verifier without a challenge: invalid_grant, and the grant goes on', async () => {
    const { device_code: code } = await start();
    expect(outcome(await test.device().poll(code, { code_verifier: verifier }))).toBe('400 invalid_grant');
    expect(outcome(await test.device().poll(code))).toBe(PENDING);
  });

  it('a missing verifier has the body of an unknown code', async () => {
    const { device_code: code } = await start(withChallenge);
    expect((await test.device().poll(code)).text).toBe((await test.device().poll('never-issued')).text);
  });
});

import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/test-broker.ts';

const verifier = randomBytes(32).toString('base64url');
const challenge = createHash('sha256').update(verifier).digest('base64url');
const S256 = { code_challenge: challenge, code_challenge_method: 'S256' };

describe('RFC 7636 on the device grant: a device code is worth nothing without its verifier', () => {
  let test: TestBroker;
  beforeEach(async () => {
    test = await createTestBroker({ yaml: { clients: { strict: { require: ['pkce'] } } } });
  });
  afterEach(() => test.close());

  const foreign = { status: 400, body: { error: 'invalid_grant' } };

  it('only who brings the verifier polls and redeems; others change nothing', async () => {
    const { body } = await test.device().start(S256);
    const device = test.device();
    const wrong = randomBytes(32).toString('base64url');
    expect(await device.poll(body.device_code)).toMatchObject(foreign);
    expect(await device.poll(body.device_code, { code_verifier: wrong })).toMatchObject(foreign);
    expect((await device.poll(body.device_code, { code_verifier: verifier })).body.error).toBe('authorization_pending');
    await test.approve(body.user_code);
    const unproven = await device.poll(body.device_code, { code_verifier: wrong });
    expect(unproven.text).toBe((await device.poll('unknown')).text);
    expect((await device.poll(body.device_code, { code_verifier: verifier })).status).toBe(200);
  });

  it('§4.6: a verifier without a challenge is a downgrade: invalid_grant', async () => {
    const { body } = await test.device().start();
    expect(await test.device().poll(body.device_code, { code_verifier: verifier })).toMatchObject(foreign);
  });

  it.each([
    ['plain', { code_challenge: verifier, code_challenge_method: 'plain' }],
    ['another method', { code_challenge: challenge, code_challenge_method: 'S512' }],
    ['no method, which would mean plain', { code_challenge: challenge }],
    ['a method without a challenge', { code_challenge_method: 'S256' }],
    ['a challenge of another length', { code_challenge: 'abc', code_challenge_method: 'S256' }],
  ])('§4.2: %s: invalid_request', async (_what, parameters) => {
    const answer = await test.device().start(parameters);
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
  });

  it('a client may be required to use it', async () => {
    const strict = test.device({ clientId: 'strict' });
    expect((await strict.start()).body.error).toBe('invalid_request');
    expect((await strict.start(S256)).status).toBe(200);
  });

  it('the metadata names S256 alone', async () => {
    const { body } = await test.device().send('/.well-known/oauth-authorization-server');
    expect(body['code_challenge_methods_supported']).toEqual(['S256']);
  });
});

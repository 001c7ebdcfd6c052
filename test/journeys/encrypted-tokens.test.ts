import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { exportJWK } from 'jose';
import { expect, it, onTestFinished } from 'vitest';
import { createTestBroker } from '../support/broker/test-broker.ts';

/** An upstream that encrypts everything that it says of people, in front of a whole broker. */

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ENCRYPTION_KEY = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const BY_KEY = { upstreams: { corp: { encryption_key: { env: 'ENCRYPTION_KEY' } } } };

async function encryptingUpstream(yaml = {}) {
  const test = await createTestBroker({ yaml, environment: { ENCRYPTION_KEY } });
  onTestFinished(() => test.close());
  const encrypted = { key: await exportJWK(createPublicKey(privateKey)) };
  test.upstream.behaviour = { idToken: { encrypted }, userinfo: { encrypted } };
  return { test, encrypted };
}

it('people sign in, tokens are refreshed, and an encrypted logout token ends the session', async () => {
  const { test, encrypted } = await encryptingUpstream(BY_KEY);
  const device = test.device();
  const { body } = await device.start();
  expect(await test.approveInBrowser(body.user_code)).toBe('Approved');
  const { body: tokens } = await device.poll(body.device_code);
  const refreshed = await device.refresh(String(tokens.refresh_token));
  expect(refreshed.status).toBe(200);

  const logoutToken = await test.upstream.logoutToken({ encrypted });
  const form = { method: 'POST', body: new URLSearchParams({ logout_token: logoutToken }) };
  expect((await fetch(`${test.publicUrl}/backchannel-logout/corp`, form)).status).toBe(200);
  expect((await device.refresh(String(refreshed.body.refresh_token))).body).toMatchObject({ error: 'invalid_grant' });
  expect(JSON.stringify(test.lines)).not.toContain('eyJ');
});

it('without the key the log names it, and a reload with it is enough', async () => {
  const { test } = await encryptingUpstream();
  const device = test.device();
  const { body } = await device.start();
  expect(await test.approveInBrowser(body.user_code)).toBe('The sign-in did not work');
  expect(test.lines.find(({ event }) => event === 'sign_in.failed')).toMatchObject({
    fault: 'invalid_answer',
    detail: expect.stringMatching(/there is no upstreams\.corp\.encryption_key: set it to the private key/),
  });
  test.reload(BY_KEY);
  expect(await test.approveInBrowser(body.user_code)).toBe('Approved');
});

it('what one address encrypts for us in vain is decrypted two hundred times, and others are heard', async () => {
  const { test, encrypted } = await encryptingUpstream({ ...BY_KEY, trusted_proxies: ['127.0.0.1/32'] });
  const send = async (token: string, from: string) =>
    fetch(`${test.publicUrl}/backchannel-logout/corp`, {
      method: 'POST',
      headers: { 'x-forwarded-for': from },
      body: new URLSearchParams({ logout_token: token }),
    });
  const good = () => test.upstream.logoutToken({ encrypted });
  const [head = ''] = (await good()).split('.');
  const junk = `${head}.AAAA.AAAA.AAAA.AAAA`;

  // Good ones cost no try, however many.
  for (let n = 0; n < 5; n += 1) expect((await send(await good(), '203.0.113.7')).status).toBe(200);
  const burst = await Promise.all(Array.from({ length: 260 }, () => send(junk, '203.0.113.7')));
  expect(burst.filter(({ status }) => status === 400)).toHaveLength(200);
  const refused = burst.find(({ status }) => status === 429);
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
  expect((await send(await good(), '203.0.113.7')).status).toBe(429);
  const { body: metrics } = await test.broker.processContext.metrics.text();
  expect(metrics).toContain('gatehouse_limited_total{limit="encrypted_logout_tokens"} 61\n');
  expect((await send(await good(), '198.51.100.1')).status).toBe(200);
  // One that is signed alone costs no decryption.
  expect((await send(await test.upstream.logoutToken(), '203.0.113.7')).status).toBe(200);
});

it('an outage of the provider’s keys uses up none of those two hundred', async () => {
  const { test, encrypted } = await encryptingUpstream(BY_KEY);
  const send = async (token: string) =>
    fetch(`${test.publicUrl}/backchannel-logout/corp`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
  const token = await test.upstream.logoutToken({ encrypted });
  test.upstream.behaviour = { jwks: { trouble: 'html' } } as never;
  const away = await Promise.all(Array.from({ length: 50 }, () => send(token)));
  expect(new Set(away.map(({ status }) => status))).toEqual(new Set([503]));
  for (let n = 0; n < 160; n += 1) expect((await send(token)).status).toBe(503);
  test.upstream.behaviour = {};
  await test.advance(61_000);
  expect((await send(await test.upstream.logoutToken({ encrypted }))).status).toBe(200);
});

import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker, type YamlChanges } from '../support/broker/test-broker.ts';

let test: TestBroker;
beforeEach(async () => {
  test = await createTestBroker({ yaml: clientWith({}) });
});
afterEach(() => test.close());

/** PACKAGES is the default audience of the usual client. */
const [PACKAGES, BILLING] = ['https://packages.example.com', 'urn:example:billing'];

function clientWith(changes: Record<string, unknown>): YamlChanges {
  return { clients: { 'build-cli': { resources: [PACKAGES, BILLING], ...changes } } };
}

const minutesAgo = (minutes: number) => Math.floor(Date.now() / 1000) - minutes * 60;

/** Started and approved under the usual configuration; the device comes after a reload. */
async function pollAfterReload(changes: Record<string, unknown>, approved: Parameters<TestBroker['approve']>[1] = {}) {
  const { body } = await test.device().start();
  await test.approve(body.user_code, approved);
  test.reload(clientWith(changes));
  return test.device().poll(body.device_code);
}

describe('an approval is judged at redemption by the configuration of then', () => {
  it.each([
    ['pkce', { require: ['pkce'] }, 'pkce'],
    ['dpop', { require: ['dpop'] }, 'dpop'],
    ['an acr', { safeguards: { acr: ['gold'] } }, 'safeguards'],
    ['an amr', { safeguards: { amr: ['hwk|fido'] } }, 'safeguards'],
    ['a more recent sign-in', { safeguards: { max_age: '5m' } }, 'safeguards'],
    ['a new sign-in', { safeguards: { prompt: 'login' } }, 'safeguards'],
    ['another network', { safeguards: { initiate_from: ['192.0.2.0/24'] } }, 'safeguards'],
    ['digits', { safeguards: { reverse_code: 'required' } }, 'safeguards'],
    ['a proof or digits', { safeguards: { local: 'required' } }, 'safeguards'],
  ])('which asks for %s', async (_, changes, reason) => {
    const { status, body } = await pollAfterReload(changes, { authTimeSeconds: minutesAgo(10), amr: ['pwd'] });
    expect([status, body.error]).toEqual([400, 'access_denied']);
    expect(test.lines.find(({ event }) => event === 'grant.refused')).toMatchObject({ reason });
  });

  it.each([{ local: 'required' }, { reverse_code: 'required' }])(
    'which asks for %o, though the device could have been asked',
    async (safeguards) => {
      test.reload(clientWith({ safeguards: 'open' }));
      const { body } = await test.device().start({ confirmation: 'supported' });
      await test.approve(body.user_code);
      test.reload(clientWith({ safeguards }));
      expect((await test.device().poll(body.device_code)).body.error).toBe('access_denied');
    },
  );

  it('and what meets it is redeemed, however late the device comes', async () => {
    const changes = { safeguards: { acr: ['gold'], amr: ['hwk|fido'], max_age: '1m' } };
    const approved = { authTimeSeconds: minutesAgo(0), acr: 'gold', amr: ['pwd', 'fido'] };
    const { body } = await test.device().start();
    await test.approve(body.user_code, approved);
    test.reload(clientWith(changes));
    await test.advance(5 * 60_000);
    expect((await test.device().poll(body.device_code)).status).toBe(200);
  });

  it('with PKCE and DPoP required, a start that has them is redeemed', async () => {
    const verifier = 'v'.repeat(43);
    const code_challenge = createHash('sha256').update(verifier).digest('base64url');
    const { body } = await test.device().start({ code_challenge, code_challenge_method: 'S256' });
    await test.approve(body.user_code);
    test.reload(clientWith({ require: ['pkce'] }));
    expect((await test.device().poll(body.device_code, { code_verifier: verifier })).status).toBe(200);
  });
});

describe('what the token is for', () => {
  const audienceOf = (token: string) =>
    JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).aud as unknown;

  it('is what was approved, though the client’s default is another by now', async () => {
    const { status, body } = await pollAfterReload({ resources: [BILLING, PACKAGES] }, { resources: [PACKAGES] });
    expect([status, audienceOf(body.access_token)]).toEqual([200, PACKAGES]);
    const refreshed = await test.device().refresh(body.refresh_token);
    expect(audienceOf(refreshed.body.access_token)).toBe(PACKAGES);
  });

  it('is never something else, where that is gone', async () => {
    const { status, body } = await pollAfterReload({ resources: [BILLING] }, { resources: [PACKAGES] });
    expect([status, body.error]).toEqual([400, 'access_denied']);
  });

  it('is shown to the person, and is what they approved through the pages', async () => {
    const { body } = await test.device().start();
    await test.approveInBrowser(body.user_code);
    test.reload(clientWith({ resources: [BILLING, PACKAGES] }));
    const { body: tokens } = await test.device().poll(body.device_code);
    expect(audienceOf(tokens.access_token)).toBe(PACKAGES);
  });
});

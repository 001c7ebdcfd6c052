import { afterEach, beforeEach, expect, it } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { listSessions } from '../../src/device-sessions/list-sessions.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { type EmbeddedUpstream, startEmbeddedUpstream } from '../support/upstream/oidc-upstream.ts';

let test: TestBroker;
let provider: EmbeddedUpstream;

beforeEach(async () => {
  test = await createTestBroker();
  provider = await startEmbeddedUpstream({
    clients: [
      {
        clientId: 'gatehouse',
        secret: test.upstream.clientSecret,
        redirectUris: [`${test.publicUrl}/callback/corp`],
        backchannelLogoutUri: `${test.publicUrl}/backchannel-logout/corp`,
      },
    ],
  });
  test.reload({ upstreams: { corp: { issuer: provider.issuer } } });
});
afterEach(async () => {
  await test.close();
  await provider.close();
});

const alicesDevices = () => {
  const { storage, sealing } = test.broker.processContext;
  const deps = {
    ...{ ledger: storage.ledger, sealing, onUnreadable: () => undefined },
    clients: new Map([['build-cli', { upstreams: ['corp'], lifetimes: { refreshIdleSeconds: 86_400 } } as never]]),
  };
  return listSessions(deps, { upstream: 'corp', subject: 'alice' });
};

/** As Alice sees it at `/sessions`. */
async function myDevices(): Promise<string> {
  const alice = new ScriptedPerson();
  const there = await alice.visit(`${test.publicUrl}/sessions`);
  const form = there.forms.find(({ buttons }) => buttons.some(({ value }) => value === 'alice'));
  const page = form === undefined ? there : await alice.submit(there, form, { user: 'alice' });
  expect([page.status, page.url.pathname]).toEqual([200, '/sessions']);
  return page.html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

async function signInAsAlice(): Promise<string> {
  const { body } = await test.device().start();
  await test.approveInBrowser(body.user_code, 'alice');
  const polled = await test.device().poll(body.device_code);
  expect([polled.status, polled.text]).toEqual([200, polled.text]);
  return polled.body.refresh_token;
}

it('a disabled account ends the device session at its next refresh, and enabling it does not bring it back', async () => {
  let token = await signInAsAlice();
  for (let turn = 0; turn < 3; turn += 1) {
    const answer = await test.device().refresh(token);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    token = answer.body.refresh_token;
  }
  expect(await alicesDevices()).toMatchObject([{ ended: undefined }]);

  provider.disable('alice');
  const refused = await test.device().refresh(token);
  expect([refused.status, refused.body.error]).toEqual([400, 'invalid_grant']);

  provider.enable('alice');
  expect((await test.device().refresh(token)).body.error).toBe('invalid_grant');
  expect(await alicesDevices()).toMatchObject([{ ended: 'upstream', session: { clientId: 'build-cli' } }]);
  expect(await myDevices()).toMatch(/Build CLI.*disconnected/i);
  expect((await test.device().refresh(await signInAsAlice())).status).toBe(200);
});

it('signing out at the provider ends the devices of that sign-in, by its own logout token', async () => {
  const token = await signInAsAlice();
  await test.advance(5);
  await provider.logOut('alice');
  expect(test.lines).toContainEqual(expect.objectContaining({ event: 'logout.received', upstream: 'corp' }));
  expect((await test.device().refresh(token)).body.error).toBe('invalid_grant');
  expect(await alicesDevices()).toMatchObject([{ ended: 'logout' }]);
});

/** All in one browser: the code, who it is where the provider asks, yes. Answers the refresh token, and whether it asked. */
async function signInWith(browser: ScriptedPerson) {
  const { body } = await test.device().start();
  let page = await browser.visit(String(body['verification_uri']));
  const submit = async (filled: Record<string, string>) => {
    const [name = ''] = Object.keys(filled);
    const form = page.forms.find(
      ({ fields, buttons }) => fields.has(name) || buttons.some((each) => each.name === name),
    );
    if (form !== undefined) page = await browser.submit(page, form, filled);
    return form !== undefined;
  };
  await submit({ user_code: body.user_code });
  const wasAsked = await submit({ user: 'alice' });
  expect(await submit({ decision: 'approve' })).toBe(true);
  expect(page.url.pathname).toBe('/device/done');
  return { wasAsked, token: (await test.device().poll(body.device_code)).body.refresh_token };
}

it('signing out in the browser, at the provider’s end_session_endpoint, ends the device of that sign-in too', async () => {
  const hers = new ScriptedPerson();
  const { token } = await signInWith(hers);
  const another = await signInAsAlice();
  await test.advance(5);
  const metadata = await fetch(`${provider.issuer}/.well-known/openid-configuration`);
  const { end_session_endpoint: signOut } = (await metadata.json()) as Record<string, string>;
  const asked = await hers.visit(`${signOut}?client_id=gatehouse`);
  const [form] = asked.forms;
  if (form === undefined) throw new Error('without a hint the provider must ask');
  expect((await hers.submit(asked, form, { logout: 'yes' })).status).toBe(200);

  expect(test.lines).toContainEqual(expect.objectContaining({ event: 'logout.received', upstream: 'corp' }));
  expect((await test.device().refresh(token)).body.error).toBe('invalid_grant');
  expect((await test.device().refresh(another)).status, 'of another browser').toBe(200);
  expect((await signInWith(hers)).wasAsked).toBe(true);
});

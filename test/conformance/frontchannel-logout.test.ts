import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { answer, typeCode } from '../support/browser/person-steps.ts';

const ON = { upstreams: { corp: { front_channel_logout: true } } };
const SID = 'upstream-session-1';

describe('OpenID Connect Front-Channel Logout §2: at GET /frontchannel-logout/{upstream}', () => {
  let test: TestBroker;
  beforeEach(async () => {
    test = await createTestBroker({ yaml: ON });
  });
  afterEach(() => test.close());

  const ask = (query: string, init: RequestInit = {}, upstream = 'corp') =>
    test.device().send(`/frontchannel-logout/${upstream}?${query}`, init);
  const query = (changes: Record<string, string> = {}) =>
    new URLSearchParams({ iss: test.upstream.issuer, sid: SID, ...changes }).toString();
  const logOut = async (changes: Record<string, string> = {}) => {
    await test.advance(10);
    return ask(query(changes));
  };
  const told = () => test.lines.filter(({ event }) => event === 'logout.received');

  /** Through the pages: what a sign-in there notes of itself is a part of it. */
  async function signIn(clientId = 'build-cli') {
    const device = test.device({ clientId });
    const { body } = await device.start();
    expect(await test.approveInBrowser(body.user_code)).toBe('Approved');
    const polled = await device.poll(body.device_code);
    const refreshToken = String(polled.body.refresh_token);
    return { isAlive: async () => (await device.refresh(refreshToken)).status === 200 };
  }

  it('ends what was signed in with that session, as a logout token with its sid does', async () => {
    const session = await signIn();
    const page = await logOut();
    expect(page.status).toBe(200);
    expect(told()).toEqual([expect.objectContaining({ upstream: 'corp', source: '127.0.0.1' })]);
    expect(await session.isAlive()).toBe(false);
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'logout' }));
    // The session there may go on: this was told by anybody.
    expect(await (await signIn()).isAlive()).toBe(true);
  });

  it('§2: the page says nothing, is not stored, and only the upstream may show it in a frame', async () => {
    const { headers, text } = await logOut();
    expect(text).toBe('<!doctype html><title>Gatehouse</title>');
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-frame-options')).toBeNull();
    const policy = headers.get('content-security-policy')?.split('; ') ?? [];
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`frame-ancestors ${new URL(test.upstream.issuer).origin}`);
  });

  it('a sid that nobody signed in with writes nothing, says nothing, and looks the same', async () => {
    const session = await signIn();
    const known = await logOut();
    const { storage } = test.broker.processContext;
    const raised: string[] = [];
    const raise = storage.ledger.raise.bind(storage.ledger);
    storage.ledger.raise = async (key, ...rest) => {
      raised.push(key);
      return raise(key, ...rest);
    };
    const lines = test.lines.length;
    for (const sid of ['another-session', 'constructor', '__proto__', `${SID} `, 'x'.repeat(512)]) {
      const unknown = await logOut({ sid });
      expect([unknown.status, unknown.text]).toEqual([known.status, known.text]);
    }
    // Nor does one that was ended already, however often it is told.
    await logOut();
    expect(raised).toEqual([]);
    expect(test.lines.slice(lines).map(({ event }) => event)).toEqual([]);
    expect(await session.isAlive()).toBe(false);
  });

  it('ends what is signed in and not approved yet', async () => {
    const person = new ScriptedPerson();
    const { body } = await test.device().start();
    const confirm = await typeCode(person, `${test.publicUrl}/device`, body.user_code);
    expect(confirm.status).toBe(200);
    await logOut();
    expect((await answer(person, confirm, 'approve')).status).toBe(403);
  });

  it('ends what is approved and not redeemed yet', async () => {
    const device = test.device();
    const { body } = await device.start();
    await test.approveInBrowser(body.user_code);
    await logOut();
    expect(await device.poll(body.device_code)).toMatchObject({ status: 400, body: { error: 'access_denied' } });
  });

  it('spares a client whose devices outlive a logout', async () => {
    test.reload({ ...ON, clients: { stays: { end_on_logout: false } } });
    const session = await signIn('stays');
    await logOut();
    expect(await session.isAlive()).toBe(true);
  });

  it.each<[string, (issuer: string) => string]>([
    ['no iss', () => `sid=${SID}`],
    ['no sid', (issuer) => `iss=${issuer}`],
    ['neither', () => ''],
    ['an empty sid', (issuer) => `iss=${issuer}&sid=`],
    ['an empty iss', () => `iss=&sid=${SID}`],
    ['another iss', (issuer) => `iss=${issuer}/&sid=${SID}`],
    ['two iss', (issuer) => `iss=${issuer}&iss=${issuer}&sid=${SID}`],
    ['two sid', (issuer) => `iss=${issuer}&sid=${SID}&sid=${SID}`],
    ['a sid longer than any', (issuer) => `iss=${issuer}&sid=${'x'.repeat(513)}`],
    ['a sub in its place', (issuer) => `iss=${issuer}&sub=alice`],
  ])('%s: 400, and nothing ends', async (_what, queryOf) => {
    const session = await signIn();
    await test.advance(10);
    const refused = await ask(queryOf(encodeURIComponent(test.upstream.issuer)));
    expect(refused).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    expect(JSON.stringify(refused.body)).not.toContain(SID);
    expect(await session.isAlive()).toBe(true);
  });

  it.each(['HEAD', 'POST', 'PUT'])('%s is 405 and ends nothing', async (method) => {
    const session = await signIn();
    await test.advance(10);
    const refused = await ask(query(), { method });
    expect([refused.status, refused.headers.get('allow')?.includes('GET')]).toEqual([405, true]);
    expect(await session.isAlive()).toBe(true);
  });

  it('with sid_only the iss may be left out, as Entra ID does, and must be right where it comes', async () => {
    test.reload({ upstreams: { corp: { front_channel_logout: 'sid_only' } } });
    const session = await signIn();
    await test.advance(10);
    expect((await ask(`sid=${SID}&iss=https://other.example`)).status).toBe(400);
    expect((await ask(`sid=${SID}&iss=`)).status).toBe(400);
    expect(await session.isAlive()).toBe(true);
    const other = await signIn();
    await test.advance(10);
    expect((await ask(`sid=${SID}`)).status).toBe(200);
    expect(await other.isAlive()).toBe(false);
  });

  it.each([
    ['an upstream that it is not switched on for', 'labs'],
    ['an upstream that is not there', 'nobody'],
    ['an inherited name', 'constructor'],
  ])('%s: nothing is here', async (_what, upstream) => {
    test.reload({ upstreams: { ...ON.upstreams, labs: { issuer: 'https://labs.example' } } });
    expect((await ask(query(), {}, upstream)).status).toBe(404);
    expect(test.broker.serves(`/frontchannel-logout/${upstream}`)).toBe(false);
    expect(test.broker.serves('/frontchannel-logout/corp')).toBe(true);
  });

  it('is off unless it is switched on, and nothing is noted of sign-ins then', async () => {
    test.reload({});
    const session = await signIn();
    expect((await logOut()).status).toBe(404);
    test.reload(ON);
    expect((await logOut()).status).toBe(200);
    expect(await session.isAlive()).toBe(true);
    expect(told()).toEqual([]);
  });
});

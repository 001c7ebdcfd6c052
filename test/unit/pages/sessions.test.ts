import { describe, expect, it } from 'vitest';
import { type DeviceSession, sealSession } from '../../../src/device-sessions/device-session.ts';
import { geoPlaceOf } from '../../../src/geo/geo-place.ts';
import { NO_PLACES } from '../../../src/geo/geo-places.ts';
import { type Mark, setMark } from '../../../src/grants/revocation-marks.ts';
import { viewGrant } from '../../../src/grants/view-grant.ts';
import { endedEntry, sessionEntry, subjectIndex } from '../../../src/ledger/entry-keys.ts';
import {
  callbackOf,
  openPageHarness,
  type PageHarness,
  type PageHarnessOptions,
  type ScriptedUpstream,
} from '../../support/browser/page-harness.ts';
import type { PageVisitor, VisitedPage } from '../../support/browser/page-visitor.ts';

async function keepSession(harness: PageHarness, changes: Partial<DeviceSession> = {}): Promise<DeviceSession> {
  const { ledger, sealing, randomBytes } = harness.deps.grants;
  const nowMs = await ledger.now();
  const session: DeviceSession = {
    id: randomBytes(16).toString('base64url'),
    clientId: 'build-cli',
    upstream: 'corp',
    subject: 'alice',
    account: 'alice@example.com',
    scopes: ['openid'],
    resources: [],
    source: '203.0.113.7',
    signedInAtMs: nowMs,
    startedAtMs: nowMs,
    endsAtMs: nowMs + 3_600_000,
    keyName: sealing.firstKeyName,
    ...changes,
  };
  const { id, endsAtMs } = session;
  const value = await sealSession('a', session, sealing);
  await ledger.commit({ attempt: 'a', writes: [{ key: sessionEntry(id), value, expiresAtMs: endsAtMs }] });
  const tag = sealing.tag('subject', JSON.stringify([session.upstream, session.subject]));
  await ledger.enlist(subjectIndex(tag), id, endsAtMs);
  return session;
}

async function signIn(visitor: PageVisitor): Promise<VisitedPage> {
  const ways = await visitor.open('/sessions');
  const there = await visitor.get(ways.links[0]?.href ?? '');
  expect(there.status).toBe(303);
  return visitor.open(callbackOf(there));
}

async function isEnded(harness: PageHarness, { id }: DeviceSession): Promise<boolean> {
  return (await harness.deps.grants.ledger.read([endedEntry(id)])).values[0] !== undefined;
}

function formsTo(page: VisitedPage, action: string) {
  return page.forms.filter((form) => form.action === action);
}

const opened = (options?: PageHarnessOptions) => {
  const harness = openPageHarness(options);
  return { harness, visitor: harness.newVisitor() };
};

describe('my devices', () => {
  it('ask for a sign-in of their own: 200, a link for each upstream', async () => {
    const { visitor } = opened();
    const ways = await visitor.open('/sessions');
    expect(ways).toMatchObject({ status: 200, heading: 'Sign in to see your devices' });
    expect(ways.links.map(({ href }) => href)).toEqual(['/sessions?upstream=corp', '/sessions?upstream=labs']);
    expect(await visitor.get('/sessions?upstream=nobody')).toMatchObject({ status: 400 });
  });

  it('go on by themselves where there is one upstream', async () => {
    const { harness, visitor } = opened();
    (harness.deps.upstreams as Map<string, unknown>).delete('labs');
    expect((await visitor.open('/sessions')).text).toContain('content="0;url=/sessions?upstream=corp"');
  });

  it('are listed with client, label, place and times, as text', async () => {
    const { harness, visitor } = opened();
    await keepSession(harness, { deviceLabel: '<b>build-07</b>', scopes: ['openid', 'packages:read'] });
    await keepSession(harness, { subject: 'somebody else', deviceLabel: 'not mine' });
    await keepSession(harness, { upstream: 'labs', deviceLabel: 'not from here' });
    const list = await signIn(visitor);
    expect(list).toMatchObject({ status: 200, heading: 'Your devices' });
    expect(formsTo(list, '/sessions/end')).toHaveLength(1);
    for (const words of [
      'alice@example.com',
      'Example Corp',
      'Build CLI',
      '<b>build-07</b>',
      '203.0.113.7',
      'packages:read',
    ]) {
      expect(list.words).toContain(words);
    }
    expect(list.words).not.toMatch(/not mine|not from here/);
    expect(harness.upstreams['corp']?.revoked).toContain('upstream-access');
    expect((await visitor.open('/sessions')).heading).toBe('Your devices');
  });

  it('say where the address of each is, and whose network, where a file knows it', async () => {
    const place = geoPlaceOf({ city: '<i>Oslo</i>', country: 'NO', isp: 'Example ISP' });
    const { harness, visitor } = opened({ deps: { geo: { ...NO_PLACES, placeOf: () => place } } });
    await keepSession(harness);
    const list = await signIn(visitor);
    expect(list.words).toContain('203.0.113.7 <i>Oslo</i>, Norway · Example ISP');
    expect(list.text).not.toContain('<i>Oslo');
  });

  it('are shown for ten minutes', async () => {
    const { harness, visitor } = opened();
    await keepSession(harness);
    const list = await signIn(visitor);
    harness.advance(10 * 60_000 + 1000);
    expect((await visitor.open('/sessions')).heading).toBe('Sign in to see your devices');
    const [form] = formsTo(list, '/sessions/end');
    expect(await visitor.post('/sessions/end', form?.fields ?? {})).toMatchObject({ status: 403 });
  });

  it.each<[string, Mark]>([
    ['the kill switch', { mark: 'all' }],
    ['the kill switch for the upstream', { mark: 'upstream', upstream: 'corp' }],
    ['the kill switch for the person', { mark: 'subject', upstream: 'corp', subject: 'alice' }],
    ['the kill switch for where they are', { mark: 'source', prefix: '192.0.2.10/32' }],
    ['a logout of the person', { mark: 'logout_subject', upstream: 'corp', sub: 'alice' }],
    ['a logout of that session', { mark: 'logout_sid', upstream: 'corp', sid: 'session-1' }],
  ])('are neither shown nor ended any more after %s', async (_what, mark) => {
    const { harness, visitor } = opened();
    const corp = harness.upstreams['corp'] as ScriptedUpstream;
    corp.signedIn = { ...corp.signedIn, sid: 'session-1' };
    const session = await keepSession(harness);
    const page = await signIn(visitor);
    expect(page.heading).toBe('Your devices');
    harness.advance(5);
    const { ledger, sealing } = harness.deps.grants;
    const nowMs = await ledger.now();
    await setMark({ ledger, sealing }, mark, nowMs, nowMs + 3_600_000);
    expect((await visitor.open('/sessions')).heading).toBe('Sign in to see your devices');
    for (const form of [...formsTo(page, '/sessions/end'), ...formsTo(page, '/sessions/rename')]) {
      expect(await visitor.post(form.action, { ...form.fields, name: 'mine' })).toMatchObject({ status: 403 });
    }
    expect(await isEnded(harness, session)).toBe(false);
    // Whoever signs in again sees them again.
    harness.advance(5);
    expect((await signIn(visitor)).heading).toBe('Your devices');
  });

  it.each<[string, Mark]>([
    ['a logout of somebody else', { mark: 'logout_subject', upstream: 'corp', sub: 'bob' }],
    ['a logout of another session', { mark: 'logout_sid', upstream: 'corp', sid: 'session-2' }],
    ['the kill switch for a client', { mark: 'client', clientId: 'build-cli' }],
  ])('are shown all the same after %s', async (_what, mark) => {
    const { harness, visitor } = opened();
    const corp = harness.upstreams['corp'] as ScriptedUpstream;
    corp.signedIn = { ...corp.signedIn, sid: 'session-1' };
    await signIn(visitor);
    harness.advance(5);
    const { ledger, sealing } = harness.deps.grants;
    const nowMs = await ledger.now();
    await setMark({ ledger, sealing }, mark, nowMs, nowMs + 3_600_000);
    expect((await visitor.open('/sessions')).heading).toBe('Your devices');
  });

  it('are shown in no other browser', async () => {
    const { harness, visitor } = opened();
    await signIn(visitor);
    const thief = harness.newVisitor();
    for (const [name, value] of visitor.cookies) if (name.includes('devices')) thief.cookies.set(name, value);
    expect((await thief.open('/sessions')).heading).toBe('Sign in to see your devices');
  });

  it('end one by one, and stay listed as ended', async () => {
    const { harness, visitor } = opened();
    const [first, second] = [await keepSession(harness), await keepSession(harness)];
    const list = await signIn(visitor);
    const form = formsTo(list, '/sessions/end').find(({ fields }) => fields['session'] === first.id);
    const after = await visitor.follow(await visitor.post('/sessions/end', form?.fields ?? {}));
    expect(after.heading).toBe('Your devices');
    expect(after.words).toMatch(/is disconnected\..*1 disconnected device/);
    expect(formsTo(after, '/sessions/end').map(({ fields }) => fields['session'])).toEqual([second.id]);
    expect([await isEnded(harness, first), await isEnded(harness, second)]).toEqual([true, false]);
    expect(harness.events.find(({ name }) => name === 'session.ended')?.fields).toMatchObject({ by: 'person' });
  });

  it('end all at once, but nobody else’s', async () => {
    const { harness, visitor } = opened();
    const mine = [await keepSession(harness), await keepSession(harness)];
    const other = await keepSession(harness, { subject: 'bob' });
    const list = await signIn(visitor);
    // The list only leads to the question.
    expect(list.text).not.toContain('name="all"');
    const ask = await visitor.open(list.links.find(({ text }) => text === 'Disconnect all devices')?.href ?? '');
    expect(ask).toMatchObject({ status: 200, heading: 'Disconnect all devices?' });
    expect(ask.words).toContain('2 devices are connected to alice@example.com (Example Corp)');
    for (const session of mine) expect(await isEnded(harness, session)).toBe(false);
    expect((await visitor.open(ask.links.find(({ text }) => text === 'Keep them')?.href ?? '')).heading).toBe(
      'Your devices',
    );
    const all = formsTo(ask, '/sessions/end').find(({ fields }) => fields['all'] === 'true');
    const after = await visitor.follow(await visitor.post('/sessions/end', all?.fields ?? {}));
    expect(after.words).toMatch(/All your devices are disconnected\..*2 disconnected devices/);
    for (const session of mine) expect(await isEnded(harness, session)).toBe(true);
    expect(await isEnded(harness, other)).toBe(false);
  });

  it('get a name of the person’s own', async () => {
    const { harness, visitor } = opened();
    await keepSession(harness);
    const [form] = formsTo(await signIn(visitor), '/sessions/rename');
    const named = await visitor.follow(await visitor.post('/sessions/rename', { ...form?.fields, name: 'Build <7>' }));
    expect(named.text).toContain('The device is now called <bdi translate="no">Build &lt;7&gt;</bdi>.');
    const wrong = await visitor.post('/sessions/rename', { ...form?.fields, name: 'x'.repeat(65) });
    expect(wrong).toMatchObject({ status: 400, heading: 'Your devices' });
    expect(wrong.words).toMatch(/That name can’t be used/);
  });

  it('are called by the name given, else by what the device says, in quotes, else by client and date', async () => {
    const { harness, visitor } = opened();
    const startedAtMs = Date.UTC(2026, 10, 20);
    const plain = await keepSession(harness, { startedAtMs });
    const labelled = await keepSession(harness, { startedAtMs, deviceLabel: 'build-07' });
    const list = await signIn(visitor);
    const headingOf = (page: VisitedPage, { id }: DeviceSession) =>
      new RegExp(`<h2 id="device-${id}">(.*?)</h2>`).exec(page.text)?.[1]?.replace(/<\/?bdi[^>]*>/g, '');
    expect(headingOf(list, plain)).toBe('Build CLI, Nov 20, 2026');
    expect(headingOf(list, labelled)).toBe('<q>build-07</q>');
    const form = formsTo(list, '/sessions/rename').find(({ fields }) => fields['session'] === labelled.id);
    const named = await visitor.follow(await visitor.post('/sessions/rename', { ...form?.fields, name: 'Mine' }));
    expect(headingOf(named, labelled)).toBe('Mine');
  });

  it('mark what a device says of itself wherever it is said', async () => {
    const { harness, visitor } = opened();
    const deviceLabel = 'All your devices <b>|';
    const marked = '<q><bdi translate="no">All your devices &lt;b&gt;|</bdi></q>';
    const claimed = await keepSession(harness, { deviceLabel });
    const named = await keepSession(harness, { deviceLabel: 'other' });
    const list = await signIn(visitor);
    const formOf = ({ id }: DeviceSession, action: string) =>
      formsTo(list, action).find(({ fields }) => fields['session'] === id)?.fields ?? {};
    const own = await visitor.follow(
      await visitor.post('/sessions/rename', { ...formOf(named, '/sessions/rename'), name: 'Mine' }),
    );
    expect(own.text).toMatch(/autofocus>The device is now called <bdi translate="no">Mine<\/bdi>\.<\/p>/);
    const ask = await visitor.open('/sessions?all=ask');
    expect(ask.text).toContain(`<li>${marked}</li>`);
    expect(ask.text).toContain('<li><bdi translate="no">Mine</bdi></li>');
    const ended = await visitor.follow(await visitor.post('/sessions/end', formOf(claimed, '/sessions/end')));
    expect(ended.text).toContain(`autofocus>${marked} is disconnected.</p>`);
    for (const { text } of [own, ask, ended]) {
      expect(text.split('All your devices &lt;b&gt;').length).toBe(
        text.split('>All your devices &lt;b&gt;|</bdi></q>').length,
      );
    }
  });

  it('say to which device a field and a button belong', async () => {
    const { harness, visitor } = opened();
    const { id } = await keepSession(harness, { deviceLabel: 'build-07' });
    const { text } = await signIn(visitor);
    for (const part of ['label', 'rename', 'end']) {
      expect(text).toContain(`aria-labelledby="${part}-${id} device-${id}"`);
    }
  });

  it('are one line each, with details to open; one alone is open, and so is one whose name was refused', async () => {
    const { harness, visitor } = opened();
    const one = await keepSession(harness);
    expect((await signIn(visitor)).text.match(/<details class="device" open>/g)).toHaveLength(1);
    for (let n = 0; n < 11; n += 1) await keepSession(harness);
    const many = await visitor.open('/sessions');
    expect(many.text.match(/<details class="device">/g)).toHaveLength(12);
    expect(many.text).not.toContain('<details class="device" open>');
    const form = formsTo(many, '/sessions/rename').find(({ fields }) => fields['session'] === one.id);
    const wrong = await visitor.post('/sessions/rename', { ...form?.fields, name: 'x'.repeat(65) });
    expect(wrong.text).toContain('<title>Error: Your devices');
    const [, inside = ''] = wrong.text.split('<details class="device" open>');
    expect(inside.split('</details>')[0]).toContain(`id="problem-${one.id}"`);
  });

  it('say what was done by nothing but what was done', async () => {
    const { harness, visitor } = opened();
    const [mine, second] = [await keepSession(harness), await keepSession(harness)];
    const list = await signIn(visitor);
    const form = formsTo(list, '/sessions/end').find(({ fields }) => fields['session'] === mine.id);
    const { location = '' } = await visitor.post('/sessions/end', form?.fields ?? {});
    const status = async (address: string) =>
      /<p class="status"[^>]*>(.*)<\/p>/.exec((await visitor.open(address)).text)?.[1];
    expect(await status(location)).toMatch(/is disconnected\.$/);
    expect((await visitor.open(location)).text).toContain('role="status" tabindex="-1" autofocus');
    const forged = [
      location.replace('did=end', 'did=end_all'),
      location.replace(mine.id, second.id),
      location.replace('did=end', 'did=rename'),
      location.replace(/token=.*/, 'token=x'),
      '/sessions?did=end_all&session=',
      `/sessions?did=end&session=${second.id}&token=${form?.fields['token']}`,
    ];
    for (const address of forged) expect(await status(address), address).toBeUndefined();
  });

  it('mark the one that was connected just now, over the sign-in too', async () => {
    const { harness, visitor } = opened();
    await keepSession(harness);
    const started = await harness.start();
    const done = await visitor.submit(await harness.signIn(visitor, started.userCode), { decision: 'approve' });
    const session = await keepSession(harness, { id: started.id });
    const way = done.links.find(({ text }) => text === 'See the devices connected to your account')?.href ?? '';
    const ways = await visitor.open(way);
    const list = await visitor.open(callbackOf(await visitor.get(ways.links[0]?.href ?? '')));
    const marked = (page: VisitedPage) =>
      page.text.split('<details').filter((part) => part.includes('You just connected this'));
    expect(marked(list)).toHaveLength(1);
    expect(marked(list)[0]).toContain(`device-${session.id}`);
    // Nobody else’s address marks anything.
    const other = harness.newVisitor();
    expect(marked(await signIn(other))).toHaveLength(0);
    expect(marked(await other.open(way))).toHaveLength(0);
  });

  it('have a way on where there are none', async () => {
    const { visitor } = opened();
    const list = await signIn(visitor);
    expect(list.links).toContainEqual({ href: '/device', text: 'Connect a device' });
    expect(list.words).not.toMatch(/Disconnect|can do nothing new/);
  });

  it('change by nothing but the person’s own forms', async () => {
    const { harness, visitor } = opened();
    const [mine, other] = [await keepSession(harness), await keepSession(harness, { subject: 'bob' })];
    const [form] = formsTo(await signIn(visitor), '/sessions/end');
    const fields = form?.fields ?? {};
    const tries: [Record<string, string>, Record<string, string>, number][] = [
      [fields, { origin: 'https://evil.example' }, 403],
      [{ ...fields, token: 'x' }, {}, 403],
      [{ ...fields, session: other.id }, {}, 403],
      [{ ...fields, all: 'true' }, {}, 403],
      [{ ...fields, ticket: '' }, {}, 403],
    ];
    for (const [sent, headers, status] of tries) {
      expect(await visitor.post('/sessions/end', sent, headers)).toMatchObject({ status });
    }
    expect(await harness.newVisitor().post('/sessions/end', fields)).toMatchObject({ status: 403 });
    expect([await isEnded(harness, mine), await isEnded(harness, other)]).toEqual([false, false]);
  });

  it('are no way to approve', async () => {
    const { harness, visitor } = opened();
    const { id } = await harness.start();
    const list = await signIn(visitor);
    const ticket = [...visitor.cookies].find(([name]) => name.includes('devices'))?.[1] ?? '';
    expect(await visitor.get(`/device/confirm?ticket=${ticket}`)).toMatchObject({ status: 400 });
    expect(list.forms.every(({ action }) => !action.startsWith('/device'))).toBe(true);
    expect((await viewGrant(harness.deps.grants, id, ''))?.state).toBe('pending');
  });
});

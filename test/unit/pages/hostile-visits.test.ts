import { describe, expect, it, vi } from 'vitest';
import {
  callbackOf,
  handleCallback,
  openPageHarness,
  type PageHarness,
  registeredClient,
} from '../../support/browser/page-harness.ts';
import { PageVisitor, type VisitedPage } from '../../support/browser/page-visitor.ts';

const WINDOW_MS = 10 * 60_000;

/** The same browser at an earlier moment: a second click goes out before the answer to the first is here. */
function asBefore(harness: PageHarness, visitor: PageVisitor): PageVisitor {
  const earlier = new PageVisitor(harness.app, harness.publicUrl);
  for (const [name, value] of visitor.cookies) earlier.cookies.set(name, value);
  return earlier;
}

async function confirmOf(harness: PageHarness, visitor: PageVisitor): Promise<VisitedPage> {
  return harness.signIn(visitor, (await harness.start({ confirmation: 'supported' })).userCode);
}

describe('a second click on the same button', () => {
  it.each([['approve'], ['deny'], ['report']])('on %s shows what the first one did', async (decision) => {
    const harness = openPageHarness({ client: { safeguards: { reverseCode: 'supported', holdSeconds: 5 } } });
    const visitor = harness.newVisitor();
    const confirm = await confirmOf(harness, visitor);
    const second = asBefore(harness, visitor);
    const first = await visitor.submit(confirm, { decision });
    const again = await second.submit(confirm, { decision });
    expect(again).toMatchObject({ status: 200, heading: first.heading });
    const digits = (page: VisitedPage) => /<p class="code digits"[^>]*>(\d{4})</.exec(page.text)?.[1];
    expect(digits(again)).toBe(digits(first));
    expect(again.forms.map(({ action }) => action)).toEqual(first.forms.map(({ action }) => action));
  });

  it('on Approve that comes at the same moment has the digits of the approval that stands', async () => {
    const harness = openPageHarness({ client: { safeguards: { reverseCode: 'supported' } } });
    const visitor = harness.newVisitor();
    const confirm = await confirmOf(harness, visitor);
    const second = asBefore(harness, visitor);
    const pages = await Promise.all([visitor, second].map((one) => one.submit(confirm, { decision: 'approve' })));
    const digits = pages.map(({ text }) => /<p class="code digits"[^>]*>(\d{4})</.exec(text)?.[1]);
    expect(digits[0]).toMatch(/^\d{4}$/);
    expect(digits[1]).toBe(digits[0]);
  });

  it('on Continue is not taken for another browser', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const form = await visitor.open('/device');
    const second = asBefore(harness, visitor);
    await visitor.submit(form, { user_code: userCode });
    const confirm = await handleCallback(second, await second.submit(form, { user_code: userCode }));
    expect(confirm.words).not.toMatch(/also open in another browser/);
  });
});

describe('the id that a browser session had before a decision', () => {
  it('opens no page and begins no trip, and after ten seconds decides nothing either', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const [one, other] = [await confirmOf(harness, visitor), await confirmOf(harness, visitor)];
    const thief = asBefore(harness, visitor);
    await visitor.submit(one, { decision: 'approve' });
    expect(await thief.get(other.address)).toMatchObject({ status: 400, heading: 'This sign-in is not open here' });

    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 11_000 });
    try {
      const late = asBefore(harness, thief);
      expect(await late.submit(other, { decision: 'deny' })).toMatchObject({ status: 403 });
    } finally {
      vi.useRealTimers();
    }
  });

  it('gives a code that is typed with it a session of its own', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const confirm = await confirmOf(harness, visitor);
    const before = asBefore(harness, visitor);
    await visitor.submit(confirm, { decision: 'approve' });
    const next = await confirmOf(harness, before);
    expect((await before.submit(next, { decision: 'approve' })).heading).toBe('Approved');
    expect(await visitor.get(next.address)).toMatchObject({ status: 400 });
  });
});

describe('who begins one sign-in after another', () => {
  const TOO_MANY = { status: 429, heading: 'Too many sign-ins at once' };
  /** At the beginning of one of the ten minutes that are counted together. */
  function openBrowserHarness() {
    const harness = openPageHarness();
    harness.advance(WINDOW_MS - (Date.now() % WINDOW_MS));
    return harness;
  }

  it('with a code that works is stopped, and the code of somebody else goes on', async () => {
    const harness = openBrowserHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: userCode });
    const onward = way.links[0]?.href ?? '';
    const statuses = new Set<number>();
    for (let n = 0; n < 49; n += 1) statuses.add((await visitor.get(onward)).status);
    expect([...statuses]).toEqual([303]);
    const refused = await visitor.get(onward);
    expect(refused).toMatchObject(TOO_MANY);
    expect(refused.words).toMatch(/Wait \d+ minutes?, until \d\d:\d\d UTC ?, then start again on your device/);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);

    const kept = harness.storage.sessions.size;
    const other = harness.newVisitor();
    expect(await other.submit(await other.open('/device'), { user_code: userCode })).toMatchObject(TOO_MANY);
    expect(harness.storage.sessions.size).toBe(kept);
    expect((await confirmOf(harness, other)).status).toBe(200);
  });

  it('without a code is stopped too, whatever browsers he makes up, and keeps nothing more', async () => {
    const harness = openBrowserHarness();
    for (let n = 0; n < 500; n += 1) await harness.newVisitor().get('/sessions?upstream=corp');
    const kept = harness.storage.sessions.size;
    expect(await harness.newVisitor().get('/sessions?upstream=corp')).toMatchObject(TOO_MANY);
    expect(harness.storage.sessions.size).toBe(kept);
    const elsewhere = harness.newVisitor();
    elsewhere.headers['x-test-source'] = '198.51.100.20';
    expect(await elsewhere.get('/sessions?upstream=corp')).toMatchObject({ status: 303 });
    harness.advance(WINDOW_MS);
    expect(await harness.newVisitor().get('/sessions?upstream=corp')).toMatchObject({ status: 303 });
  });
});

describe('what the configuration allows between the page and the answer', () => {
  it('is shown before it can be approved, as in a roll-out where another replica takes the form', async () => {
    const harness = openPageHarness();
    const before = harness.clients.get('build-cli') ?? registeredClient();
    const visitor = harness.newVisitor();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: (await harness.start()).userCode });
    const callback = await visitor.get(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
    harness.clients.set('build-cli', { ...before, scopes: { allowed: ['openid'], default: [] } });
    const confirm = await visitor.follow(callback);
    expect(confirm.words).not.toContain('packages:read');
    harness.clients.set('build-cli', before);
    const again = await visitor.submit(confirm, { decision: 'approve' });
    expect(again.heading).toBe('Let this device act as you?');
    expect(again.words).toContain('packages:read');
    expect((await visitor.submit(again, { decision: 'approve' })).heading).toBe('Approved');
  });
});

describe('a form that another site sends', () => {
  it('leaves the cookie alone that the person’s own open form is bound to', async () => {
    const harness = openPageHarness({ settings: { languages: ['en', 'de'] } });
    const visitor = harness.newVisitor();
    const foreign = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' };
    // Without its cookies, which are SameSite=Lax.
    const refused = await harness.newVisitor().post('/device', { user_code: 'BBBB-BBBB' }, foreign);
    expect(refused.status).toBe(403);
    expect(refused.headers['set-cookie']).toBeUndefined();
    expect((await visitor.open('/device')).headers['set-cookie']).toBeDefined();
  });
});

describe('a storage that goes away while somebody signs in', () => {
  it('costs one more try from there, and gives the upstream’s tokens back', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: (await harness.start()).userCode });
    const callback = callbackOf(await visitor.get(way.links[0]?.href ?? ''));
    const { corp } = harness.upstreams;
    const finish = corp?.finishSignIn;
    if (corp === undefined || finish === undefined) throw new Error('no upstream');
    corp.finishSignIn = (...trip) => {
      harness.storage.isAway = true;
      return finish(...trip);
    };
    const failed = await visitor.get(callback);
    expect(failed).toMatchObject({ status: 503, heading: 'Please try again in a moment' });
    expect(corp.revoked).toEqual(['upstream-refresh', 'upstream-access']);

    harness.storage.isAway = false;
    corp.finishSignIn = finish;
    const confirm = await visitor.open(callbackOf(await visitor.get(failed.links[0]?.href ?? '')));
    expect((await visitor.submit(confirm, { decision: 'approve' })).heading).toBe('Approved');
  });

  it.each([['/sessions'], ['/device']])('leads back to %s from a sign-in without a grant', async (page) => {
    const harness = openPageHarness({ limits: page === '/device' ? { wrongCodesTotal: 1 } : {} });
    const visitor = harness.newVisitor();
    let way = await visitor.open(page);
    if (page === '/device') {
      way = await visitor.submit(await visitor.submit(way, { user_code: 'BBBB-BBBB' }), { user_code: 'BBBB-BBBB' });
    }
    const callback = callbackOf(await visitor.get(way.links[0]?.href ?? ''));
    const { corp } = harness.upstreams;
    const finish = corp?.finishSignIn;
    if (corp === undefined || finish === undefined) throw new Error('no upstream');
    corp.finishSignIn = (...trip) => {
      harness.storage.isAway = true;
      return finish(...trip);
    };
    const failed = await visitor.get(callback);
    expect(failed.status).toBe(503);
    harness.storage.isAway = false;
    corp.finishSignIn = finish;
    const again = await visitor.open(failed.links[0]?.href ?? '');
    expect((await visitor.open(callbackOf(await visitor.get(again.links[0]?.href ?? '')))).status).toBe(200);
  });
});

describe('a link from another site to a page that only says no', () => {
  const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  const own = { 'sec-fetch-site': 'same-origin' };

  it.each([['/nothing-here'], ['/device/confirm?ticket=x'], ['/device/sign-in'], ['/device/done'], ['/device/undo']])(
    'to %s is no way around the stop page',
    async (address) => {
      const harness = openPageHarness({ client: { safeguards: { arrival: 'strict' } } });
      const visitor = harness.newVisitor();
      const no = await visitor.get(address, foreign);
      expect(no.links.map(({ href }) => href)).toEqual(['/device']);
      expect((await visitor.get('/device', own)).heading).toBe('A link brought you here');
      expect((await visitor.get('/device', { 'sec-fetch-site': 'none' })).heading).toBe('Connect a device');
    },
  );

  it('is neither by a form that another site sends', async () => {
    const harness = openPageHarness({ client: { safeguards: { arrival: 'warn' } } });
    const visitor = harness.newVisitor();
    await visitor.post('/device', {}, { ...foreign, origin: 'https://evil.example' });
    expect((await visitor.get('/device', own)).heading).toBe('A link brought you here');
  });

  it('is not what the way back from the upstream is taken for', async () => {
    const harness = openPageHarness({ client: { safeguards: { arrival: 'strict' } } });
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: started.userCode });
    const callback = callbackOf(await visitor.get(way.links[0]?.href ?? ''));
    expect((await harness.newVisitor().get(callback, foreign)).status).toBe(400);
    const confirm = await visitor.get(callback, foreign);
    harness.advance(11 * 60_000);
    expect((await visitor.get(confirm.location ?? '', foreign)).heading).toBe('The code has expired');
    expect((await visitor.get('/device', own)).heading).toBe('Connect a device');
  });
});

describe('an address with a code that lacks a character, or has one too many', () => {
  it.each([
    ['its last one left out', (code: string) => code.slice(0, -1)],
    ['its first one left out', (code: string) => code.slice(1)],
    ['one more', (code: string) => `${code}B`],
    ['a letter that no code has', (code: string) => `${code}A`],
    ['its first half', (code: string) => code.slice(0, 4)],
    ['its second half', (code: string) => code.slice(5)],
  ])('%s: is mended in the form, and still counts as prefilled', async (_, changed) => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const form = await visitor.open(`/device?user_code=${changed(userCode)}`);
    const confirm = await handleCallback(visitor, await visitor.submit(form, { user_code: userCode }));
    expect(confirm.text).toContain('name="confirm_code"');
    expect(confirm.text).not.toContain(userCode);
  });
});

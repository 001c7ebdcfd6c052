import { describe, expect, it, vi } from 'vitest';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { callbackOf, openPageHarness, type PageHarness } from '../../support/browser/page-harness.ts';
import type { PageVisitor, VisitedPage } from '../../support/browser/page-visitor.ts';

const isSession = (name: string) => /gatehouse-[0-9a-f]{6}$/.test(name);

function sessionOf(visitor: PageVisitor): string {
  return [...visitor.cookies].find(([name]) => isSession(name))?.[1] ?? '';
}

/** All steps, with the browser session's cookie after each. */
async function steps(harness: PageHarness, visitor: PageVisitor) {
  const { userCode, id } = await harness.start();
  const form = await visitor.open('/device');
  const atStart = sessionOf(visitor);
  const way = await visitor.submit(form, { user_code: userCode });
  const atCode = sessionOf(visitor);
  const there = await visitor.get(way.links[0]?.href ?? '');
  const confirm = await visitor.open(callbackOf(there));
  const atCallback = sessionOf(visitor);
  const done = await visitor.submit(confirm, { decision: 'approve' });
  return { id, form, way, there, confirm, done, cookies: [atStart, atCode, atCallback, sessionOf(visitor)] };
}

describe('the browser session', () => {
  it('does not exist before a right code, and changes its id there, at the callback and at the decision', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { cookies, done } = await steps(harness, visitor);
    expect(cookies[0]).toBe('');
    expect(new Set(cookies).size).toBe(4);
    expect(done.status).toBe(200);
    // And the one that it had at the callback, for ten seconds: see "opens nothing by an id that it had before".
    expect(harness.storage.sessions.size).toBe(2);
  });

  it('opens nothing by an id that it had before', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { cookies, confirm, done } = await steps(harness, visitor);
    const name = [...visitor.cookies.keys()].find(isSession) ?? '';
    for (const old of cookies.slice(1, 3)) {
      const thief = harness.newVisitor();
      thief.cookies.set(name, old);
      expect(await thief.get(confirm.address)).toMatchObject({ status: 400, heading: 'This sign-in is not open here' });
      expect(await thief.get(done.address)).toMatchObject({ status: 400 });
    }
  });

  it('is not taken over from an id that somebody planted', async () => {
    const harness = openPageHarness();
    const attacker = harness.newVisitor();
    const { userCode } = await harness.start();
    await attacker.submit(await attacker.open('/device'), { user_code: userCode });
    const victim = harness.newVisitor();
    for (const [name, value] of attacker.cookies) victim.cookies.set(name, value);
    const planted = sessionOf(victim);
    const { confirm } = await steps(harness, victim);
    expect(sessionOf(victim)).not.toBe(planted);
    expect((await attacker.get(confirm.address)).status).toBe(400);
  });

  it('is kept under a hash, sealed: neither dump nor sealing key opens it without the cookie', async () => {
    const keys = [new Secret(Buffer.alloc(32, 1).toString('base64url'))];
    const sealing = createSealing(keys);
    const harness = openPageHarness({ sealing });
    const visitor = harness.newVisitor();
    await steps(harness, visitor);
    const [key, stored] = [...harness.storage.sessions].at(-1) ?? ['', ''];
    const id = decodeURIComponent(sessionOf(visitor)).slice(2).split('.')[0] ?? '';
    expect(id).toHaveLength(43);
    expect(`${key} ${stored}`).not.toContain(id);
    const { sealed } = JSON.parse(stored) as { sealed: string };
    await expect(sealing.open(sealed, `browser session ${key}`)).rejects.toThrow();
    await expect(sealing.open(sealed, `browser session ${key}`, new Secret('guess'))).rejects.toThrow();
    expect(await sealing.open(sealed, `browser session ${key}`, new Secret(id))).toEqual([
      1,
      expect.objectContaining({ browser: expect.any(String) }),
    ]);
    expect(stored).not.toMatch(/browser"/);
  });

  it('changes its id at a second code too', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    await steps(harness, visitor);
    const before = sessionOf(visitor);
    const form = await visitor.open('/device');
    await visitor.submit(form, { user_code: (await harness.start()).userCode });
    expect(sessionOf(visitor)).not.toBe(before);
    expect(harness.storage.sessions.size).toBe(2);
  });

  it('is over at its end even if somebody keeps it in the storage for longer', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { confirm } = await steps(harness, visitor);
    const [key, stored] = [...harness.storage.sessions].at(-1) ?? ['', '{}'];
    const hoursMs = 2 * 3_600_000;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hoursMs });
    try {
      const longer = { ...(JSON.parse(stored) as object), cookie: { expires: new Date(Date.now() + hoursMs) } };
      await harness.deps.browserSessions.set(key, JSON.stringify(longer), hoursMs);
      expect((await visitor.get(confirm.address)).words).toMatch(/not open here/);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is nothing when somebody moves or forges what is stored, and the log says so', async () => {
    const harness = openPageHarness();
    const [mine, other] = [harness.newVisitor(), harness.newVisitor()];
    const { confirm } = await steps(harness, mine);
    const mineKey = [...harness.storage.sessions.keys()].at(-1) ?? '';
    await steps(harness, other);
    const foreign = [...harness.storage.sessions.values()].at(-1);
    await harness.deps.browserSessions.set(mineKey, foreign ?? '', 60_000);
    expect((await mine.get(confirm.address)).status).toBe(400);
    expect(harness.events.map(({ name }) => name)).toContain('storage.rejected');
  });

  it.each([
    '',
    'no JSON',
    'null',
    '7',
    '[]',
    '{}',
    '{"sealed":null}',
    '{"sealed":{"__proto__":1}}',
    '{"sealed":"valueOf"}',
  ])('is nothing when somebody puts %j in its place, and the log says so', async (text) => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { confirm } = await steps(harness, visitor);
    const key = [...harness.storage.sessions.keys()].at(-1) ?? '';
    await harness.deps.browserSessions.set(key, text, 60_000);
    expect((await visitor.get(confirm.address)).status).toBe(400);
    expect(harness.events.map(({ name }) => name)).toContain('storage.rejected');
    expect(harness.events.map(({ name }) => name)).not.toContain('request.failed');
  });

  it('lives as long as its latest grant is kept, and no request makes it longer', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { confirm } = await steps(harness, visitor);
    const [cookie = ''] = visitor.setCookies.filter((line) => isSession(line.split('=')[0] ?? ''));
    const expires = new Date(/Expires=([^;]+)/.exec(cookie)?.[1] ?? '').getTime();
    expect(expires - Date.now()).toBeGreaterThan(19 * 60_000);
    expect(expires - Date.now()).toBeLessThan(20.1 * 60_000);

    const sets = visitor.setCookies.length;
    const before = JSON.stringify([...harness.storage.sessions]);
    await visitor.get(confirm.address);
    expect(visitor.setCookies).toHaveLength(sets);
    expect(JSON.stringify([...harness.storage.sessions])).toBe(before);
    harness.advance(21 * 60_000);
    expect((await visitor.get(confirm.address)).words).toMatch(/not open here/);
  });

  it('serves two tabs: a second code in the same browser keeps the first one’s pages alive', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const [one, two] = [await harness.start(), await harness.start()];
    const left = await harness.signIn(visitor, one.userCode);
    const right = await harness.signIn(visitor, two.userCode);
    expect((await visitor.submit(left, { decision: 'approve' })).heading).toBe('Approved');
    expect((await visitor.submit(right, { decision: 'deny' })).heading).toBe('Denied');
  });
});

describe('cookies', () => {
  it.each([
    ['https://login.example.com', /^__Host-gatehouse/, true, 'evil.example'],
    ['https://example.com/gate', /^__Host-gatehouse/, true, 'evil.example'],
    // By a name that is not of this machine it answers nobody.
    ['http://127.0.0.1:8080', /^gatehouse/, false, '127.0.0.1:1'],
  ])('follow from %s alone, whatever headers say', async (publicUrl, name, isSecure, host) => {
    const harness = openPageHarness({ publicUrl });
    const visitor = harness.newVisitor();
    visitor.headers = { host, 'x-forwarded-proto': isSecure ? 'http' : 'https' };
    await visitor.submit(await harness.signIn(visitor, (await harness.start()).userCode), { decision: 'approve' });
    expect(visitor.setCookies.length).toBeGreaterThanOrEqual(4);
    for (const line of visitor.setCookies) {
      expect(line).toMatch(name);
      expect(line).toMatch(/; Path=\/(;|$)/);
      expect(line).toMatch(/; HttpOnly/);
      expect(line).toMatch(/; SameSite=Lax/);
      expect(/; Secure/.test(line)).toBe(isSecure);
      expect(line).not.toMatch(/; Domain/i);
    }
  });

  it('of two brokers on one host have different names', async () => {
    const names = await Promise.all(
      ['https://example.com/a', 'https://example.com/b'].map(async (publicUrl) => {
        const visitor = openPageHarness({ publicUrl }).newVisitor();
        await visitor.open(`${new URL(publicUrl).pathname}/device`);
        return [...visitor.cookies.keys()];
      }),
    );
    expect(new Set(names.flat()).size).toBe(2);
  });

  it('signed under an older sealing key still count', async () => {
    const [older, newer] = [1, 2].map((byte) => new Secret(Buffer.alloc(32, byte).toString('base64url')));
    const harness = openPageHarness({ sealing: createSealing([older as Secret]) });
    const visitor = harness.newVisitor();
    const confirm: VisitedPage = await harness.signIn(visitor, (await harness.start()).userCode);
    harness.rebuild({ sealing: createSealing([newer as Secret, older as Secret]) });
    expect(await visitor.get(confirm.address)).toMatchObject({ status: 200 });
    expect(await visitor.submit(confirm, { decision: 'approve' })).toMatchObject({ heading: 'Approved' });
  });
});

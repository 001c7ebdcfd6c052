import { describe, expect, it, vi } from 'vitest';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { callbackOf, openPageHouse, type PageHouse } from '../../support/browser/page-harness.ts';
import type { PageVisitor, VisitedPage } from '../../support/browser/page-visitor.ts';

const isSession = (name: string) => /gatehouse-[0-9a-f]{6}$/.test(name);

function sessionOf(visitor: PageVisitor): string {
  return [...visitor.cookies].find(([name]) => isSession(name))?.[1] ?? '';
}

/** All steps, with the browser session's cookie after each. */
async function steps(house: PageHouse, visitor: PageVisitor) {
  const { userCode, id } = await house.start();
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
    const house = openPageHouse();
    const visitor = house.newVisitor();
    const { cookies, done } = await steps(house, visitor);
    expect(cookies[0]).toBe('');
    expect(new Set(cookies).size).toBe(4);
    expect(done.status).toBe(200);
    // And the one that it had at the callback, for ten seconds: see "opens nothing by an id that it had before".
    expect(house.storage.sessions.size).toBe(2);
  });

  it('opens nothing by an id that it had before', async () => {
    const house = openPageHouse();
    const visitor = house.newVisitor();
    const { cookies, confirm, done } = await steps(house, visitor);
    const name = [...visitor.cookies.keys()].find(isSession) ?? '';
    for (const old of cookies.slice(1, 3)) {
      const thief = house.newVisitor();
      thief.cookies.set(name, old);
      expect(await thief.get(confirm.address)).toMatchObject({ status: 400, heading: 'This sign-in is not open here' });
      expect(await thief.get(done.address)).toMatchObject({ status: 400 });
    }
  });

  it('is not taken over from an id that somebody planted', async () => {
    const house = openPageHouse();
    const attacker = house.newVisitor();
    const { userCode } = await house.start();
    await attacker.submit(await attacker.open('/device'), { user_code: userCode });
    const victim = house.newVisitor();
    for (const [name, value] of attacker.cookies) victim.cookies.set(name, value);
    const planted = sessionOf(victim);
    const { confirm } = await steps(house, victim);
    expect(sessionOf(victim)).not.toBe(planted);
    expect((await attacker.get(confirm.address)).status).toBe(400);
  });

  it('is kept under a hash, sealed: neither dump nor sealing key opens it without the cookie', async () => {
    const keys = [new Secret(Buffer.alloc(32, 1).toString('base64url'))];
    const sealing = createSealing(keys);
    const house = openPageHouse({ sealing });
    const visitor = house.newVisitor();
    await steps(house, visitor);
    const [key, stored] = [...house.storage.sessions].at(-1) ?? ['', ''];
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
    const house = openPageHouse();
    const visitor = house.newVisitor();
    await steps(house, visitor);
    const before = sessionOf(visitor);
    const form = await visitor.open('/device');
    await visitor.submit(form, { user_code: (await house.start()).userCode });
    expect(sessionOf(visitor)).not.toBe(before);
    expect(house.storage.sessions.size).toBe(2);
  });

  it('is over at its end even if somebody keeps it in the storage for longer', async () => {
    const house = openPageHouse();
    const visitor = house.newVisitor();
    const { confirm } = await steps(house, visitor);
    const [key, stored] = [...house.storage.sessions].at(-1) ?? ['', '{}'];
    const hoursMs = 2 * 3_600_000;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + hoursMs });
    try {
      const longer = { ...(JSON.parse(stored) as object), cookie: { expires: new Date(Date.now() + hoursMs) } };
      await house.ground.browserSessions.set(key, JSON.stringify(longer), hoursMs);
      expect((await visitor.get(confirm.address)).words).toMatch(/not open here/);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is nothing when somebody moves or forges what is stored, and the log says so', async () => {
    const house = openPageHouse();
    const [mine, other] = [house.newVisitor(), house.newVisitor()];
    const { confirm } = await steps(house, mine);
    const mineKey = [...house.storage.sessions.keys()].at(-1) ?? '';
    await steps(house, other);
    const foreign = [...house.storage.sessions.values()].at(-1);
    await house.ground.browserSessions.set(mineKey, foreign ?? '', 60_000);
    expect((await mine.get(confirm.address)).status).toBe(400);
    expect(house.events.map(({ name }) => name)).toContain('storage.rejected');
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
    const house = openPageHouse();
    const visitor = house.newVisitor();
    const { confirm } = await steps(house, visitor);
    const key = [...house.storage.sessions.keys()].at(-1) ?? '';
    await house.ground.browserSessions.set(key, text, 60_000);
    expect((await visitor.get(confirm.address)).status).toBe(400);
    expect(house.events.map(({ name }) => name)).toContain('storage.rejected');
    expect(house.events.map(({ name }) => name)).not.toContain('request.failed');
  });

  it('lives as long as its latest grant is kept, and no request makes it longer', async () => {
    const house = openPageHouse();
    const visitor = house.newVisitor();
    const { confirm } = await steps(house, visitor);
    const [cookie = ''] = visitor.setCookies.filter((line) => isSession(line.split('=')[0] ?? ''));
    const expires = new Date(/Expires=([^;]+)/.exec(cookie)?.[1] ?? '').getTime();
    expect(expires - Date.now()).toBeGreaterThan(19 * 60_000);
    expect(expires - Date.now()).toBeLessThan(20.1 * 60_000);

    const sets = visitor.setCookies.length;
    const before = JSON.stringify([...house.storage.sessions]);
    await visitor.get(confirm.address);
    expect(visitor.setCookies).toHaveLength(sets);
    expect(JSON.stringify([...house.storage.sessions])).toBe(before);
    house.advance(21 * 60_000);
    expect((await visitor.get(confirm.address)).words).toMatch(/not open here/);
  });

  it('serves two tabs: a second code in the same browser keeps the first one’s pages alive', async () => {
    const house = openPageHouse();
    const visitor = house.newVisitor();
    const [one, two] = [await house.start(), await house.start()];
    const left = await house.signIn(visitor, one.userCode);
    const right = await house.signIn(visitor, two.userCode);
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
    const house = openPageHouse({ publicUrl });
    const visitor = house.newVisitor();
    visitor.headers = { host, 'x-forwarded-proto': isSecure ? 'http' : 'https' };
    await visitor.submit(await house.signIn(visitor, (await house.start()).userCode), { decision: 'approve' });
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
        const visitor = openPageHouse({ publicUrl }).newVisitor();
        await visitor.open(`${new URL(publicUrl).pathname}/device`);
        return [...visitor.cookies.keys()];
      }),
    );
    expect(new Set(names.flat()).size).toBe(2);
  });

  it('signed under an older sealing key still count', async () => {
    const [older, newer] = [1, 2].map((byte) => new Secret(Buffer.alloc(32, byte).toString('base64url')));
    const house = openPageHouse({ sealing: createSealing([older as Secret]) });
    const visitor = house.newVisitor();
    const confirm: VisitedPage = await house.signIn(visitor, (await house.start()).userCode);
    house.rebuild({ sealing: createSealing([newer as Secret, older as Secret]) });
    expect(await visitor.get(confirm.address)).toMatchObject({ status: 200 });
    expect(await visitor.submit(confirm, { decision: 'approve' })).toMatchObject({ heading: 'Approved' });
  });
});

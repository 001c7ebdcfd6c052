import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openPageHarness } from '../../support/browser/page-harness.ts';
import { anyText, inheritedName } from '../../support/samples/inherited-names.ts';

const PATHS = [
  '/',
  '/device',
  '/device/',
  '/device/sign-in',
  '/device/confirm',
  '/device/done',
  '/device/undo',
  '/callback/corp',
  '/callback/constructor',
  '/callback/%00',
  '/sessions',
  '/sessions/rename',
  '/sessions/end',
  '/language',
  '/__proto__',
  '//evil.example/device',
];
const NAMES = ['user_code', 'ticket', 'token', 'state', 'code', 'error', 'iss', 'upstream', 'lang', 'back', 'pass'];
const MORE_NAMES = ['decision', 'confirm_code', 'warned', 'session', 'all', 'name', 'a[b]', ''];

const name = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NAMES, ...MORE_NAMES) }, inheritedName);
const value = fc.oneof(
  anyText({ maxLength: 40 }),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.constantFrom('a.b.c', 'e30.e30..e30.', '||', '%', '\u0000', '../..', 'approve', 'A'.repeat(3000)),
);
const cookieKind = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('gatehouse', 'form', 'language', 'devices') },
  inheritedName,
);
const fields = fc.array(fc.tuple(name, value), { maxLength: 6 });

describe('any input', () => {
  it('gets a page and never a 5xx, nor leads off our origin', async () => {
    const harness = openPageHarness();
    const input = fc.record({
      method: fc.constantFrom('GET', 'POST'),
      path: fc.oneof(
        { weight: 4, arbitrary: fc.constantFrom(...PATHS) },
        inheritedName.map((word) => `/callback/${word}`),
      ),
      query: fields,
      body: fields,
      cookies: fc.array(fc.tuple(cookieKind, value), { maxLength: 4 }),
    });
    await fc.assert(
      fc.asyncProperty(input, async ({ method, path, query, body, cookies }) => {
        const visitor = harness.newVisitor();
        const form = await visitor.open('/device');
        const own = [...visitor.cookies.keys()].join('');
        for (const [kind, text] of cookies) {
          const safe = text.replace(/[^\x21-\x7e]|[;,\\"]/g, '');
          visitor.cookies.set(own.replace('-form-', kind === 'gatehouse' ? '-' : `-${kind}-`), safe);
        }
        const address = `${path}?${new URLSearchParams(query).toString()}`;
        const sent = { ...form.forms[0]?.fields, ...Object.fromEntries(body) };
        const page = method === 'GET' ? await visitor.get(address) : await visitor.post(address, sent);
        expect(page.status, `${method} ${address}`).toBeLessThan(500);
        if (page.location !== undefined) {
          expect(page.location).toMatch(/^\/(device|sessions)|^https:\/\/corp\.example\//);
        }
        if (page.location === undefined) expect(page.heading.length).toBeGreaterThan(0);
      }),
      { numRuns: 150 },
    );
    expect(harness.events.filter(({ name: event }) => event === 'request.failed')).toEqual([]);
  });
});

describe('the language switch', () => {
  /** A form as the page would have it. */
  async function form(harness: ReturnType<typeof openPageHarness>) {
    const visitor = harness.newVisitor();
    await visitor.open('/device');
    const value = [...visitor.cookies.values()].join('');
    return { visitor, token: harness.deps.grants.sealing.vouch(`form language ${value}`, '') };
  }

  it('sets a cookie of its own and leads back to the page it came from', async () => {
    const { visitor, token } = await form(openPageHarness());
    const back = '/device/confirm?ticket=a.b.c';
    const answer = await visitor.post('/language', { lang: 'en', back, token });
    expect(answer).toMatchObject({ status: 303, location: back });
    expect([...visitor.cookies.keys()].some((cookie) => /^__Host-gatehouse-language-/.test(cookie))).toBe(true);
  });

  it.each([
    'https://evil.example/device',
    '//evil.example/device',
    '/\\evil.example/device',
    '/\t/evil.example/device',
    'javascript:alert(1)',
    '/callback/corp?code=x&state=y',
    '/nowhere',
    'device',
    '',
  ])('leads to the code page instead of %j', async (back) => {
    const { visitor, token } = await form(openPageHarness());
    expect(await visitor.post('/language', { lang: 'en', back, token })).toMatchObject({ location: '/device' });
  });

  it('carries the path of public_url', async () => {
    const harness = openPageHarness({ publicUrl: 'https://example.com/gate' });
    const visitor = harness.newVisitor();
    await visitor.open('/gate/device');
    const value = [...visitor.cookies.values()].join('');
    const token = harness.deps.grants.sealing.vouch(`form language ${value}`, '');
    const send = (back: string) => visitor.post('/gate/language', { lang: 'en', back, token });
    expect((await send('/gate/device?user_code=A')).location).toBe('/gate/device?user_code=A');
    expect((await send('/device')).location).toBe('/gate/device');
  });

  it.each([
    ['a language that is not offered', { lang: 'tlh' }, 400],
    ['no language', { lang: '' }, 400],
    ['no token', { lang: 'en', token: '' }, 403],
  ])('refuses %s', async (_, change, status) => {
    const { visitor, token } = await form(openPageHarness());
    expect(await visitor.post('/language', { token, ...change })).toMatchObject({ status });
  });

  it('refuses another site', async () => {
    const { visitor, token } = await form(openPageHarness());
    const foreign = { origin: 'https://evil.example' };
    expect(await visitor.post('/language', { lang: 'en', token }, foreign)).toMatchObject({ status: 403 });
  });
});

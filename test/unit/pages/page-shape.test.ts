import { describe, expect, it } from 'vitest';
import { createLanguages } from '../../../src/pages/frame/languages.ts';
import { PAGE_PROBLEMS } from '../../../src/pages/frame/page-problem.ts';
import { callbackOf, openPageHarness } from '../../support/browser/page-harness.ts';
import type { VisitedPage } from '../../support/browser/page-visitor.ts';

/** One of each thing that a person sees. */
async function everyPage(publicUrl = 'https://login.example.com'): Promise<[string, VisitedPage][]> {
  const base = new URL(publicUrl).pathname.replace(/\/$/, '');
  const harness = openPageHarness({ publicUrl, client: { safeguards: { arrival: 'warn' } } });
  const visitor = harness.newVisitor();
  const form = await visitor.open(`${base}/device`);
  const { userCode } = await harness.start();
  const way = await visitor.submit(form, { user_code: userCode });
  const there = await visitor.get(way.links[0]?.href ?? '');
  const confirm = await visitor.open(callbackOf(there));
  const pages: [string, VisitedPage][] = [
    ['enter code', form],
    ['wrong code', await visitor.submit(form, { user_code: 'BBBB-BBBB' })],
    ['stop', await visitor.get(`${base}/device`, { 'sec-fetch-site': 'cross-site' })],
    ['sign in', way],
    ['confirm', confirm],
    ['used sign-in', await visitor.open(callbackOf(there))],
    ['refused form', await visitor.post(`${base}/device/confirm`, {})],
    ['done', await visitor.submit(confirm, { decision: 'approve' })],
    ['no session', await harness.newVisitor().open(`${base}/device/done`)],
    ['not found', await visitor.open(`${base}/nowhere`)],
    ['broken address', await visitor.get(`${base}/callback/%E0%A4%A`)],
    ['method', await visitor.post(`${base}/device/done`, {})],
    ['too large', await visitor.postRaw(`${base}/device`, 'x='.padEnd(9000, 'x'))],
  ];
  harness.storage.isAway = true;
  pages.push(['storage away', await visitor.get(confirm.address)]);
  return pages;
}

/** Which pages run which script: one groups a code, the other tells times in the person's zone. */
const SCRIPTS: Record<string, string[]> = {
  'enter code': ['code'],
  'wrong code': ['code'],
  'sign in': ['times'],
  confirm: ['times'],
  'used sign-in': ['times'],
  done: ['times'],
};

describe.each(['https://login.example.com', 'https://example.com/gate', 'http://127.0.0.1:8080'])(
  'every page at %s',
  (publicUrl) => {
    it('has a language, a title and exactly one heading, and is kept nowhere', async () => {
      for (const [name, page] of await everyPage(publicUrl)) {
        expect(page.headers['content-type'], name).toBe('text/html; charset=utf-8');
        expect(page.text, name).toMatch(/^<!doctype html>\s*<html lang="en" dir="ltr">/);
        expect(page.text.match(/<title>[^<]+<\/title>/g), name).toHaveLength(1);
        expect(page.text.match(/<h1[ >]/g), name).toHaveLength(1);
        expect(page.heading.length, name).toBeGreaterThan(3);
        expect(page.headers['cache-control'], name).toBe('no-store');
        expect(page.headers['x-request-id'], name).toBe('reference123');
        expect(page.headers, name).not.toHaveProperty('x-powered-by');
        expect(page.headers, name).not.toHaveProperty('access-control-allow-origin');
      }
    });

    it('loads nothing from elsewhere, is framed nowhere, and tells the next page no more than our own', async () => {
      const { origin } = new URL(publicUrl);
      for (const [name, { headers, text }] of await everyPage(publicUrl)) {
        const policy = headers['content-security-policy'] ?? '';
        // What a page runs is what its policy lets in, address by address; all else runs nothing.
        const run = [...text.matchAll(/<script src="([^"]+)" defer>/g)].map(([, path = '']) => origin + path);
        expect(/;script-src (.*)$/.exec(policy)?.[1]?.split(' ') ?? [], name).toEqual(run);
        expect(
          run.map((address) => /^\/device\/(\w+)-[0-9a-f]{12}\.js$/.exec(address.slice(publicUrl.length))?.[1]),
          name,
        ).toEqual(SCRIPTS[name] ?? []);
        expect(
          policy
            .replace(/;script-src [^;]+$/, '')
            .split(';')
            .sort(),
          name,
        ).toEqual([
          "base-uri 'none'",
          "default-src 'none'",
          "form-action 'self'",
          "frame-ancestors 'none'",
          "img-src 'self' data:",
          "style-src 'self'",
        ]);
        expect(headers['x-frame-options'], name).toBe('DENY');
        expect(headers['x-content-type-options'], name).toBe('nosniff');
        expect(headers['referrer-policy'], name).toBe('same-origin');
        expect('strict-transport-security' in headers, name).toBe(publicUrl.startsWith('https:'));
        expect(text.replace(/<script src="[^"]+" defer><\/script>/g, ''), name).not.toMatch(
          /<script|<style|\sstyle=|\son\w+=|javascript:/i,
        );
      }
    });

    it('carries the path of public_url in every link, form and redirect', async () => {
      const base = new URL(publicUrl).pathname.replace(/\/$/, '');
      for (const [name, { text }] of await everyPage(publicUrl)) {
        for (const [, address] of text.matchAll(/(?:href|action|src)="([^"]*)"/g)) {
          if (address === 'data:,') continue;
          expect(address, name).toMatch(new RegExp(`^${base}/(device|language|callback|sessions)`));
        }
      }
    });
  },
);

describe('the title of the document', () => {
  it('says first that something went wrong, and the heading does not', async () => {
    const visitor = openPageHarness().newVisitor();
    const missing = await visitor.open('/nowhere');
    expect([missing.text.includes('<title>Error: Page not found ·'), missing.heading]).toEqual([
      true,
      'Page not found',
    ]);
    const wrong = await visitor.submit(await visitor.open('/device'), { user_code: 'BBBB-BBBB' });
    expect(wrong.text).toContain('<title>Error: Connect a device ·');
    expect((await visitor.open('/device')).text).toContain('<title>Connect a device ·');
  });
});

describe('a problem page', () => {
  it('shows the reference and the time', async () => {
    const page = await openPageHarness().newVisitor().open('/nowhere');
    expect(page.words).toMatch(/Reference reference123 · [A-Z][a-z]+ \d+, \d{4}, \d\d:\d\d:\d\d UTC/);
  });

  it.each(Object.entries(PAGE_PROBLEMS))('%s has words, and %i is never a server’s without need', (kind, status) => {
    const english = createLanguages(['en']).in('en');
    for (const part of ['title', 'text', 'next']) {
      const key = `problem.${kind}.${part}`;
      expect(english.has(key) || english.has(`${key}_other`), key).toBe(true);
    }
    if (status >= 500 && status !== 503 && status !== 502) expect(kind).toBe('fault');
  });

  it.each([
    ['/device', 'PUT', 'GET, POST, HEAD'],
    ['/device/sign-in', 'POST', 'GET, HEAD'],
    ['/device/confirm', 'DELETE', 'GET, POST, HEAD'],
    ['/language', 'GET', 'POST'],
    ['/device/undo', 'GET', 'POST'],
    ['/callback/corp', 'POST', 'GET'],
    ['/device', 'OPTIONS', 'GET, POST, HEAD'],
  ])('of %s answers %s with 405 and says what it takes', async (path, method, allowed) => {
    const page = await openPageHarness().newVisitor().ask(method, path);
    expect(page).toMatchObject({ status: 405, headers: { allow: allowed } });
  });
});

describe('the stylesheet', () => {
  it('comes from our own origin under a name that changes with it, and may be kept for ever', async () => {
    const plain = openPageHarness();
    const themed = openPageHarness({ settings: { theme: { accent: '#a03060', background: '}body{display:none}' } } });
    const names = [];
    for (const harness of [plain, themed]) {
      const visitor = harness.newVisitor();
      const [, address = ''] = /rel="stylesheet" href="([^"]+)"/.exec((await visitor.open('/device')).text) ?? [];
      const sheet = await visitor.get(address);
      expect(sheet.headers['content-type']).toMatch('text/css');
      expect(sheet.headers['cache-control']).toMatch('immutable');
      expect(sheet.text).not.toMatch(/@import|url\(|display:none\}/);
      names.push(address);
      if (harness === themed) expect(sheet.text).toContain('--accent: #a03060');
    }
    expect(new Set(names).size).toBe(2);
  });
});

describe('branding', () => {
  it('shows title, logo, support and footer as text', async () => {
    const settings = { title: 'A & B <i>', logo: 'data:image/png;base64,AA==', support: 'Call 123', footer: '© us' };
    const page = await openPageHarness({ settings }).newVisitor().open('/device');
    expect(page.text).toContain('A &amp; B &lt;i&gt;');
    expect(page.text).toContain('<img src="data:image/png;base64,AA=="');
    for (const words of ['Call 123', '© us']) expect(page.words).toContain(words);
  });

  it('has the logo as the icon, another one for dark colours, and colours for what a browser draws around', async () => {
    const settings = {
      logo: 'data:image/png;base64,AA==',
      logoDark: 'data:image/png;base64,BB==',
      theme: { background: '#ffeedd' },
    };
    const { text } = await openPageHarness({ settings }).newVisitor().open('/device');
    expect(text).toContain('<link rel="icon" href="data:image/png;base64,AA==">');
    expect(text).toContain('<source srcset="data:image/png;base64,BB==" media="(prefers-color-scheme: dark)">');
    expect([...text.matchAll(/name="theme-color" content="([^"]+)"/g)].map(([, colour]) => colour)).toEqual([
      '#ffeedd',
      '#121518',
    ]);
    const plain = await openPageHarness().newVisitor().open('/device');
    expect([...plain.text.matchAll(/name="theme-color" content="([^"]+)"/g)].map(([, colour]) => colour)).toEqual([
      '#f4f3ef',
      '#121518',
    ]);
    expect(plain.text).not.toMatch(/<picture|<img/);
  });

  it('leads to the help desk by page, mail and phone', async () => {
    const supportLinks = [
      { href: 'https://help.example.com', text: 'help.example.com' },
      { href: 'mailto:it@example.com', text: 'it@example.com' },
      { href: 'tel:+4722000000', text: '+47 22 00 00 00' },
    ];
    const page = await openPageHarness({ settings: { supportLinks } }).newVisitor().open('/nowhere');
    for (const link of supportLinks) expect(page.links).toContainEqual(link);
  });

  it('shows a client’s logo where its name is, and none where it has none', async () => {
    const logo = 'data:image/png;base64,CC==';
    for (const client of [{ logo }, {}]) {
      const harness = openPageHarness({ client });
      const visitor = harness.newVisitor();
      const way = await visitor.submit(await visitor.open('/device'), { user_code: (await harness.start()).userCode });
      const confirm = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
      for (const { text } of [way, confirm]) {
        expect(text.includes(`<img class="client" src="${logo}" alt="">`)).toBe('logo' in client);
      }
    }
  });

  it('marks a success, and says what comes and who never asks', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const form = await visitor.open('/device');
    expect(form.words).toContain('IT support will never ask you to approve this.');
    expect(form.words).toContain('What happens next: sign in, review, approve or deny.');
    // A browser would offer codes out of messages, which is how a thief sends one.
    expect(form.text).not.toContain('one-time-code');
    const approved = await visitor.submit(await harness.signIn(visitor, (await harness.start()).userCode), {
      decision: 'approve',
    });
    expect(approved.text).toContain('<h1 class="succeeded">Approved</h1>');
    const denied = await visitor.submit(await harness.signIn(visitor, (await harness.start()).userCode), {
      decision: 'deny',
    });
    expect(denied.text).toContain('<h1>Denied</h1>');
  });

  it('takes templates from a folder where they are there, ours else', async () => {
    const { mkdtempSync, writeFileSync } = await import('node:fs');
    const folder = mkdtempSync('/tmp/views-');
    writeFileSync(`${folder}/sign-in.ejs`, '<p>Our own words for <%= client %></p>');
    const harness = openPageHarness({ settings: { views: folder } });
    const visitor = harness.newVisitor();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: (await harness.start()).userCode });
    expect(way.words).toContain('Our own words for Build CLI');
    writeFileSync(`${folder}/layout.ejs`, '<% missing.thing %>');
    const broken = await openPageHarness({ settings: { views: folder } })
      .newVisitor()
      .open('/device');
    expect(broken).toMatchObject({ status: 500, text: 'reference123' });
  });

  it('takes a page of problems that was written for 0.2.0', async () => {
    const { mkdtempSync, writeFileSync } = await import('node:fs');
    const folder = mkdtempSync('/tmp/views-');
    writeFileSync(`${folder}/problem.ejs`, '<a href="<%= next.address %>"><%= next.isAgain ? "again" : "start" %></a>');
    const harness = openPageHarness({ settings: { views: folder }, limits: { wrongCodesPerSource: 1 } });
    const visitor = harness.newVisitor();
    const wrong = () => visitor.open('/device').then((page) => visitor.submit(page, { user_code: 'BBBBBBBB' }));
    await wrong();
    expect(await wrong()).toMatchObject({ status: 429, words: expect.stringContaining('start') });
  });
});

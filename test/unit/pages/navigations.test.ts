import { describe, expect, it } from 'vitest';
import { openPageHarness } from '../../support/browser/page-harness.ts';

const SITE = { 'sec-fetch-site': 'cross-site' };

/** What pages of other sites can ask for without anybody going there. */
const ASKED_FOR = [
  ['an image', { ...SITE, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' }],
  ['a script', { ...SITE, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }],
  ['a font', { ...SITE, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'font' }],
  ['a worker', { ...SITE, 'sec-fetch-mode': 'same-origin', 'sec-fetch-dest': 'worker' }],
  ['a frame', { ...SITE, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
  ['an object', { ...SITE, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'object' }],
  ['an image of the same company', { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors' }],
  ['something that says only how', { 'sec-fetch-mode': 'no-cors' }],
  ['a link that is fetched in advance', { ...SITE, 'sec-fetch-mode': 'navigate', 'sec-purpose': 'prefetch' }],
  [
    'a typed address that is shown in advance',
    {
      'sec-fetch-site': 'none',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
      'sec-purpose': 'prefetch;prerender',
    },
  ],
  ['the same in an older browser', { purpose: 'prefetch' }],
  ['the same in another one', { 'x-moz': 'prefetch' }],
  ['a socket', { ...SITE, 'sec-fetch-mode': 'websocket', 'sec-fetch-dest': 'websocket' }],
] as const;

const PAGES = ['/device', '/device/sign-in', '/device/confirm', '/callback/corp?state=x&code=y', '/sessions'];

describe('a page', () => {
  it.each(ASKED_FOR)('is not for %s', async (_, headers) => {
    const harness = openPageHarness({ client: { safeguards: { arrival: 'warn' } } });
    for (const page of [...PAGES, '/sessions?upstream=corp']) {
      const { status, location } = await harness.newVisitor().get(page, headers);
      expect([page, status, location]).toEqual([page, 403, undefined]);
    }
    expect(harness.upstreams['corp']?.trips).toEqual([]);
    expect(harness.events.map(({ name }) => name)).not.toContain('link.followed');
  });

  it.each([
    ['a browser that says nothing', {}],
    [
      'somebody who goes there',
      { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' },
    ],
    ['a program whose fetch says how', { 'sec-fetch-mode': 'cors' }],
    [
      'a program that plays a person, and whose fetch says how',
      { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'document' },
    ],
  ])('is for %s', async (_, headers) => {
    const harness = openPageHarness();
    expect((await harness.newVisitor().get('/device', headers)).status).toBe(200);
    expect((await harness.newVisitor().get('/sessions?upstream=corp', headers)).status).toBe(303);
  });
});

describe('an office whose people open a page of somebody else', () => {
  it('can still sign in: images, frames and links of it count as no sign-in', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    for (let n = 0; n < 30; n += 1) {
      for (const [, headers] of ASKED_FOR) await visitor.get(`/sessions?upstream=corp&n=${n}`, headers);
      await visitor.get(`/sessions?upstream=corp&n=${n}`, { ...SITE, 'sec-fetch-mode': 'navigate' });
      await visitor.head('/sessions?upstream=corp');
    }
    expect(harness.upstreams['corp']?.trips).toEqual([]);
    expect((await harness.newVisitor().get('/sessions?upstream=corp')).status).toBe(303);
  });

  it('goes on by a click, where a link leads to one’s devices', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    for (const path of ['/sessions', '/sessions?upstream=corp']) {
      const page = await visitor.get(path, { ...SITE, 'sec-fetch-mode': 'navigate' });
      expect(page.status).toBe(200);
      expect(page.text).not.toContain('http-equiv="refresh"');
      const own = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' };
      const there = await visitor.get(page.links.find(({ href }) => href.includes('upstream=corp'))?.href ?? '', own);
      expect(there.location).toMatch(/^https:\/\/corp\.example/);
    }
  });

  it('HEAD begins no sign-in for a code either', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: (await harness.start()).userCode });
    expect((await visitor.head(way.links[0]?.href ?? '')).status).toBe(200);
    expect(harness.upstreams['corp']?.trips).toEqual([]);
  });
});

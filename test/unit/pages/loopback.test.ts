import { describe, expect, it } from 'vitest';
import type { GrantRequest } from '../../../src/grants/start/start-grant.ts';
import { openPageHarness, type PageHarness, type PageHarnessOptions } from '../../support/browser/page-harness.ts';
import type { VisitedPage } from '../../support/browser/page-visitor.ts';

const LOOPBACK = { port: 49_152, path: 'Zm9ydHktdHdvIHJhbmRvbS' };
/** The device and the person are one machine, as far as their addresses tell. */
const HERE: Partial<GrantRequest> = { confirmation: 'loopback', loopback: LOOPBACK, source: '192.0.2.10' };
const REFRESH = /<meta http-equiv="refresh" content="0;url=([^"]*)">/;
const DIGITS = /\b\d{4}\b/;

async function approve(
  { start = {}, ...options }: PageHarnessOptions & { start?: Partial<GrantRequest> } = {},
  headers: Record<string, string> = {},
) {
  const harness: PageHarness = openPageHarness(options);
  const visitor = harness.newVisitor();
  visitor.headers = headers;
  const started = await harness.start({ ...HERE, ...start });
  const confirm = await harness.signIn(visitor, started.userCode);
  const done = await visitor.submit(confirm, { decision: 'approve' });
  return { harness, visitor, confirm, done, started };
}

const wayOf = ({ links }: VisitedPage) => links.find(({ href }) => href.startsWith('http://127.0.0.1:'));
const goesTo = ({ text }: VisitedPage) => REFRESH.exec(text)?.[1]?.replaceAll('&amp;', '&').replaceAll('&#38;', '&');

describe('an approval for a device that listens on its own machine', () => {
  it('leads the browser to that listener, by a link and by itself, with a proof and without digits', async () => {
    const { done } = await approve();
    const way = new URL(wayOf(done)?.href ?? '');
    expect([way.origin, way.pathname]).toEqual([`http://127.0.0.1:${LOOPBACK.port}`, `/${LOOPBACK.path}`]);
    expect(way.searchParams.get('proof')).toMatch(/^[\w-]{22}$/);
    expect(goesTo(done)).toBe(way.href);
    expect(done.words).not.toMatch(DIGITS);
    expect(done.text).toContain('rel="noreferrer"');
    expect(done.headers['referrer-policy']).toBe('same-origin');
  });

  it('has another proof each time', async () => {
    const proofs = await Promise.all(
      Array.from({ length: 5 }, async () =>
        new URL(wayOf((await approve()).done)?.href ?? '').searchParams.get('proof'),
      ),
    );
    expect(new Set(proofs).size).toBe(5);
  });

  it('opens no policy for it: a link and a refresh are navigations', async () => {
    const { done } = await approve();
    expect(done.headers['content-security-policy']).not.toContain('127.0.0.1');
    expect(done.text).not.toMatch(/<(iframe|img|form)[^>]*127\.0\.0\.1/);
  });

  it('ends at our own page, which the listener is told', async () => {
    const { done, visitor } = await approve();
    const returnUri = new URL(new URL(wayOf(done)?.href ?? '').searchParams.get('return_uri') ?? '');
    expect(returnUri.origin).toBe('https://login.example.com');
    // From the listener the browser comes as from another site.
    const told = await visitor.get(returnUri.pathname + returnUri.search, { 'sec-fetch-site': 'cross-site' });
    expect(told.status).toBe(200);
    expect(told.words).toContain('You can return to your device now');
    expect(told.words).not.toMatch(DIGITS);
    expect([wayOf(told), goesTo(told)]).toEqual([undefined, undefined]);
    expect([...visitor.cookies.keys()].join()).not.toContain('-link-');
  });

  it('shows the digits to who comes back, over the confirm page or by the link', async () => {
    const { done, visitor, confirm } = await approve();
    const back = await visitor.open(confirm.address);
    expect(back.words).toMatch(DIGITS);
    expect([wayOf(back), goesTo(back)]).toEqual([undefined, undefined]);
    const link = done.links.find(({ text }) => text === 'Use four digits instead');
    const digits = await visitor.get(link?.href ?? '');
    expect(DIGITS.exec(digits.words)).toEqual(DIGITS.exec(back.words));
    expect(digits.words).toContain('Never tell anyone');
  });

  it.each([
    ['that is in another network', { source: '203.0.113.7' }, {}],
    ['and a phone', {}, { 'user-agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Mobile/15E148' }],
    ['and a phone that says so', {}, { 'sec-ch-ua-mobile': '?1' }],
  ])('does not go on by itself for a browser %s: it would show an error, and the proof', async (_, start, headers) => {
    const { done } = await approve({ start }, headers as unknown as Record<string, string>);
    expect(goesTo(done)).toBeUndefined();
    expect(wayOf(done)).toBeDefined();
    expect(done.words).not.toMatch(DIGITS);
  });

  it('shows no proof to another browser, nor after it was undone', async () => {
    const { done, visitor, harness } = await approve();
    expect((await harness.newVisitor().get(done.address)).text).not.toContain('proof=');
    await visitor.submit(done, { ticket: done.forms[0]?.fields['ticket'] ?? '' });
    expect((await visitor.get(done.address)).text).not.toContain('proof=');
  });

  it('is told before the approval what the device claims', async () => {
    const { confirm } = await approve();
    expect(confirm.words).toContain('It runs on this computer.');
    const without = await approve({ client: { safeguards: { local: 'off' } } });
    expect(without.confirm.words).not.toContain('It runs on this computer.');
    expect(wayOf(without.done)).toBeUndefined();
    expect(without.done.words).not.toMatch(DIGITS);
  });

  it('has a page for each step, and for words that are none', async () => {
    const { done, visitor } = await approve();
    for (const step of ['valueOf', '__proto__', 'go&loopback=go', '%00', '']) {
      const page = await visitor.get(done.address.replace('loopback=go', `loopback=${step}`));
      expect([page.status, goesTo(page)]).toEqual([200, undefined]);
    }
  });
});

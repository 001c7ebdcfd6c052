import { describe, expect, it } from 'vitest';
import { UpstreamError } from '../../../src/upstream/upstream.ts';
import {
  callbackOf,
  handleCallback,
  openPageHarness,
  type PageHarness,
  type ScriptedUpstream,
} from '../../support/browser/page-harness.ts';
import type { PageVisitor, VisitedPage } from '../../support/browser/page-visitor.ts';

const STOP = 'A link brought you here';
const LINKED = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const OWN = { ...LINKED, 'sec-fetch-site': 'same-origin' };

const corpOf = ({ upstreams }: PageHarness) => upstreams['corp'] as ScriptedUpstream;
const strict = () => openPageHarness({ client: { safeguards: { arrival: 'strict' } } });

/** Where a link leads, over our own redirects, which are as foreign as the link. */
async function followLink(visitor: PageVisitor, path: string, headers: Record<string, string> = LINKED) {
  visitor.headers = headers;
  return visitor.open(path);
}

async function codePage(visitor: PageVisitor, headers: Record<string, string> = OWN): Promise<VisitedPage> {
  visitor.headers = headers;
  return visitor.open('/device');
}

const ENTRIES = [
  '/',
  '/device',
  '/device?user_code=WDJB-MJHT',
  '/device?ticket=made-up',
  '/device?pass=made-up',
  '/device/sign-in',
  '/device/sign-in?ticket=made-up',
  '/device/sign-in?ticket=made-up&upstream=corp',
  '/device/confirm',
  '/device/confirm?ticket=made-up',
  '/device/done?ticket=made-up',
  '/device/undo',
  '/callback/corp',
  '/callback/corp?state=x&code=y',
  '/callback/corp?state=x&error=access_denied',
  '/callback/corp?state=x&code=y&iss=https://evil.example',
  '/callback/nobody',
  '/callback/nobody?state=x&code=y',
  '/callback/valueOf?state=x&code=y',
  '/sessions',
  '/sessions?ticket=made-up',
  '/sessions?upstream=corp',
  '/sessions?upstream=nobody',
  '/sessions/rename',
  '/sessions/end',
  '/language',
  '/nowhere',
  '/device/%zz',
];

describe('a page that a link from another site leads to first', () => {
  it.each(ENTRIES)('%s is no way past the stop page', async (path) => {
    const visitor = strict().newVisitor();
    await followLink(visitor, path);
    expect((await codePage(visitor)).heading).toBe(STOP);
  });

  it.each(ENTRIES)('%s is none for somebody who was here before', async (path) => {
    const harness = strict();
    const visitor = harness.newVisitor();
    await harness.signIn(visitor, (await harness.start()).userCode);
    await followLink(visitor, path);
    expect((await codePage(visitor)).heading).toBe(STOP);
  });

  it.each(ENTRIES)('%s is none in a browser that says no more than where it comes from', async (path) => {
    const visitor = strict().newVisitor();
    await followLink(visitor, path, { referer: 'https://evil.example/lure' });
    const page = await codePage(visitor, { referer: 'https://login.example.com/callback/corp' });
    expect(page.heading).toBe(STOP);
  });

  it('is remembered by a form of another site too', async () => {
    const visitor = strict().newVisitor();
    await visitor.post('/device', { user_code: 'WDJB-MJHT' }, { ...LINKED, origin: 'https://evil.example' });
    expect((await codePage(visitor)).heading).toBe(STOP);
  });

  it('leaves a milder client’s person a way on, with an empty form and a warning', async () => {
    const harness = openPageHarness({ client: { safeguards: { arrival: 'warn' } } });
    const visitor = harness.newVisitor();
    await followLink(visitor, '/callback/corp?state=x&code=y');
    const stop = await codePage(visitor);
    expect(stop.heading).toBe(STOP);
    const form = await visitor.open(stop.links[0]?.href ?? '');
    const way = await visitor.submit(form, { user_code: (await harness.start()).userCode });
    expect((await handleCallback(visitor, way)).words).toMatch(/a link from another website/);
  });

  it.each(['open', 'off'])('means nothing where no client looks at it (%s)', async () => {
    const visitor = openPageHarness().newVisitor();
    await followLink(visitor, '/callback/corp?state=x&code=y');
    expect(visitor.setCookies.join()).not.toContain('-link-');
    expect((await codePage(visitor)).heading).toBe('Connect a device');
  });
});

describe('who comes back from the upstream', () => {
  /** From the upstream's site, over our redirects. */
  async function fromUpstream(visitor: PageVisitor, there: VisitedPage, answer?: string): Promise<VisitedPage> {
    visitor.headers = LINKED;
    return visitor.open(callbackOf(there, answer));
  }

  async function startSignIn(harness: PageHarness, visitor: PageVisitor): Promise<VisitedPage> {
    const form = await codePage(visitor, { ...OWN, 'sec-fetch-site': 'none' });
    visitor.headers = OWN;
    const way = await visitor.submit(form, { user_code: (await harness.start()).userCode });
    return visitor.get(way.links[0]?.href ?? '');
  }

  it.each([
    ['signed in', undefined, 'Let this device act as you?'],
    ['refused there', 'access_denied', 'Denied'],
    ['with an error', 'unavailable', 'The sign-in is not available right now'],
  ] as const)('%s has followed no link', async (_, fault, heading) => {
    const harness = strict();
    const visitor = harness.newVisitor();
    const there = await startSignIn(harness, visitor);
    if (fault !== undefined) corpOf(harness).failure = { at: 'answer', error: new UpstreamError(fault, 'theirs') };
    expect((await fromUpstream(visitor, there)).heading).toBe(heading);
    expect((await codePage(visitor)).heading).toBe('Connect a device');
  });

  it('to see their devices has followed no link, and may look again', async () => {
    const harness = strict();
    const visitor = harness.newVisitor();
    visitor.headers = OWN;
    const devices = await fromUpstream(visitor, await visitor.get('/sessions?upstream=corp'));
    expect(devices.heading).toBe('Your devices');
    expect((await visitor.open(devices.address)).heading).toBe('Your devices');
    expect((await codePage(visitor)).heading).toBe('Connect a device');
  });

  it('in another browser than set out has, as far as anybody can tell', async () => {
    const harness = strict();
    const there = await startSignIn(harness, harness.newVisitor());
    const other = harness.newVisitor();
    expect((await fromUpstream(other, there)).status).toBe(400);
    expect((await codePage(other)).heading).toBe(STOP);
  });

  it('with another answer than the one that was taken has: somebody else could have made the link', async () => {
    const harness = strict();
    const visitor = harness.newVisitor();
    const there = await startSignIn(harness, visitor);
    await fromUpstream(visitor, there);
    expect((await fromUpstream(visitor, there)).status).toBe(200);
    expect((await codePage(visitor)).heading).toBe('Connect a device');
    expect((await fromUpstream(visitor, there, 'code=another')).status).toBe(400);
    expect((await codePage(visitor)).heading).toBe(STOP);
  });
});

import { describe, expect, it } from 'vitest';
import { CookieJar } from '../../../demo/cookie-jar.ts';
import { formsIn, headingOf, linksIn, refreshIn } from '../../../demo/html-form.ts';
import { ScriptedPerson } from '../../../demo/scripted-person.ts';

const base = new URL('http://127.0.0.1:8080/device/confirm?x=1');

describe('a form on a page', () => {
  it('has its hidden fields, decoded, and not its buttons', () => {
    const html = `<form method="post" action='/there?a=1&amp;b=2'>
      <input type="hidden" name="token" value="a&quot;b&#39;c"><input name=code required>
      <input type="submit" name="go" value="Go"><button name="decision" value="approve">Yes</button></form>`;
    const [form] = formsIn(html, base);
    expect(form?.action.href).toBe('http://127.0.0.1:8080/there?a=1&b=2');
    expect(form?.method).toBe('POST');
    expect([...(form?.fields ?? [])]).toEqual([
      ['token', 'a"b\'c'],
      ['code', ''],
    ]);
    expect(form?.buttons).toEqual([{ name: 'decision', value: 'approve' }]);
  });

  it('has the buttons that name it, wherever they stand, and not those that name another', () => {
    const html = `<form id="deny" action="/a"><input name="t" value="1"></form>
      <form action="/b"><button form="deny" name="decision" value="deny">No</button><button name="decision" value="approve"></button></form>`;
    const [deny, other] = formsIn(html, base);
    expect(deny?.buttons).toEqual([{ name: 'decision', value: 'deny' }]);
    expect(other?.buttons).toEqual([{ name: 'decision', value: 'approve' }]);
  });

  it('goes to the page itself where it has no action', () => {
    expect(formsIn('<form></form>', base)[0]?.action.href).toBe(base.href);
  });
});

describe('a page', () => {
  it('has links, a heading, and may refresh at once', () => {
    const html = `<meta http-equiv="refresh" content="0;url=/next?a=1&amp;b=2"><h1>Let <em>this</em> in?</h1><a href="../up">Up</a>`;
    expect(refreshIn(html, base)?.href).toBe('http://127.0.0.1:8080/next?a=1&b=2');
    expect(refreshIn('<meta http-equiv="refresh" content="5;url=/later">', base)).toBeUndefined();
    expect(headingOf(html)).toBe('Let this in?');
    expect(linksIn(html, base).map(({ href }) => href)).toEqual(['http://127.0.0.1:8080/up']);
  });
});

describe('cookies', () => {
  function jarWith(...lines: string[]): CookieJar {
    const jar = new CookieJar();
    for (const line of lines) jar.store(base, new Response(null, { headers: { 'set-cookie': line } }));
    return jar;
  }

  it('go to their host and path, whatever the port', () => {
    const jar = jarWith('a=1; Path=/', 'b=2; Path=/device', 'c=3');
    expect(jar.header(new URL('http://127.0.0.1:9999/device/confirm'))).toBe('b=2; c=3; a=1');
    expect(jar.header(new URL('http://127.0.0.1:8080/devices'))).toBe('a=1');
    expect(jar.header(new URL('http://localhost:8080/device/confirm'))).toBe('');
  });

  it('are replaced, and end when they are told to', () => {
    const jar = jarWith('a=1; Path=/', 'a=2; Path=/; HttpOnly', 'b=1; Path=/');
    expect(jar.header(base)).toBe('a=2; b=1');
    jar.store(
      base,
      new Response(null, { headers: { 'set-cookie': 'a=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT' } }),
    );
    jar.store(base, new Response(null, { headers: { 'set-cookie': 'b=; Path=/; Max-Age=0' } }));
    expect(jar.header(base)).toBe('');
  });
});

describe('a scripted person', () => {
  interface Sent {
    method: string;
    address: string;
    site: string | null;
    origin: string | null;
    body: string;
  }

  function person(answers: Record<string, () => Response>): { person: ScriptedPerson; sent: Sent[] } {
    const sent: Sent[] = [];
    const fetch = (async (address: URL, init: RequestInit) => {
      const headers = new Headers(init.headers);
      const [site, origin] = [headers.get('sec-fetch-site'), headers.get('origin')];
      const body = init.body instanceof URLSearchParams ? init.body.toString() : '';
      sent.push({ method: init.method ?? 'GET', address: address.href, site, origin, body });
      return answers[address.href]?.() ?? new Response('<h1>End</h1>');
    }) as unknown as typeof globalThis.fetch;
    return { person: new ScriptedPerson({ fetch }), sent };
  }

  const redirect =
    (to: string, status = 303) =>
    () =>
      new Response(null, { status, headers: { location: to } });

  it('types an address, and comes back from another origin, as a browser says it', async () => {
    const page = '<form method="post" action="/go"><input type="hidden" name="t" value="1"></form>';
    const { person: alice, sent } = person({
      'http://a.test/': () => new Response(page),
      'http://a.test/go': redirect('http://b.test/sign-in'),
      'http://b.test/sign-in': redirect('http://a.test/back'),
    });
    const first = await alice.visit('http://a.test/');
    const [form] = first.forms;
    if (form === undefined) throw new Error('no form');
    const last = await alice.submit(first, form, { name: 'Alice' });
    expect(last.heading).toBe('End');
    expect(sent).toEqual([
      { method: 'GET', address: 'http://a.test/', site: 'none', origin: null, body: '' },
      {
        method: 'POST',
        address: 'http://a.test/go',
        site: 'same-origin',
        origin: 'http://a.test',
        body: 't=1&name=Alice',
      },
      { method: 'GET', address: 'http://b.test/sign-in', site: 'cross-site', origin: null, body: '' },
      { method: 'GET', address: 'http://a.test/back', site: 'cross-site', origin: null, body: '' },
    ]);
  });

  it('follows a page that refreshes at once, and does not run for ever', async () => {
    const { person: alice, sent } = person({
      'http://a.test/': () => new Response('<meta http-equiv="refresh" content="0;url=/next">'),
      'http://a.test/loop': redirect('/loop'),
    });
    expect((await alice.visit('http://a.test/')).url.href).toBe('http://a.test/next');
    expect(sent.at(-1)?.site).toBe('same-origin');
    await expect(alice.visit('http://a.test/loop')).rejects.toThrow('redirects');
  });
});

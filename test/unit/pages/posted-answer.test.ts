import { afterEach, describe, expect, it } from 'vitest';
import {
  callbackOf,
  openPageHarness,
  type PageHarness,
  type PageHarnessOptions,
} from '../../support/browser/page-harness.ts';

/** OAuth 2.0 Form Post Response Mode, at an upstream that is configured for it. */

const FROM_THERE = { origin: 'https://corp.example', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };

let harness: PageHarness;

/** A visitor who was sent to the upstream, and the fields that its form would have. */
async function away(options: PageHarnessOptions = {}) {
  harness = openPageHarness(options);
  Object.assign(harness.upstreams['corp'] ?? {}, { responseMode: 'form_post' });
  const visitor = harness.newVisitor();
  const way = await visitor.submit(await visitor.open('/device'), { user_code: (await harness.start()).userCode });
  const there = await visitor.get(way.links[0]?.href ?? '');
  const { searchParams } = new URL(callbackOf(there), harness.publicUrl);
  // As a browser does it: none of our cookies goes with another site's form.
  const post = (fields: Record<string, string>, path = '/callback/corp') =>
    harness.newVisitor().post(path, fields, FROM_THERE);
  return { visitor, state: searchParams.get('state') ?? '', post };
}

afterEach(() => {
  expect(harness.events.filter(({ name }) => name === 'request.failed')).toEqual([]);
});

describe('an answer that a form brings', () => {
  it('becomes an address, and the address does all the rest', async () => {
    const { visitor, state, post } = await away();
    const answer = await post({ code: 'a+b &c', state, iss: 'https://corp.example' });
    expect(answer).toMatchObject({ status: 303, headers: { 'cache-control': 'no-store' } });
    expect(answer.headers['set-cookie']).toBeUndefined();
    const address = new URL(answer.location ?? '', harness.publicUrl);
    expect(address.pathname).toBe('/callback/corp');
    expect(Object.fromEntries(address.searchParams)).toEqual({ code: 'a+b &c', state, iss: 'https://corp.example' });
    expect(await visitor.open(answer.location ?? '')).toMatchObject({ heading: 'Let this device act as you?' });
  });

  it('that is a refusal is handed on too', async () => {
    const { state, post } = await away();
    const { location } = await post({ error: 'access_denied', error_description: 'no, thanks', state });
    expect(location).toBe(`/callback/corp?state=${state}&error=access_denied&error_description=no%2C+thanks`);
  });

  it('hands on what it knows by name, and nothing else', async () => {
    const { state, post } = await away();
    const more = {
      user: '{"name":"x"}',
      id_token: 'a.b.c',
      ['__proto__']: 'x',
      constructor: 'x',
      upstream: 'labs',
      code: '',
    };
    const { location } = await post({ ...more, state }, '/callback/corp?code=planted&state=planted');
    expect(location).toBe(`/callback/corp?state=${state}`);
  });

  it('is judged by GET alone: a stranger’s form is refused as a stranger’s link is', async () => {
    const { visitor, state, post } = await away();
    for (const [fields, heading] of [
      [{ code: 'abc', state: 'planted' }, 'This sign-in was already used'],
      [{ code: 'abc', state, iss: 'https://labs.example' }, 'That did not work'],
      [{ state }, 'That did not work'],
      [{}, 'That did not work'],
    ] as const) {
      const link = `/callback/corp?${new URLSearchParams(fields).toString()}`;
      const posted = await post(fields);
      expect(posted.status).toBe(303);
      const [byForm, byLink] = [await visitor.open(posted.location ?? ''), await visitor.open(link)];
      expect([byForm.status, byForm.heading]).toEqual([byLink.status, byLink.heading]);
      expect(byForm).toMatchObject({ status: 400, heading });
    }
    const elsewhere = await harness.newVisitor().open((await post({ code: 'abc', state })).location ?? '');
    expect(elsewhere).toMatchObject({ status: 400, heading: 'You came back in another browser' });
    expect((await visitor.open((await post({ code: 'abc', state })).location ?? '')).status).toBe(200);
  });

  it('needs nothing that is kept', async () => {
    const { state, post } = await away();
    harness.storage.isAway = true;
    expect((await post({ code: 'abc', state })).status).toBe(303);
  });

  it('with a field twice is 400', async () => {
    const { state } = await away();
    const visitor = harness.newVisitor();
    for (const more of ['code=b', 'code=abc', `state=${state}`, 'iss=&iss=https://corp.example', 'error=a&error=b']) {
      const page = await visitor.postRaw('/callback/corp', `state=${state}&code=abc&${more}`, FROM_THERE);
      expect(page).toMatchObject({ status: 400, heading: 'That did not work' });
    }
  });

  it('is bounded', async () => {
    const { state, post } = await away();
    expect(await post({ code: 'c'.repeat(9000), state })).toMatchObject({ status: 413 });
    // Few bytes there, three times as many in an address.
    const wide = new TextDecoder().decode(new Uint8Array(4000).fill(0x27));
    const page = await harness.newVisitor().postRaw('/callback/corp', `state=${state}&code=${wide}`, FROM_THERE);
    expect(page).toMatchObject({ status: 400, heading: 'That did not work' });
    expect((await post({ code: 'c'.repeat(5000), state })).status).toBe(303);
  });

  it('in another form than a form’s is no answer', async () => {
    await away();
    const page = await harness.newVisitor().postRaw('/callback/corp', '{"code":"a","state":"b"}', {
      ...FROM_THERE,
      'content-type': 'application/json',
    });
    expect(page.location).toBe('/callback/corp');
    expect(await harness.newVisitor().open('/callback/corp')).toMatchObject({ status: 400 });
  });

  it('keeps the path of public_url', async () => {
    harness = openPageHarness({ publicUrl: 'https://example.com/gate' });
    Object.assign(harness.upstreams['corp'] ?? {}, { responseMode: 'form_post' });
    const page = await harness.newVisitor().post('/gate/callback/corp', { code: 'a', state: 'b' }, FROM_THERE);
    expect(page.location).toBe('/gate/callback/corp?code=a&state=b');
  });
});

describe('a form is for nobody', () => {
  it('at an upstream that answers by address, or that is not there', async () => {
    const { state, post } = await away();
    for (const path of ['/callback/labs', '/callback/nobody', '/callback/constructor']) {
      expect(await post({ code: 'abc', state }, path)).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    }
  });

  it('and other methods are told where there is one', async () => {
    await away();
    for (const [path, allow] of [
      ['/callback/corp', 'GET, POST'],
      ['/callback/labs', 'GET'],
    ] as const) {
      for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS']) {
        expect(await harness.newVisitor().ask(method, path)).toMatchObject({ status: 405, headers: { allow } });
      }
    }
  });
});

import { describe, expect, it } from 'vitest';
import { callbackOf, handleCallback, openPageHarness, type PageHarness } from '../../support/browser/page-harness.ts';
import type { PageVisitor, VisitedPage } from '../../support/browser/page-visitor.ts';

const WRONG = /Check the code on your device. If it matches, it has expired or been used/;

describe('the code page', () => {
  it.each([
    ['small letters', (code: string) => code.toLowerCase()],
    ['no dash', (code: string) => code.replace('-', '')],
    ['another dash and spaces', (code: string) => ` ${code.replace('-', ' – ')} `],
    ['full width', (code: string) => code.replace(/[A-Z]/g, fullWidth)],
  ])('takes a code with %s', async (_, typedAs) => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: typedAs(userCode) });
    expect(way.address).toMatch('/device/sign-in?');
    expect(way.words).toContain(userCode);
  });

  it.each([
    ['a label before it', (code: string) => `Code: ${code}`],
    ['a sentence around it', (code: string) => `Your code is ${code.replace('-', ' ')}, good for ten minutes`],
    ['a label on a line of its own', (code: string) => `Login code\n${code.toLowerCase()}\n`],
  ])('takes a code that was pasted with %s', async (_, pastedAs) => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: pastedAs(userCode) });
    expect(way.words).toContain(userCode);
    const confirm = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
    expect(confirm.text).not.toContain('id="confirm_code"');
  });

  it('takes the code of a pasted address, and wants its end from the device as if the address had been opened', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const form = await visitor.open('/device');
    const pasted = `https://login.example.com/${'long-path/'.repeat(8)}device?lang=en&user_code=${userCode}#x`;
    expect(form.text).toContain('maxlength="512"');
    const way = await visitor.submit(form, { user_code: pasted });
    expect(way.words).toContain(userCode);
    const confirm = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
    expect(confirm.text).toContain('id="confirm_code"');
  });

  it('remembers a pasted address over a wrong try', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    harness.clients.set('kept', harness.clients.get('build-cli') as never);
    harness.clients.delete('build-cli');
    const address = `https://login.example.com/device?user_code=${userCode}`;
    const wrong = await visitor.submit(await visitor.open('/device'), { user_code: address });
    expect(wrong.status).toBe(400);
    harness.clients.set('build-cli', harness.clients.get('kept') as never);
    const way = await visitor.submit(wrong, { user_code: userCode });
    const confirm = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
    expect(confirm.text).toContain('id="confirm_code"');
  });

  it('speaks of digits where codes are digits', async () => {
    const userCodes = { alphabet: '0123456789', length: 9, group: 3 };
    const form = await openPageHarness({ userCodes }).newVisitor().open('/device');
    expect(form.words).toContain('Digits only, with or without the dash.');
    expect(form.words).not.toMatch(/letters/);
  });

  it.each(['us-ascii', 'windows-1252', 'ISO-8859-1', ''])(
    'takes a form whose program says charset=%s',
    async (charset) => {
      const harness = openPageHarness();
      const visitor = harness.newVisitor();
      const { userCode } = await harness.start();
      const { forms } = await visitor.open('/device');
      const type = { 'content-type': `application/x-www-form-urlencoded; charset=${charset}` };
      const way = await visitor.post('/device', { ...forms[0]?.fields, user_code: userCode }, type);
      expect(way).toMatchObject({ status: 303 });
    },
  );

  it('answers a wrong, an expired, a used and an impossible code alike, with what was typed', async () => {
    const harness = openPageHarness();
    const expired = await harness.start({ lifetimeSeconds: 60 });
    harness.advance(61_000);
    const used = await harness.start();
    const other = harness.newVisitor();
    await other.submit(await harness.signIn(other, used.userCode), { decision: 'deny' });

    const sessionsBefore = harness.storage.sessions.size;
    const answers = [];
    for (const typed of ['BBBB-BBBB', expired.userCode, used.userCode, '<b>&"', '']) {
      const visitor = harness.newVisitor();
      const answer = await visitor.submit(await visitor.open('/device'), { user_code: typed });
      expect(answer.status).toBe(400);
      expect(answer.words).toMatch(WRONG);
      expect(answer.forms[0]?.fields['user_code']).toBe(typed);
      expect(answer.text).not.toContain('<b>');
      expect(answer.text).toMatch(/role="alert"[^>]*>|id="user_code_problem" role="alert"/);
      expect(answer.text).toContain('aria-invalid="true"');
      expect(visitor.cookies.size).toBe(1);
      answers.push(answer.text.replace(/value="[^"]*"/g, ''));
    }
    expect(new Set(answers).size).toBe(1);
    expect(harness.storage.sessions.size).toBe(sessionsBefore);
  });

  it('only fills in a code from the address, and has the person act', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const form = await visitor.open(`/device?user_code=${userCode.toLowerCase()}`);
    expect(form.status).toBe(200);
    expect(form.forms[0]?.fields['user_code']).toBe(userCode);
    expect(form.words).toMatch(/Is this the code that your device shows/);
    expect(harness.storage.sessions.size).toBe(0);
    expect(harness.events).toEqual([]);
  });

  it('shows markup and endless text in the address as text, cut', async () => {
    const visitor = openPageHarness().newVisitor();
    const form = await visitor.open(`/device?user_code=${encodeURIComponent('"><script>alert(1)</script>')}`);
    expect(form.text).not.toContain('<script>');
    expect((await visitor.open(`/device?user_code=${'A'.repeat(5000)}`)).forms[0]?.fields['user_code']).toHaveLength(
      64,
    );
    expect((await visitor.open('/device?user_code=A&user_code=B')).forms[0]?.fields['user_code']).toBe('');
  });

  it('lets the address of a closed client’s grant open nothing', async () => {
    const harness = openPageHarness();
    const { userCode } = await harness.start();
    harness.clients.delete('build-cli');
    const visitor = harness.newVisitor();
    expect(await visitor.submit(await visitor.open('/device'), { user_code: userCode })).toMatchObject({ status: 400 });
  });

  it('says before the sign-in that little time is left, and does not go on by itself then', async () => {
    const harness = openPageHarness();
    const { userCode } = await harness.start();
    harness.advance(8.5 * 60_000);
    const visitor = harness.newVisitor();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: userCode });
    expect(way.words).toMatch(/less than two minutes/);
    expect(way.text).not.toContain('http-equiv');
    expect(way.links).toHaveLength(1);
  });

  it('lets the person choose where several upstreams are possible', async () => {
    const harness = openPageHarness({ client: { upstreams: ['corp', 'labs'] } });
    const { userCode } = await harness.start();
    const visitor = harness.newVisitor();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: userCode });
    expect(way.links.map(({ text }) => text)).toEqual(['Continue to Example Corp', 'Continue to Example Labs']);
    expect(way.text).not.toContain('http-equiv');
    expect((await visitor.get(way.links[1]?.href ?? '')).location).toMatch('https://labs.example/');
  });

  it('leads from the origin’s root to the form', async () => {
    expect(await openPageHarness().newVisitor().open('/')).toMatchObject({ status: 200, address: '/device' });
  });
});

describe('too many wrong codes', () => {
  it('from one browser get 429, also for a right one, until time has passed', async () => {
    const harness = openPageHarness({ limits: { wrongCodesPerBrowser: 2 } });
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start({ lifetimeSeconds: 1800 });
    const form = await visitor.open('/device');
    for (const status of [400, 400, 429]) {
      expect(await visitor.submit(form, { user_code: 'BBBB-BBBB' })).toMatchObject({ status });
    }
    const refused = await visitor.submit(form, { user_code: userCode });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.heading).toBe('Too many wrong codes');
    expect(refused.words).toMatch(/Wait \d+ minutes?, until \d\d:\d\d UTC ?,/);
    // Nothing is offered that would be refused.
    expect(refused.text).not.toContain('class="button"');
    harness.advance(10 * 60_000);
    expect((await visitor.submit(form, { user_code: userCode })).status).toBe(200);
  });

  it('in all ask for a sign-in first, which approves nothing and carries the typed code along', async () => {
    const harness = openPageHarness({ limits: { wrongCodesTotal: 1, wrongCodesPerSubject: 1 } });
    const flood = harness.newVisitor();
    await flood.submit(await flood.open('/device'), { user_code: 'BBBB-BBBB' });

    const { userCode } = await harness.start();
    const visitor = harness.newVisitor();
    const first = await visitor.submit(await visitor.open('/device'), { user_code: userCode });
    expect(first.heading).toBe('Please sign in first');
    expect(harness.events.filter(({ name }) => name === 'limit.reached')).toHaveLength(1);
    const there = await visitor.get(first.links[0]?.href ?? '');
    const state = new URL(there.location ?? '').searchParams.get('state');
    const form = await visitor.open(`/callback/corp?code=abc&state=${state}`);
    expect(form.forms[0]?.fields['user_code']).toBe(userCode);
    expect(harness.upstreams['corp']?.revoked).toContain('upstream-access');
    const way = await visitor.submit(form, { user_code: userCode });
    expect(way.heading).toBe('Sign in to continue');

    const guesses = await visitor.submit(form, { user_code: 'CCCC-CCCC' });
    expect(guesses.status).toBe(400);
    expect(await visitor.submit(guesses, { user_code: 'DDDD-DDDD' })).toMatchObject({ status: 429 });
  });
});

describe('somebody who followed a link from another site', () => {
  const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', referer: 'https://evil.example/' };

  it('sees a stop page, loses the code in the address, and may go on', async () => {
    const harness = openPageHarness({ client: { safeguards: { arrival: 'warn' } } });
    const { userCode } = await harness.start();
    const visitor = harness.newVisitor();
    const stop = await visitor.get(`/device?user_code=${userCode}`, foreign);
    expect(stop.heading).toBe('A link brought you here');
    expect(stop.words).toContain('evil.example');
    expect(stop.text).not.toContain(userCode);
    const form = await visitor.open(stop.links[0]?.href ?? '');
    expect(form.forms[0]?.fields['user_code']).toBe('');
    const way = await visitor.submit(form, { user_code: userCode });
    const there = await visitor.get(way.links[0]?.href ?? '');
    const state = new URL(there.location ?? '').searchParams.get('state');
    const confirm = await visitor.open(`/callback/corp?code=abc&state=${state}`);
    expect(confirm.words).toMatch(/a link from another website/);
  });

  it('is remembered as such on the first visit too, and where languages can be chosen', async () => {
    const settings = { title: 'Example', languages: ['en', 'de'], theme: {} };
    const harness = openPageHarness({ client: { safeguards: { arrival: 'warn' } }, settings });
    const visitor = harness.newVisitor();
    const stop = await visitor.get('/device', foreign);
    expect(visitor.setCookies.filter((line) => line.includes('-form-'))).toHaveLength(1);
    const onward = stop.links[0]?.href ?? '';
    const confirm = await enter(harness, visitor, await visitor.open(onward));
    expect(confirm.words).toMatch(/a link from another website/);
    const other = harness.newVisitor();
    const withForeignPass = await enter(harness, other, await other.get(onward, { 'sec-fetch-site': 'same-origin' }));
    expect(withForeignPass.words).toMatch(/a link from another website/);
    const switched = harness.newVisitor();
    const form = await switched.open('/device');
    expect((await switched.submit(form, { lang: 'de' })).text).toContain('<html lang="de"');
  });

  it('is stopped again when our own pages lead back to the form, until an address is typed', async () => {
    const own = { 'sec-fetch-site': 'same-origin' };
    for (const arrival of ['warn', 'strict'] as const) {
      const settings = { title: 'Example', languages: ['en', 'de'], theme: {} };
      const harness = openPageHarness({ client: { safeguards: { arrival } }, settings });
      const visitor = harness.newVisitor();
      const stop = await visitor.get('/device', foreign);
      visitor.headers = own;
      const switched = await visitor.submit(stop, { lang: 'de' });
      expect(switched.heading).toBe('Ein Link hat Sie hierher geführt');
      expect(switched.links).toHaveLength(arrival === 'warn' ? 1 : 0);
      visitor.headers = { 'sec-fetch-site': 'none' };
      expect((await visitor.open('/device')).forms[0]?.fields).toHaveProperty('user_code');
      visitor.headers = own;
      expect((await visitor.open('/device')).forms[0]?.fields).toHaveProperty('user_code');
    }
  });

  it('has no way on where every client is strict', async () => {
    const harness = openPageHarness({ client: { safeguards: { arrival: 'strict' } } });
    const stop = await harness.newVisitor().get('/device', foreign);
    expect(stop.links).toEqual([]);
  });

  it('cannot enter the code of a strict client, where others let him pass', async () => {
    const harness = openPageHarness({ client: { safeguards: { arrival: 'strict' } } });
    const lax = harness.clients.get('build-cli') as never as object;
    harness.clients.set('lax', { ...lax, id: 'lax', safeguards: { arrival: 'warn' } } as never);
    const { userCode } = await harness.start();
    const visitor = harness.newVisitor();
    const form = await visitor.open((await visitor.get('/device', foreign)).links[0]?.href ?? '');
    const refused = await visitor.submit(form, { user_code: userCode });
    expect(refused).toMatchObject({ status: 403, heading: 'Please begin at your device' });
  });

  it('cannot pass the stop page by an address that somebody else made', async () => {
    const harness = openPageHarness({ client: { safeguards: { arrival: 'warn' } } });
    const made = (await harness.newVisitor().get('/device', foreign)).links[0]?.href ?? '';
    expect((await harness.newVisitor().get(made, foreign)).heading).toBe('A link brought you here');
  });
});

async function enter(harness: PageHarness, visitor: PageVisitor, form: VisitedPage): Promise<VisitedPage> {
  const { userCode } = await harness.start();
  return handleCallback(visitor, await visitor.submit(form, { user_code: userCode }));
}

function fullWidth(character: string): string {
  return String.fromCharCode(character.charCodeAt(0) + 0xfee0);
}

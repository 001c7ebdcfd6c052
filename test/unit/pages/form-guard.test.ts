import { describe, expect, it } from 'vitest';
import { viewGrant } from '../../../src/grants/view-grant.ts';
import { openPageHarness, type PageHarness } from '../../support/browser/page-harness.ts';
import type { PageVisitor, VisitedPage } from '../../support/browser/page-visitor.ts';

/** A page with a form that decides, and the fields that approve. */
async function atConfirm(
  harness: PageHarness,
): Promise<{ visitor: PageVisitor; fields: Record<string, string>; id: string }> {
  const visitor = harness.newVisitor();
  const { userCode, id } = await harness.start();
  const confirm = await harness.signIn(visitor, userCode);
  return { visitor, id, fields: { ...fieldsWith(confirm, 'approve'), decision: 'approve' } };
}

function fieldsWith(page: VisitedPage, decision: string): Record<string, string> {
  return page.forms.find(({ buttons }) => buttons.some(({ value }) => value === decision))?.fields ?? {};
}

const FOREIGN: [string, Record<string, string | undefined>][] = [
  ['from another origin', { origin: 'https://evil.example' }],
  ['from a subdomain', { origin: 'https://x.login.example.com' }],
  ['from http', { origin: 'http://login.example.com' }],
  ['from origin null', { origin: 'null' }],
  ['from origin null that calls itself same-origin', { origin: 'null', 'sec-fetch-site': 'same-origin' }],
  ['without any sign of its origin', { origin: undefined }],
  ['from the same site only', { origin: undefined, 'sec-fetch-site': 'same-site' }],
  ['from another site, Origin stripped', { origin: undefined, 'sec-fetch-site': 'cross-site' }],
  ['with a body in another form', { 'content-type': 'text/plain' }],
];

describe('a form that is sent', () => {
  it.each(FOREIGN)('%s changes nothing: 403', async (_, headers) => {
    const harness = openPageHarness();
    const { visitor, fields, id } = await atConfirm(harness);
    expect(await visitor.post('/device/confirm', fields, headers)).toMatchObject({ status: 403 });
    expect((await viewGrant(harness.deps.grants, id, ''))?.state).toBe('pending');

    const { userCode } = await harness.start();
    const form = await visitor.open('/device');
    const code = { ...form.forms[0]?.fields, user_code: userCode };
    expect(await visitor.post('/device', code, headers)).toMatchObject({ status: 403 });
  });

  it('without Origin counts where the browser says that it is our own', async () => {
    const harness = openPageHarness();
    const { visitor, fields } = await atConfirm(harness);
    const headers = { origin: undefined, 'sec-fetch-site': 'same-origin' };
    expect(await visitor.post('/device/confirm', fields, headers)).toMatchObject({ status: 303 });
  });

  it.each([
    ['no token', { token: '' }],
    ['another token', { token: 'x'.repeat(22) }],
    ['no ticket', { ticket: '' }],
    ['another ticket', { ticket: 'x.y.z' }],
    ['a warning that was not shown', { warned: 'open_elsewhere' }],
  ])('with %s changes nothing: 403', async (_, change) => {
    const harness = openPageHarness();
    const { visitor, fields, id } = await atConfirm(harness);
    expect(await visitor.post('/device/confirm', { ...fields, ...change })).toMatchObject({ status: 403 });
    expect((await viewGrant(harness.deps.grants, id, ''))?.state).toBe('pending');
  });

  it('from another browser changes nothing: 403, with its cookies or without', async () => {
    const harness = openPageHarness();
    const { fields, id } = await atConfirm(harness);
    const other = await atConfirm(harness);
    for (const visitor of [harness.newVisitor(), other.visitor]) {
      expect(await visitor.post('/device/confirm', fields)).toMatchObject({ status: 403 });
    }
    expect((await viewGrant(harness.deps.grants, id, ''))?.state).toBe('pending');
  });

  it('with the token of another tab’s grant changes neither', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const [left, right] = [await harness.start(), await harness.start()];
    const one = fieldsWith(await harness.signIn(visitor, left.userCode), 'approve');
    const two = fieldsWith(await harness.signIn(visitor, right.userCode), 'approve');
    const mixed = { ticket: one['ticket'] ?? '', warned: '', token: two['token'] ?? '', decision: 'approve' };
    expect(await visitor.post('/device/confirm', mixed)).toMatchObject({ status: 403 });
    for (const { id } of [left, right]) expect((await viewGrant(harness.deps.grants, id, ''))?.state).toBe('pending');

    expect(await visitor.post('/device/confirm', { ...one, decision: 'deny' })).toMatchObject({ status: 303 });
    expect((await viewGrant(harness.deps.grants, left.id, ''))?.state).toBe('denied');
    expect((await viewGrant(harness.deps.grants, right.id, ''))?.state).toBe('pending');
  });

  it('by a browser that keeps no cookies says so', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const form = await visitor.open('/device');
    visitor.cookies.clear();
    const answer = await visitor.post('/device', { ...form.forms[0]?.fields, user_code: 'BBBB-BBBB' });
    expect(answer).toMatchObject({ status: 403, heading: 'Your browser did not send a cookie' });
  });

  it('with the first form’s token of another visitor is refused', async () => {
    const harness = openPageHarness();
    const fields = (await harness.newVisitor().open('/device')).forms[0]?.fields ?? {};
    const visitor = harness.newVisitor();
    await visitor.open('/device');
    const { userCode } = await harness.start();
    expect(await visitor.post('/device', { ...fields, user_code: userCode })).toMatchObject({ status: 403 });
  });

  it.each([
    ['a field twice', 'decision=approve&decision=deny', 403],
    ['nested names', 'a[b][c]=1&__proto__=x&constructor=y', 403],
    ['a hundred fields', 'f=x&'.repeat(100), 413],
    ['more than 8 KiB', `user_code=${'A'.repeat(9000)}`, 413],
    ['a broken escape', 'user_code=%E0%A4%A', 403],
  ])('with %s is refused as bad, not as ours', async (_, body, status) => {
    const visitor = openPageHarness().newVisitor();
    expect(await visitor.postRaw('/device', body)).toMatchObject({ status });
  });
});

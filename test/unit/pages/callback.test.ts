import { describe, expect, it } from 'vitest';
import { setMark } from '../../../src/grants/revocation-marks.ts';
import { viewGrant } from '../../../src/grants/view-grant.ts';
import { UpstreamError, type UpstreamFault } from '../../../src/upstream/upstream.ts';
import {
  callbackOf,
  openPageHarness,
  type PageHarness,
  type PageHarnessOptions,
  registeredClient,
  SOURCE,
} from '../../support/browser/page-harness.ts';

/** A visitor who was sent to the upstream, with the address that would bring them back. */
async function away(options: PageHarnessOptions = {}) {
  const harness = openPageHarness(options);
  const visitor = harness.newVisitor();
  const { userCode, id } = await harness.start();
  const way = await visitor.submit(await visitor.open('/device'), { user_code: userCode });
  const there = await visitor.get(way.links[0]?.href ?? '');
  const back = (answer?: string) => callbackOf(there, answer);
  return { harness, visitor, id, userCode, there, back };
}

async function stateOf(harness: PageHarness, id: string) {
  return (await viewGrant(harness.deps.grants, id, ''))?.state;
}

const corpOf = (harness: PageHarness) => harness.upstreams['corp'] as NonNullable<(typeof harness.upstreams)['corp']>;

describe('back from the upstream', () => {
  it('in another browser: the trip is not spent, and the code still works there', async () => {
    const { harness, visitor, back, userCode } = await away();
    const other = harness.newVisitor();
    const lost = await other.get(back());
    expect(lost.status).toBe(400);
    expect(lost.words).toMatch(/open the page here and type the code again; it still works/i);
    expect((await harness.signIn(other, userCode)).status).toBe(200);
    expect((await other.get(back())).words).toMatch(/it still works/);
    expect((await visitor.open(back())).status).toBe(200);
  });

  it('a second time, by reload or by going back: on to where the first one led', async () => {
    const { harness, visitor, back } = await away();
    const confirm = await visitor.open(back());
    const again = await visitor.open(back());
    expect(again).toMatchObject({ status: 200, heading: confirm.heading });
    expect((await visitor.submit(again, { decision: 'approve' })).heading).toBe('Approved');
    expect(await visitor.open(back())).toMatchObject({ status: 200, heading: 'Approved' });
    expect(harness.events.filter(({ name }) => name === 'sign_in.finished')).toHaveLength(1);
  });

  it('four times at once, in one browser that loads pages in advance: each leads on, and nothing counts twice', async () => {
    const { harness, visitor, back, id } = await away();
    const corp = corpOf(harness);
    let asked = 0;
    let answer: () => void = () => {};
    const isAnswered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    corp.finishSignIn = async () => {
      asked += 1;
      await isAnswered;
      return corp.signedIn;
    };
    const all = Promise.all([1, 2, 3, 4].map(() => visitor.get(back())));
    await expect.poll(() => asked).toBe(1);
    answer();
    const pages = await all;
    for (const page of pages) {
      expect(page).toMatchObject({ status: 303, location: expect.stringMatching(/^\/device\/confirm\?ticket=/) });
    }
    expect(asked).toBe(1);
    // Whichever answer the browser looked at last is the one whose session it has.
    const confirm = await visitor.get(pages[2]?.location ?? '');
    expect(confirm.heading).toBe('Let this device act as you?');
    expect((await visitor.submit(confirm, { decision: 'approve' })).heading).toBe('Approved');
    expect(await stateOf(harness, id)).toBe('approved');
    expect(harness.events.filter(({ name }) => name === 'sign_in.finished')).toHaveLength(1);
  });

  it('twice at once, to look at one’s devices: both lead there', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const ways = await visitor.open('/sessions');
    const there = await visitor.get(ways.links[0]?.href ?? '');
    const pages = await Promise.all([1, 2].map(() => visitor.get(callbackOf(there))));
    expect(pages.map(({ status, location }) => `${status} ${location}`)).toEqual(['303 /sessions', '303 /sessions']);
    expect((await visitor.open('/sessions')).heading).toBe('Your devices');
    expect(harness.events.filter(({ name }) => name === 'sign_in.finished')).toHaveLength(1);
  });

  it('a second time with another code: a page that says so, for whoever brings it', async () => {
    const { harness, visitor, back } = await away();
    await visitor.open(back('code=abc'));
    expect(await visitor.open(back('code=other'))).toMatchObject({
      status: 400,
      heading: 'This sign-in was already used',
    });
    expect(await harness.newVisitor().open(back('code=abc'))).toMatchObject({ status: 400 });
  });

  it('by HEAD is 405 and burns nothing', async () => {
    const { visitor, back } = await away();
    expect(await visitor.head(back())).toMatchObject({ status: 405, headers: { allow: 'GET' } });
    expect((await visitor.open(back())).status).toBe(200);
  });

  it.each([
    ['no state', '/callback/corp?code=abc'],
    ['no answer', '/callback/corp?state=abc'],
    ['an unknown state', '/callback/corp?code=abc&state=abc'],
    ['a state twice', '/callback/corp?code=abc&state=a&state=b'],
  ])('with %s is 400', async (_, address) => {
    const { visitor } = await away();
    expect(await visitor.get(address)).toMatchObject({ status: 400 });
  });

  it('without an answer spends nothing', async () => {
    const { visitor, back } = await away();
    expect(await visitor.get(back('session_state=x'))).toMatchObject({ status: 400, heading: 'That did not work' });
    expect((await visitor.open(back())).status).toBe(200);
  });

  it('at an upstream that is not there is 404', async () => {
    const { visitor } = await away();
    expect(await visitor.get('/callback/nobody?code=abc&state=abc')).toMatchObject({ status: 404 });
  });

  it('with the issuer of another upstream is 400 and takes nothing from the right one', async () => {
    const { visitor, back } = await away();
    expect(await visitor.get(`${back()}&iss=https%3A%2F%2Flabs.example`)).toMatchObject({ status: 400 });
    expect(await visitor.open(`${back()}&iss=https%3A%2F%2Fcorp.example`)).toMatchObject({ status: 200 });
  });

  it('at the path of another upstream is 400', async () => {
    const { visitor, back } = await away({ client: { upstreams: ['corp', 'labs'] } });
    const mixed = back().replace('/callback/corp', '/callback/labs');
    expect(await visitor.get(mixed)).toMatchObject({ status: 400, heading: 'That did not work' });
  });

  const FAULTS: [UpstreamFault, number, RegExp][] = [
    ['not_signed_in', 401, /did not sign you in/],
    ['too_weak', 403, /not as strongly/],
    ['invalid_answer', 502, /could not be checked/],
    ['client_rejected', 502, /does not accept this service/],
    ['sign_in_refused', 403, /refused this sign-in for your account/],
    ['clock_differs', 502, /clocks of Example Corp and of this service are too far apart/],
    ['unavailable', 503, /does not answer/],
  ];

  it.each(FAULTS)('with %s: %i in our own words, and the grant stays pending', async (fault, status, words) => {
    const { harness, visitor, back, id } = await away();
    corpOf(harness).failure = { at: 'answer', error: new UpstreamError(fault, 'the words of the upstream') };
    const problem = await visitor.open(back('error=server_error&error_description=the+words+of+the+upstream'));
    expect(problem.status).toBe(status);
    expect(problem.words).toMatch(words);
    expect(problem.words).toMatch(/Example Corp/);
    expect(problem.words).toMatch(/Try again/);
    expect(problem.words).toContain('reference123');
    expect(problem.text).not.toMatch(/words of the upstream|server_error/);
    expect(await stateOf(harness, id)).toBe('pending');
    expect(harness.events).toContainEqual({
      name: 'sign_in.failed',
      fields: expect.objectContaining({ fault, detail: 'the words of the upstream', requestId: 'reference123' }),
    });

    corpOf(harness).failure = undefined;
    const there = await visitor.get(problem.links[0]?.href ?? '');
    expect(await visitor.open(callbackOf(there))).toMatchObject({
      status: 200,
      heading: 'Let this device act as you?',
    });
  });

  it('"try again" after another account was wished for still asks for one', async () => {
    const { harness, visitor, back } = await away();
    const confirm = await visitor.open(back());
    const way = await visitor.submit(confirm, { decision: 'other_account' });
    const there = await visitor.get(way.links[0]?.href ?? '');
    corpOf(harness).failure = { at: 'answer', error: new UpstreamError('not_signed_in', 'no') };
    const problem = await visitor.open(callbackOf(there));
    corpOf(harness).failure = undefined;
    await visitor.get(problem.links[0]?.href ?? '');
    expect(corpOf(harness).trips.map(({ prompt }) => prompt)).toEqual([undefined, 'select_account', 'select_account']);
  });

  it.each(FAULTS)('but on the way there with %s: %i and "try again"', async (fault, status) => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: userCode });
    corpOf(harness).failure = { at: 'address', error: new UpstreamError(fault, 'no') };
    const problem = await visitor.get(way.links[0]?.href ?? '');
    expect(problem.status).toBe(status);
    corpOf(harness).failure = undefined;
    expect((await visitor.open(problem.links[0]?.href ?? '')).heading).toBe('Sign in to continue');
  });

  it('with access_denied denies the grant, says so, and the log knows that nobody signed in', async () => {
    const { harness, visitor, back, id } = await away();
    corpOf(harness).failure = { at: 'answer', error: new UpstreamError('access_denied', 'cancelled') };
    const done = await visitor.open(back('error=access_denied'));
    expect(done).toMatchObject({ status: 200, heading: 'Denied' });
    expect(done.words).toMatch(/refused or cancelled at Example Corp/);
    expect(await stateOf(harness, id)).toBe('denied');
    expect(harness.events).toContainEqual({
      name: 'grant.denied',
      fields: expect.objectContaining({ by: 'upstream', reason: 'unauthenticated' }),
    });
    expect(harness.events.find(({ name }) => name === 'grant.denied')?.fields).not.toHaveProperty('subject');
  });

  it('with an error of ours is 500 without a word of it, and the grant stays pending', async () => {
    const { harness, visitor, back, id } = await away();
    corpOf(harness).failure = { at: 'answer', error: new TypeError('undefined is not a secret') };
    const problem = await visitor.open(back());
    expect(problem.status).toBe(500);
    expect(problem.text).not.toMatch(/undefined is not|TypeError|node_modules/);
    expect(await stateOf(harness, id)).toBe('pending');
  });

  it('after the code ran out: signed in, nothing connected, tokens given back', async () => {
    const { harness, visitor, back } = await away();
    harness.advance(11 * 60_000);
    const late = await visitor.open(back());
    expect(late).toMatchObject({ status: 400, heading: 'The code has expired' });
    expect(late.words).toMatch(/You were signed in, but the code has expired. Nothing was connected/);
    expect(corpOf(harness).revoked).toEqual(['upstream-refresh', 'upstream-access']);
  });

  it('after another browser decided: who won is told, tokens given back', async () => {
    const { harness, visitor, back, userCode } = await away();
    const other = harness.newVisitor();
    await other.submit(await harness.signIn(other, userCode), { decision: 'deny' });
    corpOf(harness).revoked.length = 0;
    const late = await visitor.open(back());
    expect(late).toMatchObject({ status: 200, heading: 'Already denied' });
    expect(corpOf(harness).revoked).toEqual(['upstream-refresh', 'upstream-access']);
  });

  it('while the storage is away: 503 with Retry-After, and the same address works when it is back', async () => {
    const { harness, visitor, back } = await away();
    harness.storage.isAway = true;
    const problem = await visitor.open(back());
    expect(problem).toMatchObject({ status: 503, heading: 'Please try again in a moment' });
    expect(Number(problem.headers['retry-after'])).toBeGreaterThan(0);
    harness.storage.isAway = false;
    expect((await visitor.open(problem.links[0]?.href ?? '')).status).toBe(200);
  });
});

describe('an account that may not approve', () => {
  it('is told so with 403, keeps nothing, and may be changed by a fresh sign-in', async () => {
    const { harness, visitor, back, id } = await away({ client: { approvers: { groups: ['release'] } } });
    const refused = await visitor.open(back());
    expect(refused).toMatchObject({ status: 403, heading: 'This account can’t approve this' });
    expect(refused.words).toContain('alice@example.com');
    expect(refused.words).toMatch(/Use another account/);
    expect(corpOf(harness).revoked).toEqual(['upstream-refresh', 'upstream-access']);
    expect(await stateOf(harness, id)).toBe('pending');

    const approval = await visitor.submit(refused, { decision: 'approve' }).catch(() => undefined);
    expect(approval).toBeUndefined();
    const form = refused.forms[0];
    expect(await visitor.post(form?.action ?? '', { ...form?.fields, decision: 'approve' })).toMatchObject({
      status: 403,
    });
    expect(await stateOf(harness, id)).toBe('pending');

    const way = await visitor.submit(refused, { decision: 'other_account' });
    const corp = corpOf(harness);
    corp.signedIn = { ...corp.signedIn, subject: 'rita', email: 'rita@example.com', groups: ['release'] };
    const confirm = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
    expect(corp.trips.at(-1)?.prompt).toBe('login');
    expect(confirm.words).toContain('rita@example.com');
    expect((await visitor.submit(confirm, { decision: 'approve' })).heading).toBe('Approved');
  });

  it('may still deny', async () => {
    const { visitor, back, harness, id } = await away({ client: { approvers: { subjects: ['rita'] } } });
    await visitor.submit(await visitor.open(back()), { decision: 'deny' });
    expect(await stateOf(harness, id)).toBe('denied');
  });

  it.each([
    ['relay', 403],
    ['mint', 200],
  ] as const)('has given its tokens back, so that with %s a change of the policy gets: %i', async (tokens, status) => {
    const { harness, visitor, back } = await away({ client: { tokens, approvers: { subjects: ['rita'] } } });
    const refused = await visitor.open(back());
    harness.clients.set('build-cli', registeredClient({ tokens }));
    const confirm = await visitor.get(refused.address);
    expect(confirm.status).toBe(status);
    corpOf(harness).revoked.length = 0;
    await visitor.submit(confirm, { decision: 'deny' });
    expect(corpOf(harness).revoked).toEqual([]);
  });

  it.each([
    ['a logout at the upstream', { mark: 'logout_subject', upstream: 'corp', sub: 'alice' }],
    ['the kill switch', { mark: 'source', prefix: `${SOURCE}/32` }],
  ] as const)('was signed in before %s, and no longer counts', async (_, mark) => {
    const { harness, visitor, back, id } = await away();
    const confirm = await visitor.open(back());
    const { grants } = harness.deps;
    const nowMs = (await grants.ledger.now()) + 1;
    await setMark(grants, mark, nowMs, nowMs + 60_000);
    expect(await visitor.submit(confirm, { decision: 'approve' })).toMatchObject({ status: 403 });
    expect(await visitor.get(confirm.address)).toMatchObject({ status: 403 });
    expect(await stateOf(harness, id)).toBe('pending');
  });

  it('is not blamed for a claim that the upstream does not send', async () => {
    const { harness, visitor, back, id } = await away({ client: { approvers: { denyGroups: ['admins'] } } });
    const { groups: _, ...signedIn } = corpOf(harness).signedIn;
    corpOf(harness).signedIn = signedIn;
    const problem = await visitor.open(back());
    expect(problem).toMatchObject({ status: 502, heading: 'The sign-in is not set up correctly' });
    expect(problem.words).toMatch(/Try again/);
    expect(await stateOf(harness, id)).toBe('pending');
  });

  it('is judged by the claims that came, not by others', async () => {
    const { harness, visitor, back } = await away({ client: { approvers: { denyGroups: ['engineering'] } } });
    expect(await visitor.open(back())).toMatchObject({ status: 403 });
    expect(harness.events.find(({ name }) => name === 'account.refused')?.fields).toMatchObject({
      reason: 'deny_group',
    });
  });
});

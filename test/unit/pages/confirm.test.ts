import { describe, expect, it } from 'vitest';
import type { StartedGrant } from '../../../src/grants/start/start-grant.ts';
import { viewGrant } from '../../../src/grants/view-grant.ts';
import type { Approval } from '../../../src/ledger/approval.ts';
import { openApproval, openDecision } from '../../../src/ledger/decision.ts';
import { decisionEntry } from '../../../src/ledger/entry-keys.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { callbackOf, openPageHarness, type PageHarness } from '../../support/browser/page-harness.ts';
import type { PageVisitor } from '../../support/browser/page-visitor.ts';
import { sampleClient } from '../../support/samples/sample-client.ts';

async function stateOf(harness: PageHarness, { id }: StartedGrant) {
  return (await viewGrant(harness.deps.grants, id, ''))?.state;
}

async function approvalOf(harness: PageHarness, { id, deviceCode }: StartedGrant): Promise<Approval> {
  const { grants } = harness.deps;
  const view = await viewGrant(grants, id, '');
  const [stored = ''] = (await grants.ledger.read([decisionEntry(id)])).values;
  const decision = await openDecision(view?.grant as never, stored, grants.sealing);
  return openApproval(decision as never, deviceCode);
}

const corpOf = (harness: PageHarness) => harness.upstreams['corp'] as NonNullable<(typeof harness.upstreams)['corp']>;

/** By a code that came with the address. */
async function signInPrefilled(visitor: PageVisitor, { userCode }: StartedGrant) {
  const way = await visitor.submit(await visitor.open(`/device?user_code=${userCode}`), { user_code: userCode });
  return visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
}

/** A page without the script that tells its times. */
const withoutTimes = (text: string) => text.replace(/<script src="[^"]*\/times-[0-9a-f]{12}\.js" defer><\/script>/, '');

/** As a reload would, for this client. */
function reload(harness: PageHarness, changes: object): void {
  Object.assign(harness.clients.get('build-cli') as object, changes);
}

const PACKAGES = 'https://packages.example.com';
const BILLING = 'urn:example:billing';

describe('what the token is for', () => {
  it.each([
    ['what was asked for', [BILLING, PACKAGES], 'For use at urn:example:billing https://packages.example.com'],
    ['the client’s first, where nothing was asked for', [], 'For use at https://packages.example.com It receives'],
  ])('is shown: %s', async (_, resources, words) => {
    const harness = openPageHarness({ client: { resources: [PACKAGES, BILLING] } });
    const started = await harness.start({ resources });
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, started.userCode);
    expect(confirm.words).toContain(words);
    expect((await visitor.submit(confirm, { decision: 'approve' })).heading).toBe('Approved');
    expect((await approvalOf(harness, started)).resources).toEqual(resources.length > 0 ? resources : [PACKAGES]);
  });

  it('is not shown where the client has none, nor where the upstream’s token is relayed', async () => {
    for (const client of [{}, { tokens: 'relay' as const, resources: [PACKAGES] }]) {
      const harness = openPageHarness({ client });
      const confirm = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
      expect(confirm.words).not.toContain('For use at');
    }
  });

  it('is approved as it was read: another default since then is shown first', async () => {
    const harness = openPageHarness({ client: { resources: [PACKAGES] } });
    const started = await harness.start();
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, started.userCode);
    reload(harness, { resources: [BILLING, PACKAGES] });
    const again = await visitor.submit(confirm, { decision: 'approve' });
    expect(again.heading).toBe('Let this device act as you?');
    expect(again.words).toContain('For use at urn:example:billing');
    expect(await stateOf(harness, started)).toBe('pending');
    await visitor.submit(again, { decision: 'approve' });
    expect((await approvalOf(harness, started)).resources).toEqual([BILLING]);
  });

  it('cannot be changed in the form', async () => {
    const harness = openPageHarness({ client: { resources: [PACKAGES] } });
    const started = await harness.start();
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, started.userCode);
    for (const resources of ['', BILLING, `${PACKAGES} ${BILLING}`]) {
      const forged = await visitor.submit(confirm, { decision: 'approve', resources });
      expect(forged).toMatchObject({ status: 403, heading: 'Please send the form again' });
    }
    expect(await stateOf(harness, started)).toBe('pending');
  });

  it('is nothing any more where the client may not have it: the device starts again', async () => {
    const harness = openPageHarness({ client: { resources: [PACKAGES, BILLING] } });
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, (await harness.start({ resources: [BILLING] })).userCode);
    reload(harness, { resources: [PACKAGES] });
    const refused = await visitor.submit(confirm, { decision: 'approve' });
    expect(refused).toMatchObject({ status: 403, heading: 'Please start again' });
  });
});

describe('what a reload asks for besides', () => {
  const strict = { ...openPageHarness().clients.get('build-cli')?.safeguards };

  it.each([
    ['pkce', { require: ['pkce'] }],
    ['dpop', { require: ['dpop'] }],
    ['another network for devices', { safeguards: { ...strict, initiateFrom: ['192.0.2.0/24'] } }],
    ['digits that the device cannot send', { safeguards: { ...strict, reverseCode: 'required' } }],
  ])('of the device (%s) is asked for at the approval, and nobody signs in for nothing', async (_, changes) => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const way = await visitor.submit(await visitor.open('/device'), { user_code: (await harness.start()).userCode });
    const confirm = await harness.signIn(visitor, started.userCode);
    reload(harness, changes);
    for (const page of [
      await visitor.submit(confirm, { decision: 'approve' }),
      await visitor.open(confirm.address),
      await visitor.open(way.address),
      await visitor.get(way.links[0]?.href ?? ''),
    ]) {
      expect(page).toMatchObject({ status: 403, heading: 'Please start again' });
    }
    expect(await stateOf(harness, started)).toBe('pending');
    expect((await visitor.submit(confirm, { decision: 'deny' })).heading).toBe('Denied');
  });

  it.each([
    ['an acr', { acr: ['gold'] }],
    ['an amr', { amr: ['hwk'] }],
    ['a recent sign-in', { maxAgeSeconds: 60 }],
    ['a new sign-in', { prompt: 'login' }],
  ])('of the person (%s) is asked for at the approval, which can be met by another sign-in', async (_, safeguards) => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const corp = corpOf(harness);
    corp.signedIn = { ...corp.signedIn, authTimeSeconds: Math.floor(Date.now() / 1000) - 3600, amr: ['pwd'] };
    const started = await harness.start();
    const confirm = await harness.signIn(visitor, started.userCode);
    reload(harness, { safeguards: { ...strict, ...safeguards } });
    const refused = await visitor.submit(confirm, { decision: 'approve' });
    expect(refused).toMatchObject({ status: 403, heading: 'A stronger sign-in is needed' });
    expect(await stateOf(harness, started)).toBe('pending');

    corp.signedIn = { ...corp.signedIn, authTimeSeconds: Math.floor(Date.now() / 1000), acr: 'gold', amr: ['hwk'] };
    const again = await visitor.open(callbackOf(await visitor.get(refused.links[0]?.href ?? '')));
    expect((await visitor.submit(again, { decision: 'approve' })).heading).toBe('Approved');
  });

  it('a sign-in that was recent enough when the person came grows old before an open page', async () => {
    const harness = openPageHarness({ client: { safeguards: { maxAgeSeconds: 60 } } });
    const visitor = harness.newVisitor();
    corpOf(harness).signedIn = { ...corpOf(harness).signedIn, authTimeSeconds: Math.floor(Date.now() / 1000) };
    const confirm = await harness.signIn(visitor, (await harness.start()).userCode);
    harness.advance(115_000);
    expect((await visitor.open(confirm.address)).status).toBe(200);
    harness.advance(10_000);
    const refused = await visitor.submit(confirm, { decision: 'approve' });
    expect(refused).toMatchObject({ status: 403, heading: 'A stronger sign-in is needed' });
  });
});

describe('the confirm page', () => {
  it('has Deny first and as large as Approve, and nothing that answers by itself', async () => {
    const harness = openPageHarness();
    const confirm = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(confirm.text.indexOf('value="deny"')).toBeLessThan(confirm.text.indexOf('value="approve"'));
    expect(withoutTimes(confirm.text)).not.toMatch(/<script|http-equiv="refresh"|checked/);
    expect(confirm.words).toMatch(/If someone gave you this code, even IT support, choose Deny/);
    expect(confirm.words).toMatch(/Is the device showing this code in front of you, and did you start this yourself\?/);
    expect(confirm.words).not.toMatch(/verify your account/i);
    expect(confirm.words).toMatch(/Not you\?/);
    expect(confirm.words).toMatch(/Access lasts Until you disconnect it, 90 days at most/);
  });

  it('warns in one box, with a count, a list and one live region; Deny stands out then, and reporting is a button', async () => {
    const harness = openPageHarness({ client: { safeguards: { sameNetwork: 'warn' } } });
    const started = await harness.start({ source: '198.51.100.9' });
    const one = await harness.signIn(harness.newVisitor(), started.userCode);
    expect(one.words).toMatch(
      /1 reason to be careful This request .* different network\. That is normal with mobile data; otherwise choose Deny\./,
    );
    const two = await harness.signIn(harness.newVisitor(), started.userCode);
    expect(two.words).toMatch(
      /2 reasons to be careful This request .* network\. This code is also open .* browser\. Choose Deny unless you are certain\. Code/,
    );
    for (const { text } of [one, two]) {
      expect(text.match(/role="alert"/g)).toHaveLength(1);
      expect(text).toMatch(/<button form="deny" class="danger filled" name="decision" value="deny">/);
      expect(text).toMatch(/<button form="deny" class="danger" name="decision" value="report">/);
    }
    expect(two.text.match(/<div class="warning" role="alert">[\s\S]*?<\/div>/)?.[0].match(/<li>/g)).toHaveLength(2);
  });

  it('has equal answers, and no live region, while there is nothing to warn of', async () => {
    const harness = openPageHarness();
    const { text } = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(text).not.toMatch(/role="alert"|class="danger/);
    expect(text).toContain('<button form="deny" name="decision" value="deny">Deny</button>');
    expect(text).toContain('<button name="decision" value="approve">Approve</button>');
  });

  it('repeats nothing of the title, and names the application once', async () => {
    const harness = openPageHarness();
    const { words } = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(words.match(/Build CLI/g)).toHaveLength(1);
    expect(words.match(/act as you/g)).toHaveLength(1);
  });

  it.each([
    [4, undefined],
    [5, '1 more'],
    [15, '11 more'],
  ])('folds %i scopes after the fourth, and says how many follow: %s', async (count, summary) => {
    const allowed = Array.from({ length: count }, (_, n) => `packages:${n}`);
    const harness = openPageHarness({ client: { scopes: { allowed, default: [] } } });
    const { userCode } = await harness.start({ scopes: allowed });
    const { text } = await harness.signIn(harness.newVisitor(), userCode);
    expect(/<summary>(.*)<\/summary>/.exec(text)?.[1]).toBe(summary);
    const [open = ''] = text.split('<details>');
    expect(allowed.filter((scope) => open.includes(`>${scope}<`))).toEqual(allowed.slice(0, 4));
    for (const scope of allowed) expect(text.split(`>${scope}<`)).toHaveLength(2);
  });

  it.each([
    ['de', 'Pakete schreiben'],
    ['de-AT', 'Pakete schreiben'],
    ['fr', 'Write packages'],
  ])('describes a scope in the language %s as the administrator wrote it: %s', async (language, words) => {
    const scopeDescriptions = { 'packages:write': { en: 'Write packages', de: 'Pakete schreiben' } };
    const harness = openPageHarness({
      settings: { languages: ['en', 'de', 'fr'] },
      client: { scopes: { allowed: ['packages:write'], default: [] } },
      deps: { scopeDescriptions },
    });
    const visitor = harness.newVisitor();
    visitor.headers = { 'accept-language': language };
    const { text } = await harness.signIn(visitor, (await harness.start({ scopes: ['packages:write'] })).userCode);
    expect(text).toMatch(new RegExp(`<li>${words} <code dir="ltr" translate="no">packages:write</code></li>`));
  });

  it('says where a scope has no description, and shows its name in ink; names that every object has are no words', async () => {
    const allowed = ['packages:write', 'constructor', '__proto__', 'openid', 'groups'];
    const harness = openPageHarness({ client: { scopes: { allowed, default: [] } } });
    const { words, text } = await harness.signIn(
      harness.newVisitor(),
      (await harness.start({ scopes: allowed })).userCode,
    );
    for (const scope of allowed.slice(0, 3)) {
      expect(words).toContain(`${scope} no description`);
      expect(text).toContain(`<code class="ink" dir="ltr" translate="no">${scope}</code>`);
    }
    // A scope that is called as a claim that is told is said by the claim’s word, once.
    expect(words).toMatch(/1 more Groups It receives department Email address Requested/);
  });

  it('folds claims after the fourth too', async () => {
    const claims = ['groups', 'roles', 'department', 'email', 'locale', 'zoneinfo'];
    const harness = openPageHarness({ client: { claims: { idToken: claims, accessToken: [] } } });
    const { words } = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(words).toMatch(/It receives Groups Roles department Email address 2 more Language Time zone Requested/);
  });

  it('says what the device learns of the person, which no scope need name (I5)', async () => {
    const harness = openPageHarness();
    const confirm = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(confirm.words).toMatch(/It receives department Email address Groups Requested/);

    (harness.clients.get('build-cli') as never as { claims: object }).claims = { idToken: [], accessToken: ['roles'] };
    const other = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(other.words).toMatch(/It receives Roles Services that it uses receive Roles Requested/);

    (harness.clients.get('build-cli') as never as { claims: object }).claims = { idToken: [], accessToken: [] };
    const none = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(none.words).not.toContain('It receives');
  });

  it('says what the granted standard scopes bring, where the client’s claims are not written', async () => {
    const scopes = { allowed: ['openid', 'email', 'profile', 'packages:read'], default: ['openid'] };
    const harness = openPageHarness({ client: { scopes, claims: { idToken: [], accessToken: [], standard: true } } });
    const corp = corpOf(harness);
    corp.signedIn = { ...corp.signedIn, claims: { ...corp.signedIn.claims, locale: 'nb', nickname: '' } };
    const shown = async (asked: string[]) =>
      (await harness.signIn(harness.newVisitor(), (await harness.start({ scopes: asked })).userCode)).words;
    // A scope that is a claim too is said once.
    expect(await shown(['openid', 'email'])).toMatch(/Know it is you See your email address Requested/);
    expect(await shown(['openid', 'email', 'profile'])).toMatch(/It receives Name Language Requested/);
    expect(await shown(['openid', 'packages:read'])).not.toContain('It receives');
    // Without openid there is neither an ID token nor userinfo.
    expect(await shown(['email'])).not.toContain('It receives');
  });

  it('says how long the device may act, which nobody can be asked about without a refresh token of the upstream', async () => {
    const harness = openPageHarness();
    const { refreshToken: _, ...tokens } = corpOf(harness).signedIn.tokens;
    corpOf(harness).signedIn = { ...corpOf(harness).signedIn, tokens };
    const confirm = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(confirm.words).toMatch(/Until you disconnect it, 12 hours at most/);

    const shorter = openPageHarness({
      client: { lifetimes: { ...sampleClient().lifetimes, refreshAbsoluteSeconds: 86_400 } },
    });
    const day = await shorter.signIn(shorter.newVisitor(), (await shorter.start()).userCode);
    expect(day.words).toMatch(/Until you disconnect it, 1 day at most/);

    const relayed = openPageHarness({ client: { tokens: 'relay' } });
    corpOf(relayed).signedIn = { ...corpOf(relayed).signedIn, tokens };
    const once = await relayed.signIn(relayed.newVisitor(), (await relayed.start()).userCode);
    expect(once.words).toMatch(/Access lasts 10 minutes/);
  });

  it('says where the request came from in words, with the bare address', async () => {
    const harness = openPageHarness({
      networks: [{ id: 'oslo', name: 'Oslo office', cidrs: ['198.51.100.0/24'], factor: 1 }],
    });
    const places: [string, RegExp][] = [
      ['203.0.113.7', /203\.0\.113\.7 not your network/],
      ['192.0.2.99', /192\.0\.2\.99 your network/],
      ['10.1.2.3', /10\.1\.2\.3 a private address/],
      ['198.51.100.4', /198\.51\.100\.4 Oslo office/],
      ['2001:db8::1', /2001:db8::1 not your network/],
    ];
    for (const [source, words] of places) {
      const confirm = await harness.signIn(harness.newVisitor(), (await harness.start({ source })).userCode);
      expect(confirm.words).toMatch(words);
    }
  });

  it('shows what the device calls itself in quotes, as unchecked, and as text', async () => {
    const harness = openPageHarness();
    const { userCode } = await harness.start({ deviceLabel: '<img src=x onerror=alert(1)> "build-07"' });
    const confirm = await harness.signIn(harness.newVisitor(), userCode);
    expect(confirm.text).toMatch(/<q><bdi translate="no">&lt;img/);
    expect(confirm.words).toMatch(/build-07" Not verified/);
  });

  it('can be reloaded, and survives a failed answer', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const confirm = await harness.signIn(visitor, started.userCode);
    const fields = confirm.forms[0]?.fields;
    expect(await visitor.post('/device/confirm', { ...fields, decision: 'perhaps' })).toMatchObject({ status: 400 });
    expect(await visitor.post('/device/confirm', { ...fields })).toMatchObject({ status: 400 });
    expect(await visitor.post('/device/confirm', { decision: 'approve' })).toMatchObject({ status: 403 });
    expect(await stateOf(harness, started)).toBe('pending');
    const reloaded = await visitor.get(confirm.address);
    expect(reloaded.status).toBe(200);
    expect((await visitor.submit(reloaded, { decision: 'approve' })).heading).toBe('Approved');
  });

  it('without its browser session is 400 and says what to do', async () => {
    const harness = openPageHarness();
    const confirm = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    for (const address of [confirm.address, '/device/confirm', '/device/done', '/device/sign-in']) {
      const page = await harness.newVisitor().get(address);
      expect(page).toMatchObject({ status: 400, heading: 'This sign-in is not open here' });
      expect(page.words).toMatch(/open the page here and type the code again/);
    }
  });

  it('of a decided grant leads to what was decided', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, (await harness.start()).userCode);
    await visitor.submit(confirm, { decision: 'approve' });
    expect(await visitor.open(confirm.address)).toMatchObject({ status: 200, heading: 'Approved' });
  });

  it('of a code that ran out says so, and approves nothing any more', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const confirm = await harness.signIn(visitor, started.userCode);
    harness.advance(601_000);
    const late = await visitor.submit(confirm, { decision: 'approve' });
    expect(late).toMatchObject({ status: 400, heading: 'The code has expired' });
    expect(late.words).toMatch(/You were signed in/);
    expect(await stateOf(harness, started)).toBe('expired');
  });

  it('warns of a second browser when it is shown, and when that came after it was shown', async () => {
    const harness = openPageHarness();
    const [mine, other] = [harness.newVisitor(), harness.newVisitor()];
    const started = await harness.start();
    const confirm = await harness.signIn(mine, started.userCode);
    expect(confirm.words).not.toMatch(/another browser/);
    const second = await harness.signIn(other, started.userCode);
    expect(second.words).toMatch(/also open in another browser/);
    expect(harness.events.map(({ name }) => name)).toContain('grant.opened_again');

    const warned = await mine.submit(confirm, { decision: 'approve' });
    expect(warned).toMatchObject({ status: 200, heading: 'Let this device act as you?' });
    expect(warned.words).toMatch(/also open in another browser/);
    expect(await stateOf(harness, started)).toBe('pending');
    expect((await mine.submit(warned, { decision: 'approve' })).heading).toBe('Approved');
    const told = await other.submit(second, { decision: 'approve' });
    expect(told).toMatchObject({ status: 200, heading: 'Already approved' });
    expect((await approvalOf(harness, started)).subject).toBe('alice');
  });

  it('denies at once, even when another browser was warned of meanwhile', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const confirm = await harness.signIn(visitor, started.userCode);
    await harness.signIn(harness.newVisitor(), started.userCode);
    expect((await visitor.submit(confirm, { decision: 'deny' })).heading).toBe('Denied');
  });

  it('takes the same answer twice, as a double click sends it', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const confirm = await harness.signIn(visitor, started.userCode);
    const form = confirm.forms.find(({ buttons }) => buttons.some(({ value }) => value === 'approve'));
    const fields = { ...form?.fields, decision: 'approve' };
    const both = await Promise.all([visitor.post('/device/confirm', fields), visitor.post('/device/confirm', fields)]);
    for (const { status } of both) expect(status).toBe(303);
    expect(await stateOf(harness, started)).toBe('approved');
    expect(corpOf(harness).revoked).toEqual([]);
  });

  it('reports as it denies: the log has it and the source is slowed down', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const done = await visitor.submit(await harness.signIn(visitor, started.userCode), { decision: 'report' });
    expect(done).toMatchObject({ status: 200, heading: 'Denied and reported' });
    expect(harness.events.find(({ name }) => name === 'grant.denied')?.fields).toMatchObject({ reason: 'report' });
    const { ledger } = harness.deps.grants;
    expect((await ledger.marks(['slowed:203.0.113.7/32']))[0]).toBeGreaterThan(await ledger.now());
  });

  it('lets the person be somebody else: the upstream is asked to offer a choice', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, (await harness.start()).userCode);
    const way = await visitor.submit(confirm, { decision: 'other_account' });
    corpOf(harness).signedIn = { ...corpOf(harness).signedIn, subject: 'bob', email: 'bob@example.com' };
    const second = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
    expect(corpOf(harness).trips.at(-1)?.prompt).toBe('select_account');
    expect(second.words).toContain('bob@example.com');
    const token = confirm.forms[0]?.fields['token'] ?? '';
    const mixed = { ...second.forms[0]?.fields, token, decision: 'approve' };
    expect(await visitor.post('/device/confirm', mixed)).toMatchObject({ status: 403 });
  });

  it('says so where the upstream cannot be asked for another account, and where to sign out there', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const confirm = await harness.signIn(visitor, (await harness.start()).userCode);
    corpOf(harness).choice = { isAskedFor: false, signOutAt: 'https://corp.example/logout?client_id=gatehouse' };
    const way = await visitor.submit(confirm, { decision: 'other_account' });
    expect(way.words).toMatch(/Example Corp does not let us ask for another account.*sign out first/);
    expect(way.text).not.toContain('http-equiv="refresh"');
    expect(way.links.map(({ href }) => href)).toEqual([
      'https://corp.example/logout?client_id=gatehouse',
      expect.stringMatching(/^\/device\/sign-in\?/),
    ]);
    corpOf(harness).choice = { isAskedFor: false };
    const bare = await visitor.submit(confirm, { decision: 'other_account' });
    expect(bare.words).toMatch(/does not let us ask/);
    expect(bare.links).toHaveLength(1);
  });

  it('does not ask the upstream about it where nobody wants another account', async () => {
    const harness = openPageHarness();
    corpOf(harness).otherAccount = () => Promise.reject(new Error('nobody asked'));
    const visitor = harness.newVisitor();
    expect((await harness.signIn(visitor, (await harness.start()).userCode)).status).toBe(200);
  });

  it('never weakens the sign-in that a client requires', async () => {
    const harness = openPageHarness({
      client: { safeguards: { prompt: 'login', maxAgeSeconds: 60, acr: ['strong'] } },
    });
    const visitor = harness.newVisitor();
    const seconds = Math.floor(Date.now() / 1000);
    corpOf(harness).signedIn = { ...corpOf(harness).signedIn, authTimeSeconds: seconds, acr: 'strong' };
    const confirm = await harness.signIn(visitor, (await harness.start()).userCode);
    const way = await visitor.submit(confirm, { decision: 'other_account' });
    await visitor.get(way.links[0]?.href ?? '');
    for (const trip of corpOf(harness).trips) {
      expect(trip).toMatchObject({ prompt: 'login', maxAgeSeconds: 60, acrValues: ['strong'] });
    }
  });

  it('is not reached with a sign-in that is weaker than the client requires', async () => {
    const harness = openPageHarness({ client: { safeguards: { acr: ['strong'] } } });
    const page = await harness.signIn(harness.newVisitor(), (await harness.start()).userCode);
    expect(page).toMatchObject({ status: 403, heading: 'A stronger sign-in is needed' });
    expect(corpOf(harness).revoked).toHaveLength(2);
  });

  it('limits how many devices one person lets in within an hour', async () => {
    const harness = openPageHarness({ limits: { approvalsPerSubject: 1 } });
    const visitor = harness.newVisitor();
    await visitor.submit(await harness.signIn(visitor, (await harness.start()).userCode), { decision: 'approve' });
    const second = await harness.start();
    const refused = await visitor.submit(await harness.signIn(visitor, second.userCode), { decision: 'approve' });
    expect(refused.status).toBe(429);
    const when = /Wait (\d+) minutes?, until (\d\d):(\d\d) UTC , then start again/.exec(refused.words) ?? [];
    const [count, hour, minute] = when.slice(1).map(Number);
    const seconds = Number(refused.headers['retry-after']);
    expect(count).toBe(Math.ceil(seconds / 60));
    const until = new Date(Date.now() + seconds * 1000);
    const late = Number(hour) * 60 + Number(minute) - until.getUTCHours() * 60 - until.getUTCMinutes();
    expect([0, 1]).toContain((late + 1440) % 1440);
    expect(await stateOf(harness, second)).toBe('pending');
  });
});

describe('a code that came prefilled', () => {
  it('must be typed in part as the device shows it, and the page does not show that part', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const [head = '', tail = ''] = started.userCode.split('-');
    const confirm = await signInPrefilled(visitor, started);
    expect(confirm.words).toContain(`${head}-••••`);
    expect(confirm.text).not.toContain(tail);
    expect(confirm.words).toContain('Type the last 4 characters');

    for (const typed of ['', 'BBBB', `${tail.slice(0, 3)}`]) {
      const wrong = await visitor.submit(confirm, { decision: 'approve', confirm_code: typed });
      expect(wrong.status).toBe(400);
      expect(wrong.words).toMatch(/not what the device shows/);
      expect(wrong.text).not.toContain(tail);
    }
    expect(await stateOf(harness, started)).toBe('pending');
    const typed = { decision: 'approve', confirm_code: ` ${tail.toLowerCase()} ` };
    expect((await visitor.submit(confirm, typed)).heading).toBe('Approved');
  });

  it('is a try of ten where it is typed wrong; then the page says when to come again, and denying still works', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const [, tail = ''] = started.userCode.split('-');
    const confirm = await signInPrefilled(visitor, started);
    for (let n = 0; n < 10; n += 1) {
      expect((await visitor.submit(confirm, { decision: 'approve', confirm_code: 'BBBB' })).status).toBe(400);
    }
    const refused = await visitor.submit(confirm, { decision: 'approve', confirm_code: tail });
    expect([refused.status, refused.heading]).toEqual([429, 'Too many wrong codes']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(await stateOf(harness, started)).toBe('pending');
    expect((await visitor.submit(confirm, { decision: 'deny' })).heading).toBe('Denied');
  });

  it('need not be typed to be denied', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const confirm = await signInPrefilled(visitor, await harness.start());
    expect((await visitor.submit(confirm, { decision: 'deny' })).heading).toBe('Denied');
  });

  it.each([
    ['compare', undefined],
    ['type_suffix', 'the last 4 characters of the code'],
    ['type_all', 'the whole code'],
  ] as const)('with %s wants %s', async (complete, wanted) => {
    const harness = openPageHarness({ client: { safeguards: { complete } } });
    const confirm = await signInPrefilled(harness.newVisitor(), await harness.start());
    expect(/Type (.*?) that the device shows/.exec(confirm.words)?.[1]).toBe(wanted);
  });

  it.each(['type_suffix', 'type_all'] as const)('with %s runs the one script that groups it', async (complete) => {
    const harness = openPageHarness({ client: { safeguards: { complete } } });
    const confirm = await signInPrefilled(harness.newVisitor(), await harness.start());
    const [, script = ''] = /<script src="([^"]+)" defer>/.exec(confirm.text) ?? [];
    expect(script).toMatch(/^\/device\/code-[0-9a-f]{12}\.js$/);
    const policy = confirm.headers['content-security-policy']?.split(/[; ]/);
    expect(policy).toContain(`https://login.example.com${script}`);
    expect(confirm.text).toMatch(/id="confirm_code"[^>]*data-group="4"/);
  });

  it('and was replaced by another one counts as typed', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const way = await visitor.submit(await visitor.open('/device?user_code=BBBB-BBBB'), { user_code: userCode });
    const confirm = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
    expect(confirm.text).not.toContain('confirm_code');
    expect(confirm.words).toContain(userCode);
  });

  it('stays prefilled over a wrong try and over another account', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const { userCode } = await harness.start();
    const form = await visitor.open(`/device?user_code=${userCode}`);
    const wrong = await visitor.submit(form, { user_code: 'BBBB-BBBB' });
    const way = await visitor.submit(wrong, { user_code: userCode });
    const confirm = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
    const other = await visitor.submit(confirm, { decision: 'other_account' });
    const again = await visitor.open(callbackOf(await visitor.get(other.links[0]?.href ?? '')));
    for (const page of [confirm, again]) expect(page.text).toContain('id="confirm_code"');
  });
});

describe('what is approved', () => {
  it('is what was shown: of relay all that the upstream granted, more than was asked for too', async () => {
    const harness = openPageHarness({ client: { tokens: 'relay' } });
    const visitor = harness.newVisitor();
    const corp = corpOf(harness);
    corp.signedIn = { ...corp.signedIn, tokens: { ...corp.signedIn.tokens, scopes: ['openid', 'everything'] } };
    const started = await harness.start();
    const confirm = await harness.signIn(visitor, started.userCode);
    expect(corp.trips[0]?.scopes).toEqual(['openid', 'packages:read']);
    expect(confirm.text).not.toContain('packages:read');
    expect(confirm.text).toContain('everything');
    await visitor.submit(confirm, { decision: 'approve' });
    expect(await approvalOf(harness, started)).toMatchObject({
      scopes: ['openid'],
      upstreamTokens: { accessToken: 'upstream-access', refreshToken: 'upstream-refresh', tokenType: 'Bearer' },
    });
  });

  it.each([
    [false, undefined],
    [true, 'upstream-id-token'],
  ])('with relay_id_token: %s keeps the upstream’s ID token: %s', async (relayIdToken, idToken) => {
    const harness = openPageHarness({ client: { tokens: 'relay', relayIdToken } });
    const visitor = harness.newVisitor();
    const corp = corpOf(harness);
    const tokens = { ...corp.signedIn.tokens, idToken: new Secret('upstream-id-token') };
    corp.signedIn = { ...corp.signedIn, tokens };
    const started = await harness.start();
    await visitor.submit(await harness.signIn(visitor, started.userCode), { decision: 'approve' });
    expect((await approvalOf(harness, started)).upstreamTokens?.idToken).toBe(idToken);
  });

  it('is less when the configuration allows less by then', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const confirm = await harness.signIn(visitor, started.userCode);
    const client = harness.clients.get('build-cli') as never as { scopes: object };
    client.scopes = { allowed: ['openid'], default: ['openid'] };
    await visitor.submit(confirm, { decision: 'approve' });
    expect((await approvalOf(harness, started)).scopes).toEqual(['openid']);
  });

  it.each([
    ['never', 'never'],
    ['only with offline_access, which was not asked', 'offline_access'],
  ] as const)('has no upstream token where the client gets refresh tokens %s', async (_, refreshTokens) => {
    const harness = openPageHarness({ client: { refreshTokens } });
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const confirm = await harness.signIn(visitor, started.userCode);
    expect(confirm.words).toMatch(/Access lasts 10 minutes/);
    await visitor.submit(confirm, { decision: 'approve' });
    expect((await approvalOf(harness, started)).upstreamTokens).toBeUndefined();
  });

  it('waits for the client’s hold', async () => {
    const harness = openPageHarness({ client: { safeguards: { holdSeconds: 5 } } });
    const visitor = harness.newVisitor();
    const started = await harness.start();
    await visitor.submit(await harness.signIn(visitor, started.userCode), { decision: 'approve' });
    const { approvedAtMs, heldUntilMs } = await approvalOf(harness, started);
    expect((heldUntilMs ?? 0) - approvedAtMs).toBe(5000);
  });
});

describe('the page after it', () => {
  it('shows the digits that the device must be told, and nobody else', async () => {
    const harness = openPageHarness({ client: { safeguards: { reverseCode: 'supported' } } });
    const visitor = harness.newVisitor();
    const started = await harness.start({ confirmation: 'supported' });
    const done = await visitor.submit(await harness.signIn(visitor, started.userCode), { decision: 'approve' });
    const { confirmationCode = '' } = await approvalOf(harness, started);
    expect(confirmationCode).toMatch(/^\d{4}$/);
    expect(done.words).toContain(confirmationCode);
    expect(done.words).toMatch(/Never tell anyone/);
    expect((await visitor.get(done.address)).words).toContain(confirmationCode);
  });

  it('takes an approval back, within its time, by its own form only', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const done = await visitor.submit(await harness.signIn(visitor, started.userCode), { decision: 'approve' });
    const form = done.forms.find(({ action }) => action === '/device/undo');
    expect(await visitor.post('/device/undo', { ...form?.fields, token: 'x' })).toMatchObject({ status: 403 });
    expect(await harness.newVisitor().post('/device/undo', form?.fields ?? {})).toMatchObject({ status: 403 });
    expect(await stateOf(harness, started)).toBe('approved');
    const undone = await visitor.follow(await visitor.post('/device/undo', form?.fields ?? {}));
    expect(undone).toMatchObject({ status: 200, heading: 'Not connected' });
    expect(await stateOf(harness, started)).toBe('ended');
    expect(harness.events.map(({ name }) => name)).toContain('grant.undone');
  });

  it('offers that no longer when its time is over', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const done = await visitor.submit(await harness.signIn(visitor, started.userCode), { decision: 'approve' });
    harness.advance(61_000);
    const form = done.forms.find(({ action }) => action === '/device/undo');
    await visitor.post('/device/undo', form?.fields ?? {});
    expect(await stateOf(harness, started)).toBe('approved');
    expect((await visitor.get(done.address)).forms).toEqual([]);
  });

  it('says that it is connected once the device has its tokens', async () => {
    const harness = openPageHarness();
    const visitor = harness.newVisitor();
    const started = await harness.start();
    const done = await visitor.submit(await harness.signIn(visitor, started.userCode), { decision: 'approve' });
    const key = `{${started.id}}:spent`;
    await harness.deps.grants.ledger.commit({
      attempt: 'a',
      writes: [{ key, value: 'a|1', expiresAtMs: Date.now() + 60_000 }],
    });
    expect((await visitor.get(done.address)).heading).toBe('Connected');
  });
});

import assert from 'node:assert/strict';
import { CookieJar } from '../../demo/cookie-jar.ts';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import type { TestBroker } from '../support/broker/test-broker.ts';
import {
  type AtConfirm,
  decideOn,
  type Exhibit,
  formWith,
  heard,
  postByHand,
  ROBOT,
  SECOND,
  started,
  toConfirm,
} from './exhibit.ts';

/** A browser whose cookies a test can see, and lend to somebody else. */
function openBrowser() {
  const jar = new CookieJar();
  const addresses: URL[] = [];
  const watched: typeof fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    addresses.push(url);
    const response = await fetch(url, init);
    jar.store(url, response);
    return response;
  };
  return { jar, addresses, person: new ScriptedPerson({ fetch: watched }) };
}

async function pending(test: TestBroker) {
  const device = test.device();
  const grant = await started(device);
  const isPending = async (): Promise<void> => {
    await test.advance(6 * SECOND);
    assert.equal(heard(await device.poll(grant.deviceCode)), 'authorization_pending');
  };
  return { device, isPending, ...grant };
}

async function enterWrongCodes(test: TestBroker, person: ScriptedPerson, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) {
    const page = await person.visit(`${test.origin}/device`);
    const form = page.forms.find(({ fields }) => fields.has('user_code'));
    statuses.push(form === undefined ? page.status : (await person.submit(page, form, { user_code: WRONG })).status);
  }
  return statuses;
}

const WRONG = 'BBBBBBBB';
const FEW_TRIES = { limits: { wrong_codes_per_source: 3 } };

/** At the people door: code entry, the way to the upstream and back, the decision. */
export const PAGE_EXHIBITS: readonly Exhibit[] = [
  {
    peer: 'Keycloak',
    source: 'GH#51275, open',
    did: 'does not limit the entry of user codes',
    rule: 'the fourth wrong code of a source is refused where three are allowed, from another browser too',
    yaml: FEW_TRIES,
    async prove(test) {
      assert.deepEqual(await enterWrongCodes(test, new ScriptedPerson(), 3), [400, 400, 400]);
      assert.equal((await enterWrongCodes(test, new ScriptedPerson(), 1))[0], 429);
    },
  },
  {
    peer: 'Abblix',
    source: 'GH#165',
    did: 'forgot all failures at the first right code',
    rule: 'a right code between wrong ones resets nothing',
    yaml: FEW_TRIES,
    async prove(test) {
      const { userCode } = await pending(test);
      await enterWrongCodes(test, new ScriptedPerson(), 2);
      assert.equal((await toConfirm(test, userCode)).page.status, 200);
      assert.deepEqual(await enterWrongCodes(test, new ScriptedPerson(), 2), [400, 429]);
    },
  },
  {
    peer: 'Abblix',
    source: 'GH#483',
    did: 'did not count expired codes as failures',
    rule: 'an expired or used code counts as a wrong one, and reads the same',
    yaml: FEW_TRIES,
    async prove(test) {
      const { userCode } = await pending(test);
      await test.advance(11 * 60 * SECOND);
      const pages: string[] = [];
      for (const code of [userCode, userCode, userCode, userCode]) {
        const { page } = await toConfirm(test, code);
        pages.push(`${page.status} ${page.heading}`);
      }
      const [person, form] = [new ScriptedPerson(), `${test.origin}/device`];
      assert.match(pages.join(), /^400.*400.*400.*429/);
      assert.equal((await person.visit(form)).status < 500, true);
    },
  },
  {
    peer: 'better-auth, django-oauth-toolkit',
    source: 'GHSA-cq3f-vc6p-68fh, GHSA-cfrv-vfcq-245m',
    did: 'let anybody who was signed in decide somebody else’s code, since nobody owned it yet',
    rule: 'a decision needs the browser session, the sign-in and the page of this grant, all three',
    async prove(test) {
      const { userCode, isPending } = await pending(test);
      const other = await pending(test);
      const victim = await toConfirm(test, userCode);
      const attacker = openBrowser();
      await toConfirm(test, other.userCode, attacker.person);
      const cookie = attacker.jar.header(new URL(test.origin));
      assert.equal((await postByHand(victim, { decision: 'approve' }, { cookie })).status, 403);
      assert.equal((await postByHand(victim, { decision: 'approve' })).status, 403);
      await isPending();
    },
  },
  {
    peer: 'malloyyo, idenplane',
    source: 'malloyyo GH#171, idenplane GH#454',
    did: 'had no CSRF protection but SameSite on the decision; the user code is known to the attacker',
    rule: 'a decision from another site, or without the page’s own token, is refused and changes nothing',
    async prove(test) {
      const { userCode, isPending } = await pending(test);
      const browser = openBrowser();
      const at = await toConfirm(test, userCode, browser.person);
      const cookie = browser.jar.header(new URL(test.origin));
      const send = async (fields: Record<string, string>, headers: Record<string, string>) =>
        (await postByHand(at, { decision: 'approve', ...fields }, { cookie, ...headers })).status;
      assert.equal(await send({}, { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }), 403);
      assert.equal(await send({}, { origin: 'null' }), 403);
      assert.equal(await send({ token: '' }, {}), 403);
      assert.equal(await send({ token: 'x'.repeat(22) }, {}), 403);
      await isPending();
      assert.equal((await decideOn(at, 'approve')).status, 200);
    },
  },
  {
    peer: 'nebi',
    source: 'GH#448',
    did: 'completed the flow on a GET, by a cookie that was there',
    rule: 'no GET decides, whatever it carries',
    async prove(test) {
      const { userCode, isPending } = await pending(test);
      const { person, page } = await toConfirm(test, userCode);
      const fields = Object.fromEntries(formWith(page, 'decision').fields);
      for (const path of ['/device', '/device/confirm', '/device/done', '/device/sign-in', '/device/undo']) {
        const query = new URLSearchParams({ ...fields, user_code: userCode, decision: 'approve' });
        await person.visit(`${test.origin}${path}?${query.toString()}`);
      }
      await isPending();
    },
  },
  {
    peer: 'oxide.rs, kin',
    source: 'oxide.rs GH#1016; kin `verify_code`',
    did: 'signed in and connected the device as soon as a link with the code was opened',
    rule: 'a code that came with the link is only filled in; sign-in and decision are still asked for',
    async prove(test) {
      const { userCode, isPending, body } = await pending(test);
      const person = new ScriptedPerson();
      const form = await person.visit(String(body['verification_uri_complete']));
      assert.equal(formWith(form, 'user_code').fields.get('user_code')?.replace('-', ''), userCode.replace('-', ''));
      assert.equal(test.upstream.requestsTo('/authorize').length, 0);
      const confirm = await person.submit(form, formWith(form, 'user_code'));
      assert(formWith(confirm, 'decision'));
      await isPending();
    },
  },
  {
    peer: 'casdoor',
    source: 'GH#5661',
    did: 'lost on the way over the upstream what the person had come for, and ended on another page',
    rule: 'after the sign-in the person stands before the decision, also by way of a third site',
    async prove(test) {
      const { userCode } = await pending(test);
      test.upstream.behaviour = { authorize: { overThirdOrigin: true } };
      const { page } = await toConfirm(test, userCode);
      assert.equal(page.url.pathname, '/device/confirm');
      assert(page.html.includes('Build CLI'));
    },
  },
  {
    peer: 'Keycloak',
    source: 'CVE-2026-7507, CVE-2024-7341',
    did: 'kept a session id that somebody else had planted, through the sign-in',
    rule: 'the session changes at code entry, at the callback and at the decision; an id from outside is never taken over',
    async prove(test) {
      const { userCode } = await pending(test);
      const { jar, person } = openBrowser();
      const url = new URL(test.origin);
      const sessionId = () => /gatehouse-(?!form)[\w-]+=([^;]+)/.exec(jar.header(url))?.[1];
      const planted = await toConfirm(test, (await pending(test)).userCode, person);
      const before = sessionId();
      assert(before !== undefined && planted.page.status === 200);
      const at = await toConfirm(test, userCode, person);
      const atConfirm = sessionId();
      await decideOn(at, 'approve');
      assert.equal(new Set([before, atConfirm, sessionId()]).size, 3);
    },
  },
  {
    peer: 'Dex, agent-portal, Zitadel',
    source: 'CVE-2022-39222, agent-portal GH#849, CVE-2025-46815',
    did: 'accepted the way back from the upstream in a browser that had not set out',
    rule: 'an answer of the upstream counts once, in the browser that set out',
    async prove(test) {
      const { userCode, isPending } = await pending(test);
      const startSignIn = openBrowser();
      await toConfirm(test, userCode, startSignIn.person);
      const back = startSignIn.addresses.find(({ pathname }) => pathname === '/callback/corp');
      assert(back);
      // The same answer again, in the browser that set out: the page it led to, and the upstream is not asked again.
      const exchanges = test.upstream.requestsTo('/token').length;
      const repeated = await startSignIn.person.visit(back);
      assert.equal(repeated.status, 200);
      formWith(repeated, 'decision');
      assert.equal(test.upstream.requestsTo('/token').length, exchanges);
      // The same answer in another browser.
      assert.equal((await openBrowser().person.visit(back)).status, 400);
      // A fresh answer, carried to another browser before it was used.
      const stopped = openBrowser();
      let carried: URL | undefined;
      const halted: typeof fetch = async (input, init) => {
        const url = new URL(input instanceof Request ? input.url : input);
        if (url.pathname !== '/callback/corp') {
          const response = await fetch(url, init);
          stopped.jar.store(url, response);
          return response;
        }
        carried = url;
        return new Response('<h1>stopped</h1>');
      };
      const second = new ScriptedPerson({ fetch: halted });
      const form = await second.visit(`${test.origin}/device`);
      await second.submit(form, formWith(form, 'user_code'), { user_code: userCode });
      assert(carried);
      assert.equal((await openBrowser().person.visit(carried)).status, 400);
      await isPending();
    },
  },
  {
    peer: 'Dex',
    source: 'GH#4928',
    did: 'exchanged a code that was made for another client, and put its client secret into an address',
    rule: 'each trip has PKCE and a nonce, a code of another trip fails, and no secret is in an address',
    async prove(test) {
      const { userCode, isPending } = await pending(test);
      const { addresses, person } = openBrowser();
      await toConfirm(test, userCode, person);
      const [asked] = test.upstream.requestsTo('/authorize');
      assert.equal(asked?.query.get('code_challenge_method'), 'S256');
      assert(asked?.query.get('nonce'));
      for (const { href } of addresses) assert(!href.includes(test.upstream.clientSecret));

      test.upstream.behaviour = { authorize: { code: 'a-code-of-another-client' } };
      const { page } = await toConfirm(test, userCode);
      assert(page.status >= 400 && page.status !== 500);
      await isPending();
    },
  },
  {
    peer: 'Dex, kin (PHP)',
    source: 'Dex GH#2468; kin `views/device.php`, `error.php`',
    did: 'printed what a caller or an upstream sent as markup',
    rule: 'markup from outside is shown as text, or not at all',
    async prove(test) {
      const markup = '"><img src=x onerror=alert(1)>';
      const person = new ScriptedPerson();
      const pages = [
        await person.visit(`${test.origin}/device?user_code=${encodeURIComponent(markup)}`),
        await person.visit(
          `${test.origin}/callback/corp?error=${encodeURIComponent(markup)}&state=${encodeURIComponent(markup)}`,
        ),
        (await toConfirm(test, markup)).page,
      ];
      const { userCode } = await started(test.device(), { device_label: markup });
      test.upstream.person = { ...test.upstream.person, name: markup, email: markup };
      pages.push((await toConfirm(test, userCode)).page);
      test.upstream.behaviour = { authorize: { error: 'server_error', description: markup } };
      pages.push((await toConfirm(test, userCode)).page);
      for (const { html } of pages) assert.doesNotMatch(html, /<img src=x/);
    },
  },
  {
    peer: 'kin (Go)',
    source: '`verifycode.go`',
    did: 'went on after writing “unknown code”, and crashed',
    rule: 'an unknown code is the form again, with one message',
    async prove(test) {
      const { page } = await toConfirm(test, WRONG);
      assert.equal(page.status, 400);
      assert(formWith(page, 'user_code'));
    },
  },
  {
    peer: 'node-oidc-provider',
    source: '`code_verification.js`, `grant_common.js`',
    did: 'read “in flight” and “consumed”, and saved them afterwards: two confirmations at once both counted',
    rule: 'of two people who decide at once one is heard, and the other reads what was decided',
    async prove(test) {
      const { device, deviceCode, userCode } = await pending(test);
      const [one, other] = [await toConfirm(test, userCode), await toConfirm(test, userCode)];
      const pages = await Promise.all([decideOn(one, 'approve'), decideOn(other, 'deny')]);
      const [approved, denied] = test.lines.filter(({ event }) => /^grant\.(approved|denied)$/.test(event));
      assert(approved !== undefined && denied === undefined);
      const heardThere = heard(await device.poll(deviceCode));
      assert.equal(heardThere, approved.event === 'grant.approved' ? 200 : 'access_denied');
      for (const { status } of pages) assert.equal(status, 200);
    },
  },
  {
    peer: 'artifact-keeper',
    source: 'GH#3549',
    did: 'let an API token walk the flow, and come out with more rights than it had',
    rule: 'a bearer token is nobody at the people door',
    yaml: ROBOT,
    async prove(test) {
      const { access_token } = await test.signIn();
      const { userCode, isPending } = await pending(test);
      const at: AtConfirm = await toConfirm(test, userCode);
      const headers = { authorization: `Bearer ${access_token}` };
      assert.equal((await postByHand(at, { decision: 'approve' }, headers)).status, 403);
      await isPending();
    },
  },
];

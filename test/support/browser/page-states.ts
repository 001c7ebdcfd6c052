import type { Page } from 'playwright-core';
import { type DeviceSession, sealSession } from '../../../src/device-sessions/device-session.ts';
import { endSession } from '../../../src/device-sessions/end-session.ts';
import { sessionEntry, subjectIndex } from '../../../src/ledger/entry-keys.ts';
import { UpstreamError, type UpstreamFault } from '../../../src/upstream/upstream.ts';
import { answer, enterCode, goToConfirm, type ServedBroker } from '../broker/served-broker.ts';
import type { PageHarness, PageHarnessOptions, ScriptedUpstream } from './page-harness.ts';

/** One thing that a person may see, and how somebody with a browser gets there. */
export interface PageState {
  /** Also the name of its picture. */
  name: string;
  says: string;
  harness?: PageHarnessOptions;
  reach(page: Page, served: ServedBroker): Promise<unknown>;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const corpOf = ({ harness }: ServedBroker) => harness.upstreams['corp'] as ScriptedUpstream;

function failsWith(fault: UpstreamFault, at: 'answer' | 'address' = 'answer'): PageState['reach'] {
  return async (page, served) => {
    corpOf(served).failure = { at, error: new UpstreamError(fault, 'the words of the upstream') };
    await enterCode(page, served, (await served.harness.start()).userCode);
    await page.waitForURL(at === 'answer' ? /\/(callback|device\/done)/ : /upstream=corp/);
  };
}

/** Another browser, as far as the grant can tell. */
async function elsewhere({ harness }: ServedBroker, userCode: string, decision?: string): Promise<void> {
  const visitor = harness.newVisitor();
  const confirm = await harness.signIn(visitor, userCode);
  if (decision !== undefined) await visitor.submit(confirm, { decision });
}

async function decided(
  page: Page,
  served: ServedBroker,
  decision: string,
  start?: Parameters<PageHarness['start']>[0],
) {
  await goToConfirm(page, served, { ...(start !== undefined && { start }) });
  await answer(page, decision);
  await page.waitForURL(/\/device\/done\?/);
}

async function followLink(page: Page, { foreignLink, origin }: ServedBroker, path: string): Promise<void> {
  await page.goto(foreignLink(`${origin}${path}`));
  await page.click('a');
  await page.waitForURL(`${origin}/**`);
}

/** A device that acts for the person who signs in. */
export async function keepSession(harness: PageHarness, changes: Partial<DeviceSession> = {}): Promise<DeviceSession> {
  const { ledger, sealing, randomBytes } = harness.deps.grants;
  const nowMs = await ledger.now();
  const session: DeviceSession = {
    id: randomBytes(16).toString('base64url'),
    clientId: 'build-cli',
    upstream: 'corp',
    subject: 'alice',
    account: 'alice@example.com',
    scopes: ['openid', 'packages:read'],
    resources: [],
    source: '203.0.113.7',
    signedInAtMs: nowMs,
    startedAtMs: nowMs - 3 * DAY_MS,
    endsAtMs: nowMs + 87 * DAY_MS,
    keyName: sealing.firstKeyName,
    ...changes,
  };
  const { id, endsAtMs } = session;
  const value = await sealSession('a', session, sealing);
  await ledger.commit({ attempt: 'a', writes: [{ key: sessionEntry(id), value, expiresAtMs: endsAtMs }] });
  const tag = sealing.tag('subject', JSON.stringify([session.upstream, session.subject]));
  await ledger.enlist(subjectIndex(tag), id, endsAtMs);
  return session;
}

async function showSessions(page: Page, { origin }: ServedBroker): Promise<void> {
  await page.goto(`${origin}/sessions`);
  await page.click('main a[href*="upstream="]');
  await page.waitForSelector('main a[href*="upstream="]', { state: 'detached' });
}

async function showMany(page: Page, served: ServedBroker): Promise<void> {
  const { harness } = served;
  const nowMs = await harness.deps.grants.ledger.now();
  const long = 'Continuous integration of the packaging department, build 07';
  for (let n = 0; n < 12; n += 1) {
    const label = n === 3 ? long : `build-${String(n).padStart(2, '0')}`;
    const startedAtMs = nowMs - (n + 1) * DAY_MS;
    await keepSession(harness, { startedAtMs, ...(n % 2 === 1 && { deviceLabel: label }) });
  }
  for (let n = 0; n < 3; n += 1) {
    const ended = await keepSession(harness, { deviceLabel: `old-${n}`, startedAtMs: nowMs - 30 * DAY_MS });
    await endSession(harness.deps.grants, ended, 'my_devices');
  }
  await showSessions(page, served);
}

const BRANDED: PageHarnessOptions = {
  settings: {
    title: 'Example Corp sign-in',
    logo: `data:image/svg+xml;base64,${Buffer.from(
      '<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><circle cx="32" cy="32" r="30" fill="#b3261e"/><path d="M20 34l9 9 16-20" fill="none" stroke="#fff" stroke-width="6"/></svg>',
    ).toString('base64')}`,
    support: 'Questions? Call the help desk: 1234.',
    supportLinks: [
      { href: 'https://help.example.com', text: 'help.example.com' },
      { href: 'mailto:it@example.com', text: 'it@example.com' },
    ],
    footer: 'Example Corp, Oslo',
    theme: { accent: '#b3261e', background: '#2b2350' },
  },
};

const ENTER: PageState[] = [
  { name: 'enter-code', says: 'The code form', reach: (page, { origin }) => page.goto(`${origin}/device`) },
  {
    name: 'enter-code-branded',
    says: 'The code form with title, logo, colours, support line and footer of an administrator',
    harness: BRANDED,
    reach: (page, { origin }) => page.goto(`${origin}/device`),
  },
  {
    name: 'enter-code-prefilled',
    says: 'The code came with the address',
    reach: (page, { origin }) => page.goto(`${origin}/device?user_code=WDJB-MJHT`),
  },
  {
    name: 'enter-code-wrong',
    says: 'A wrong, an expired or a used code',
    reach: (page, served) => enterCode(page, served, 'WDJB-MJHT').then(() => page.waitForSelector('.error')),
  },
  {
    name: 'too-many-tries',
    says: 'Too many wrong codes',
    harness: { limits: { wrongCodesPerBrowser: 1 } },
    async reach(page, served) {
      await enterCode(page, served, 'WDJB-MJHT');
      await page.waitForSelector('.error');
      await enterCode(page, served, 'WDJB-MJHT');
      await page.waitForSelector('.reference');
    },
  },
  {
    name: 'stop',
    says: 'Somebody followed a link from another site',
    harness: { client: { safeguards: { arrival: 'warn' } } },
    reach: (page, served) => followLink(page, served, '/device?user_code=WDJB-MJHT'),
  },
  {
    name: 'stop-strict',
    says: 'The same where every client is strict: no way on',
    harness: { client: { safeguards: { arrival: 'strict' } } },
    reach: (page, served) => followLink(page, served, '/device?user_code=WDJB-MJHT'),
  },
];

const SIGN_IN: PageState[] = [
  {
    name: 'sign-in',
    says: 'On the way to the upstream (goes on by itself)',
    async reach(page, served) {
      // Keeps the page where it is: 204 ends a navigation without leaving.
      await page.route(/sign-in\?upstream=/, (route) => route.fulfill({ status: 204 }));
      await enterCode(page, served, (await served.harness.start()).userCode);
      await page.waitForURL(/\/device\/sign-in\?/);
    },
  },
  {
    name: 'sign-in-choose',
    says: 'The client has several upstreams',
    harness: { client: { upstreams: ['corp', 'labs'] } },
    async reach(page, served) {
      await enterCode(page, served, (await served.harness.start()).userCode);
      await page.waitForURL(/\/device\/sign-in\?/);
    },
  },
  {
    name: 'sign-in-running-out',
    says: 'The code has less than two minutes left',
    async reach(page, served) {
      const { userCode } = await served.harness.start();
      served.harness.advance(9 * MINUTE_MS);
      await enterCode(page, served, userCode);
      await page.waitForURL(/\/device\/sign-in\?/);
    },
  },
  {
    name: 'sign-in-first',
    says: 'Many wrong codes are being typed by many: sign in first',
    harness: { limits: { wrongCodesTotal: 1 } },
    async reach(page, served) {
      await enterCode(page, served, 'WDJB-MJHT');
      await page.waitForSelector('.error');
      await enterCode(page, served, (await served.harness.start()).userCode);
      await page.waitForURL(/\/device\/sign-in\?/);
    },
  },
];

const OFFICES = [{ id: 'oslo', name: 'Oslo office', cidrs: ['203.0.113.0/24'], factor: 20 }];

const THREE_SCOPES = ['openid', 'email', 'packages:read'];
const FIFTEEN_SCOPES = ['openid', ...Array.from({ length: 14 }, (_, n) => `packages:operation-${n + 1}`)];

const LONG_ADDRESS = 'maximiliane.von-und-zu-hohenstein-schwarzenberg@subsidiary.example.com';
const LONG_CLIENT = {
  name: 'Continuous Integration of the Whole Packaging Department (2)',
  scopes: { allowed: FIFTEEN_SCOPES, default: [] },
  claims: { idToken: ['groups', 'roles', 'department', 'email', 'locale', 'zoneinfo'], accessToken: ['groups'] },
};

async function warnedOfAll(page: Page, served: ServedBroker, start: Parameters<PageHarness['start']>[0] = {}) {
  const corp = corpOf(served);
  const { signedIn } = corp;
  for (const subject of ['bob', 'rita', 'sam']) {
    corp.signedIn = { ...signedIn, subject };
    await elsewhere(served, (await served.harness.start(start)).userCode);
  }
  corp.signedIn = signedIn;
  const { userCode } = await served.harness.start({ ...start, deviceLabel: 'Télé du salon' });
  await elsewhere(served, userCode);
  await followLink(page, served, '/device');
  await page.click('main a.button');
  await page.fill('[name=user_code]', userCode);
  await page.click('main form button');
  await page.waitForURL(/\/device\/confirm\?/);
}

/** A device that listens on a machine; where the browser is not, as far as the addresses tell. */
const LOOPBACK = {
  confirmation: 'loopback',
  loopback: { port: 49_152, path: 'Zm9ydHktdHdvIHJhbmRvbS' },
} as const;

const CONFIRM: PageState[] = [
  { name: 'confirm', says: 'Who, what, which device', reach: (page, served) => goToConfirm(page, served) },
  {
    name: 'confirm-same-network',
    says: 'From the network that the person is in, which has a name; with the device’s own label',
    harness: { networks: [{ id: 'oslo', name: 'Oslo office', cidrs: ['203.0.113.0/24', '192.0.2.0/24'], factor: 20 }] },
    reach: (page, served) => goToConfirm(page, served, { start: { deviceLabel: 'build-07 (rack 3)' } }),
  },
  {
    name: 'confirm-named-network',
    says: 'From another network, which has a name; no refresh tokens',
    harness: { networks: OFFICES, client: { refreshTokens: 'never' } },
    reach: (page, served) => goToConfirm(page, served, { start: { scopes: ['openid', 'packages:read'] } }),
  },
  {
    name: 'confirm-private',
    says: 'From a private address',
    reach: (page, served) => goToConfirm(page, served, { start: { source: '10.1.2.3', scopes: [] } }),
  },
  {
    name: 'confirm-loopback',
    says: 'From a device that says that it is this computer',
    reach: (page, served) => goToConfirm(page, served, { start: { ...LOOPBACK, deviceLabel: 'build-07 (rack 3)' } }),
  },
  {
    name: 'confirm-type-suffix',
    says: 'The code came with the address: its end must be typed from the device; with what the tokens are for',
    harness: { client: { resources: ['https://packages.example.com'] } },
    reach: (page, served) => goToConfirm(page, served, { isPrefilled: true }),
  },
  {
    name: 'confirm-type-suffix-wrong',
    says: 'What was typed is not what the device shows',
    async reach(page, served) {
      await goToConfirm(page, served, { isPrefilled: true });
      await page.fill('[name=confirm_code]', '0000');
      await answer(page, 'approve');
      await page.waitForSelector('.error');
    },
  },
  {
    name: 'confirm-type-all',
    says: 'The strict profile: all of it must be typed',
    harness: { client: { safeguards: { complete: 'type_all' } } },
    reach: (page, served) => goToConfirm(page, served, { isPrefilled: true }),
  },
  {
    name: 'confirm-one-warning',
    says: 'One warning, three scopes',
    harness: { client: { safeguards: { sameNetwork: 'warn' }, scopes: { allowed: THREE_SCOPES, default: [] } } },
    reach: (page, served) => goToConfirm(page, served, { start: { scopes: THREE_SCOPES } }),
  },
  {
    name: 'confirm-many',
    says: 'Long names, fifteen scopes, many claims',
    harness: { client: LONG_CLIENT },
    async reach(page, served) {
      const { signedIn } = corpOf(served);
      corpOf(served).signedIn = { ...signedIn, email: LONG_ADDRESS };
      await goToConfirm(page, served, { start: { scopes: FIFTEEN_SCOPES } });
    },
  },
  {
    name: 'confirm-long',
    says: 'The same with every warning and a label',
    harness: {
      client: { ...LONG_CLIENT, safeguards: { arrival: 'warn', sameNetwork: 'warn', campaign: 'alert' } },
    },
    async reach(page, served) {
      const corp = corpOf(served);
      corp.signedIn = { ...corp.signedIn, email: LONG_ADDRESS };
      await warnedOfAll(page, served, { scopes: FIFTEEN_SCOPES, source: '2001:db8:1234:5678:9abc:def0:1234:5678' });
    },
  },
  {
    name: 'confirm-warnings',
    says: 'Everything that can be warned of: another network, a link, another browser, a campaign',
    harness: { client: { safeguards: { arrival: 'warn', sameNetwork: 'warn', campaign: 'alert' } } },
    reach: (page, served) => warnedOfAll(page, served),
  },
];

function refusedOn(name: string, says: string, harness: PageHarnessOptions): PageState {
  return { name: `refused-${name}`, says, harness, reach: (page, served) => goToConfirm(page, served) };
}

const REFUSED: PageState[] = [
  refusedOn('account', 'This account may not approve', { client: { approvers: { groups: ['release'] } } }),
  refusedOn('same-network', 'Only from the device’s network', { client: { safeguards: { sameNetwork: 'require' } } }),
  refusedOn('approve-from', 'Not from this network', { client: { safeguards: { approveFrom: ['10.0.0.0/8'] } } }),
  {
    name: 'refused-campaign',
    says: 'The source sends codes to many people',
    harness: { client: { safeguards: { campaign: 'suspend' } } },
    async reach(page, served) {
      const corp = corpOf(served);
      const { signedIn } = corp;
      for (const subject of ['bob', 'rita', 'sam']) {
        corp.signedIn = { ...signedIn, subject };
        await elsewhere(served, (await served.harness.start()).userCode);
      }
      corp.signedIn = signedIn;
      await goToConfirm(page, served);
    },
  },
];

const DONE: PageState[] = [
  {
    name: 'done-approved',
    says: 'Approved, with undo',
    reach: (page, served) => decided(page, served, 'approve'),
  },
  {
    name: 'done-approved-digits',
    says: 'Approved, with digits for the device',
    harness: { client: { safeguards: { reverseCode: 'supported' } } },
    reach: (page, served) => decided(page, served, 'approve', { confirmation: 'supported' }),
  },
  {
    name: 'done-approved-loopback',
    says: 'Approved, with the way to a device on this computer, or to digits',
    reach: (page, served) => decided(page, served, 'approve', LOOPBACK),
  },
  {
    name: 'done-undone',
    says: 'Taken back',
    async reach(page, served) {
      await decided(page, served, 'approve');
      await page.click('form[action$="/undo"] button');
      await page.waitForSelector('form[action$="/undo"]', { state: 'detached' });
    },
  },
  { name: 'done-denied', says: 'Denied', reach: (page, served) => decided(page, served, 'deny') },
  { name: 'done-reported', says: 'Denied and reported', reach: (page, served) => decided(page, served, 'report') },
  { name: 'done-denied-upstream', says: 'Cancelled at the upstream', reach: failsWith('access_denied') },
  {
    name: 'done-approved-elsewhere',
    says: 'Another browser approved first',
    async reach(page, served) {
      const { userCode } = await goToConfirm(page, served);
      await elsewhere(served, userCode, 'approve');
      await page.reload();
    },
  },
  {
    name: 'done-denied-elsewhere',
    says: 'Another browser denied first',
    async reach(page, served) {
      const { userCode } = await goToConfirm(page, served);
      await elsewhere(served, userCode, 'deny');
      await page.reload();
    },
  },
];

const SESSIONS: PageState[] = [
  {
    name: 'sessions-sign-in',
    says: 'My devices: sign in first',
    reach: (page, { origin }) => page.goto(`${origin}/sessions`),
  },
  {
    name: 'sessions',
    says: 'My devices, one of them ended',
    async reach(page, served) {
      await keepSession(served.harness, { deviceLabel: 'build-07 (rack 3)' });
      await keepSession(served.harness, { scopes: ['openid'], source: '2001:db8::17' });
      await showSessions(page, served);
      await page.click('.device summary');
      await page.click('form[action$="/sessions/end"] button >> visible=true');
      await page.waitForSelector('.status');
    },
  },
  {
    name: 'sessions-many',
    says: 'My devices: twelve, and three that have ended, all folded',
    reach: (page, served) => showMany(page, served),
  },
  {
    name: 'sessions-details',
    says: 'The same, with one of each kind open',
    async reach(page, served) {
      await showMany(page, served);
      await page.click('.device summary');
      await page.click('.ended > summary');
      await page.click('.ended .device summary');
    },
  },
  {
    name: 'sessions-end-all',
    says: 'My devices: whether all are to be disconnected',
    async reach(page, served) {
      await showMany(page, served);
      await page.click('main a.danger');
      await page.waitForURL(/all=ask/);
    },
  },
  {
    name: 'sessions-just-connected',
    says: 'My devices, after an approval in the same browser',
    async reach(page, served) {
      const { id } = await goToConfirm(page, served);
      await answer(page, 'approve');
      await page.waitForURL(/\/device\/done\?/);
      await keepSession(served.harness, { deviceLabel: 'living-room' });
      await keepSession(served.harness, { id, startedAtMs: await served.harness.deps.grants.ledger.now() });
      await page.click('main .aside a');
      await page.click('main a[href*="upstream="]');
      await page.waitForSelector('.mark');
    },
  },
  {
    name: 'sessions-wrong-name',
    says: 'My devices: a name that is not taken',
    async reach(page, served) {
      await keepSession(served.harness, { deviceLabel: 'build-07 (rack 3)' });
      await showSessions(page, served);
      await page.evaluate("document.querySelector('[name=name]').removeAttribute('maxlength')");
      await page.fill('[name=name]', 'x'.repeat(200));
      await page.click('form[action$="/sessions/rename"] button');
      await page.waitForSelector('.error');
    },
  },
  { name: 'sessions-none', says: 'My devices: none', reach: (page, served) => showSessions(page, served) },
];

const PROBLEMS: PageState[] = [
  { name: 'problem-not-found', says: 'No such page', reach: (page, { origin }) => page.goto(`${origin}/nowhere`) },
  {
    name: 'problem-form-refused',
    says: 'A form that is not ours, or too old',
    async reach(page, served) {
      await goToConfirm(page, served);
      await page.evaluate("document.querySelector('form#deny [name=token]').value = 'x'");
      await answer(page, 'deny');
      await page.waitForSelector('.reference');
    },
  },
  {
    name: 'problem-cookies-missing',
    says: 'The browser sends no cookies',
    async reach(page, { origin }) {
      await page.goto(`${origin}/device`);
      await page.context().clearCookies();
      await page.fill('[name=user_code]', 'WDJB-MJHT');
      await page.click('main form button');
      await page.waitForSelector('.reference');
    },
  },
  {
    name: 'problem-too-many-cookies',
    says: 'Other sites of the domain have filled the browser with cookies',
    async reach(page, { origin }) {
      const cookies = Array.from({ length: 5 }, (_, n) => ({
        name: `site-${n}`,
        value: 'x'.repeat(4000),
        url: origin,
      }));
      await page.context().addCookies(cookies);
      await page.goto(`${origin}/device`);
      await page.waitForSelector('.reference');
    },
  },
  {
    name: 'problem-no-session',
    says: 'The address belongs to another browser, or all is over',
    reach: (page, { origin }) => page.goto(`${origin}/device/confirm?ticket=x`),
  },
  {
    name: 'problem-other-browser',
    says: 'Back from the upstream in another browser',
    reach: (page, { origin }) => page.goto(`${origin}/callback/corp?code=abc&state=abc`),
  },
  {
    name: 'problem-bad-callback',
    says: 'Back from the upstream without an answer',
    reach: (page, { origin }) => page.goto(`${origin}/callback/corp`),
  },
  {
    name: 'problem-sign-in-used',
    says: 'The way back from the upstream, gone twice',
    async reach(page, served) {
      await goToConfirm(page, served);
      await page.goto(`${served.origin}/callback/corp?code=abc&state=${corpOf(served).trips.at(-1)?.state}`);
    },
  },
  {
    name: 'problem-ran-out',
    says: 'The code ran out before the sign-in',
    harness: { client: { upstreams: ['corp', 'labs'] } },
    async reach(page, served) {
      await enterCode(page, served, (await served.harness.start()).userCode);
      await page.waitForURL(/\/device\/sign-in\?/);
      served.harness.advance(11 * MINUTE_MS);
      await page.reload();
    },
  },
  {
    name: 'problem-start-again',
    says: 'The client’s devices must bring something since this one asked',
    async reach(page, served) {
      await goToConfirm(page, served);
      Object.assign(served.harness.clients.get('build-cli') as object, { require: ['pkce'] });
      await page.reload();
    },
  },
  {
    name: 'problem-wrong-host',
    says: 'A broker on loopback, by a name that is not of this machine',
    async reach(page, { origin }) {
      await page.route(/\/device$/, async (route) => {
        const response = await route.fetch({ headers: { ...route.request().headers(), host: 'build-07:8080' } });
        await route.fulfill({ response });
      });
      await page.goto(`${origin}/device`);
    },
  },
  {
    name: 'problem-ran-out-signed-in',
    says: 'The code ran out during the sign-in',
    async reach(page, served) {
      await goToConfirm(page, served);
      served.harness.advance(11 * MINUTE_MS);
      await page.reload();
    },
  },
  {
    name: 'problem-followed-link',
    says: 'A strict client’s code, by somebody who followed a link past the stop page of others',
    harness: { client: { safeguards: { arrival: 'strict' } } },
    async reach(page, served) {
      const { clients } = served.harness;
      const strict = clients.get('build-cli');
      clients.set('lax', { ...strict, id: 'lax', safeguards: { ...strict?.safeguards, arrival: 'warn' } } as never);
      const { userCode } = await served.harness.start();
      await followLink(page, served, '/device');
      await page.click('main a.button');
      await page.fill('[name=user_code]', userCode);
      await page.click('main form button');
      await page.waitForSelector('.reference');
    },
  },
  {
    name: 'problem-too-many-approvals',
    says: 'Too many approvals in an hour',
    harness: { limits: { approvalsPerSubject: 1 } },
    async reach(page, served) {
      await decided(page, served, 'approve');
      await goToConfirm(page, served);
      await answer(page, 'approve');
      await page.waitForSelector('.reference');
    },
  },
  { name: 'problem-not-signed-in', says: 'The upstream did not sign in', reach: failsWith('not_signed_in') },
  { name: 'problem-too-weak', says: 'The sign-in is too weak', reach: failsWith('too_weak') },
  { name: 'problem-garbled', says: 'The upstream’s answer cannot be checked', reach: failsWith('invalid_answer') },
  { name: 'problem-rejects-us', says: 'The upstream does not accept us', reach: failsWith('client_rejected') },
  { name: 'problem-refused', says: 'The upstream refuses the account', reach: failsWith('sign_in_refused') },
  { name: 'problem-clock', says: 'The upstream’s clock is not ours', reach: failsWith('clock_differs') },
  { name: 'problem-upstream-away', says: 'The upstream is away', reach: failsWith('unavailable', 'address') },
  {
    name: 'problem-claim-missing',
    says: 'The upstream sends no groups, and the client’s policy needs them',
    harness: { client: { approvers: { denyGroups: ['admins'] } } },
    async reach(page, served) {
      const { groups: _, ...signedIn } = corpOf(served).signedIn;
      corpOf(served).signedIn = signedIn;
      await goToConfirm(page, served);
    },
  },
  {
    name: 'problem-storage-away',
    says: 'The storage is away',
    async reach(page, served) {
      await goToConfirm(page, served);
      served.harness.storage.isAway = true;
      await page.reload();
    },
  },
  {
    name: 'problem-fault',
    says: 'A fault of ours',
    async reach(page, served) {
      corpOf(served).failure = { at: 'answer', error: new TypeError('a bug') };
      await enterCode(page, served, (await served.harness.start()).userCode);
      await page.waitForURL(/\/callback/);
    },
  },
];

/** Every page, and every state of it that looks or reads differently. */
export const PAGE_STATES: readonly PageState[] = [
  ...ENTER,
  ...SIGN_IN,
  ...CONFIRM,
  ...REFUSED,
  ...DONE,
  ...SESSIONS,
  ...PROBLEMS,
];

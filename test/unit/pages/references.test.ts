import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import type { RefusedLocals } from '../../../src/pages/confirm/confirm-locals.ts';
import { PAGE_PROBLEMS, type PageProblemKind } from '../../../src/pages/frame/page-problem.ts';
import { levelOf } from '../../../src/telemetry/log-events.ts';
import { permittedFields } from '../../../src/telemetry/logger.ts';
import { UpstreamError, type UpstreamFault } from '../../../src/upstream/upstream.ts';
import {
  callbackOf,
  handleCallback,
  openPageHarness,
  type PageHarness,
  type PageHarnessOptions,
  type ScriptedUpstream,
} from '../../support/browser/page-harness.ts';
import { keepSession } from '../../support/browser/page-states.ts';
import { PageVisitor, type VisitedPage } from '../../support/browser/page-visitor.ts';

const MINUTE_MS = 60_000;

/** What the log must say of the page: a fact of the sign-in, or the name of a field that must be there. */
type Fact = 'grant' | 'client' | 'upstream' | 'subject' | 'detail' | 'error' | 'limit' | 'claim';

interface ProblemPage {
  harness?: PageHarnessOptions;
  /** Everything that is known by the time that it is shown. */
  knows: readonly Fact[];
  /** Where an administrator must act, or somebody must look. */
  isLoud?: true;
  reach(harness: PageHarness, visitor: PageVisitor): Promise<VisitedPage>;
}

const ofGrant = ['grant', 'client'] as const;
const ofSignIn = [...ofGrant, 'upstream'] as const;
const ofPerson = [...ofSignIn, 'subject'] as const;

const corpOf = ({ upstreams }: PageHarness) => upstreams['corp'] as ScriptedUpstream;

async function entered(harness: PageHarness, visitor: PageVisitor): Promise<VisitedPage> {
  const { userCode } = await harness.start();
  return visitor.submit(await visitor.open('/device'), { user_code: userCode });
}

async function confirming(harness: PageHarness, visitor: PageVisitor): Promise<VisitedPage> {
  return harness.signIn(visitor, (await harness.start()).userCode);
}

function failing(fault: UpstreamFault, more: Partial<ProblemPage> = {}): ProblemPage {
  return {
    knows: [...ofSignIn, 'detail'],
    isLoud: true,
    async reach(harness, visitor) {
      corpOf(harness).failure = { at: 'answer', error: new UpstreamError(fault, 'what the upstream did') };
      return handleCallback(visitor, await entered(harness, visitor));
    },
    ...more,
  };
}

async function managing(harness: PageHarness, visitor: PageVisitor): Promise<VisitedPage> {
  await keepSession(harness);
  const ways = await visitor.open('/sessions');
  return handleCallback(visitor, ways);
}

const PROBLEMS: Record<PageProblemKind, ProblemPage> = {
  bad_request: {
    knows: ofPerson,
    async reach(harness, visitor) {
      const page = await confirming(harness, visitor);
      const [form] = page.forms;
      return visitor.post(form?.action ?? '', { ...form?.fields, decision: 'nonsense' });
    },
  },
  not_found: { knows: [], reach: (_harness, visitor) => visitor.open('/nowhere') },
  method: { knows: [], reach: (_harness, visitor) => visitor.post('/device/done', {}) },
  too_many_cookies: {
    knows: [],
    reach({ app, publicUrl }) {
      // As the broker's own server reads heads, which are larger than Node's usual ones.
      const server = createServer({ maxHeaderSize: 64 * 1024 }, app) as unknown as typeof app;
      return new PageVisitor(server, publicUrl).get('/device', { cookie: 'x='.padEnd(20_000, 'x') });
    },
  },
  too_large: { knows: ['detail'], reach: (_harness, visitor) => visitor.postRaw('/device', 'x='.padEnd(9000, 'x')) },
  form_refused: {
    knows: [...ofPerson, 'detail'],
    async reach(harness, visitor) {
      const page = await confirming(harness, visitor);
      const [form] = page.forms;
      return visitor.post(form?.action ?? '', { ...form?.fields, token: 'another', decision: 'approve' });
    },
  },
  cookies_missing: {
    knows: [],
    async reach(_harness, visitor) {
      const [form] = (await visitor.open('/device')).forms;
      visitor.cookies.clear();
      return visitor.post(form?.action ?? '', { ...form?.fields, user_code: 'BBBB-BBBB' });
    },
  },
  no_session: {
    knows: ['detail'],
    async reach(harness, visitor) {
      const { address } = await confirming(harness, visitor);
      return harness.newVisitor().open(address);
    },
  },
  other_browser: {
    knows: ['upstream', 'detail'],
    async reach(harness, visitor) {
      const way = await entered(harness, visitor);
      const there = await visitor.get(way.links[0]?.href ?? '');
      return harness.newVisitor().open(callbackOf(there));
    },
  },
  manage_again: {
    knows: ['detail'],
    async reach(harness, visitor) {
      const [form] = (await managing(harness, visitor)).forms;
      harness.advance(11 * MINUTE_MS);
      return visitor.post(form?.action ?? '', { ...form?.fields });
    },
  },
  bad_callback: {
    knows: ['upstream', 'detail'],
    reach: (_harness, visitor) => visitor.open('/callback/corp'),
  },
  sign_in_used: {
    knows: ['upstream', 'detail'],
    async reach(harness, visitor) {
      const way = await entered(harness, visitor);
      const there = await visitor.get(way.links[0]?.href ?? '');
      await visitor.open(callbackOf(there));
      return visitor.open(callbackOf(there, 'code=another'));
    },
  },
  wrong_host: {
    harness: { publicUrl: 'http://127.0.0.1:8080' },
    knows: ['detail'],
    reach: (_harness, visitor) => visitor.get('/device', { host: 'evil.example:8080' }),
  },
  start_again: {
    knows: [...ofPerson, 'detail'],
    async reach(harness, visitor) {
      const { address } = await confirming(harness, visitor);
      Object.assign(harness.clients.get('build-cli') as object, { require: ['pkce'] });
      return visitor.open(address);
    },
  },
  ran_out: {
    harness: { client: { upstreams: ['corp', 'labs'] } },
    knows: ofGrant,
    async reach(harness, visitor) {
      const { address } = await entered(harness, visitor);
      harness.advance(11 * MINUTE_MS);
      return visitor.open(address);
    },
  },
  ran_out_signed_in: {
    knows: ofPerson,
    async reach(harness, visitor) {
      const { address } = await confirming(harness, visitor);
      harness.advance(11 * MINUTE_MS);
      return visitor.open(address);
    },
  },
  followed_link: {
    harness: { client: { safeguards: { arrival: 'strict' } } },
    knows: ofGrant,
    async reach(harness, visitor) {
      const strict = harness.clients.get('build-cli');
      const lax = { ...strict, id: 'lax', safeguards: { ...strict?.safeguards, arrival: 'warn' } };
      harness.clients.set('lax', lax as never);
      const { userCode } = await harness.start();
      const stop = await visitor.get('/device', { 'sec-fetch-site': 'cross-site' });
      const onward = stop.links.find(({ href }) => href.includes('pass='));
      return visitor.submit(await visitor.open(onward?.href ?? ''), { user_code: userCode });
    },
  },
  too_many_tries: {
    harness: { limits: { wrongCodesPerBrowser: 1 } },
    knows: ['limit'],
    isLoud: true,
    async reach(_harness, visitor) {
      const form = await visitor.open('/device');
      await visitor.submit(form, { user_code: 'BBBB-BBBB' });
      return visitor.submit(form, { user_code: 'CCCC-CCCC' });
    },
  },
  too_many_approvals: {
    harness: { limits: { approvalsPerSubject: 1 } },
    knows: [...ofPerson, 'limit'],
    isLoud: true,
    async reach(harness, visitor) {
      await visitor.submit(await confirming(harness, visitor), { decision: 'approve' });
      return visitor.submit(await confirming(harness, visitor), { decision: 'approve' });
    },
  },
  too_many_sign_ins: {
    knows: [...ofGrant, 'limit'],
    isLoud: true,
    async reach(harness, visitor) {
      const { userCode } = await harness.start();
      const form = await visitor.open('/device');
      let page = form;
      for (let tries = 0; tries < 200 && page.status !== 429; tries += 1) {
        page = await visitor.submit(form, { user_code: userCode });
      }
      return page;
    },
  },
  upstream_not_signed_in: failing('not_signed_in'),
  upstream_too_weak: failing('too_weak'),
  upstream_refuses: failing('sign_in_refused'),
  upstream_clock: failing('clock_differs'),
  upstream_garbled: failing('invalid_answer'),
  upstream_rejects_us: failing('client_rejected'),
  upstream_away: failing('unavailable'),
  upstream_claim_missing: {
    harness: { client: { approvers: { denyGroups: ['admins'] } } },
    knows: [...ofPerson, 'claim'],
    isLoud: true,
    async reach(harness, visitor) {
      const { groups: _, ...signedIn } = corpOf(harness).signedIn;
      corpOf(harness).signedIn = signedIn;
      return confirming(harness, visitor);
    },
  },
  storage_away: {
    knows: ['error'],
    isLoud: true,
    async reach(harness, visitor) {
      const { address } = await confirming(harness, visitor);
      harness.storage.isAway = true;
      return visitor.open(address);
    },
  },
  fault: {
    knows: [...ofSignIn, 'error'],
    isLoud: true,
    async reach(harness, visitor) {
      corpOf(harness).failure = { at: 'answer', error: new TypeError('a bug') };
      return handleCallback(visitor, await entered(harness, visitor));
    },
  },
};

/** What a person is told who signed in and may not approve here and now. */
const REFUSALS: Record<RefusedLocals['reason'], ProblemPage> = {
  account: {
    harness: { client: { approvers: { groups: ['release'] } } },
    knows: [...ofPerson, 'detail', 'claim'],
    reach: confirming,
  },
  claims: {
    // Fewer groups have to be passed on, which no person can do.
    knows: [...ofPerson, 'detail'],
    isLoud: true,
    reach(harness, visitor) {
      const groups = Array.from({ length: 600 }, (_, at) => `department-${at}`);
      corpOf(harness).signedIn = { ...corpOf(harness).signedIn, groups };
      return confirming(harness, visitor);
    },
  },
  same_network: {
    harness: { client: { safeguards: { sameNetwork: 'require' } } },
    knows: ofPerson,
    reach: confirming,
  },
  approve_from: {
    harness: { client: { safeguards: { approveFrom: ['10.0.0.0/8'] } } },
    knows: ofPerson,
    reach: confirming,
  },
  campaign: {
    harness: { client: { safeguards: { campaign: 'suspend' } } },
    knows: ofPerson,
    async reach(harness, visitor) {
      const corp = corpOf(harness);
      for (const subject of ['bob', 'rita', 'sam']) {
        corp.signedIn = { ...corp.signedIn, subject };
        await confirming(harness, harness.newVisitor());
      }
      return confirming(harness, visitor);
    },
  },
};

const ALL = [...Object.entries(PROBLEMS), ...Object.entries(REFUSALS)].map(([kind, page]) => ({ kind, ...page }));

/** The reference that a page shows. */
function referenceOn({ text }: VisitedPage): string {
  return /<p class="reference">[^<]*<code[^>]*>([^<]+)<\/code>/.exec(text)?.[1] ?? 'no reference';
}

describe('the reference on a page', () => {
  it.each(ALL)(
    'leads to the line that tells what happened: $kind',
    async ({ kind, harness: options, knows, isLoud, reach }) => {
      let drawn = 0;
      const newReference = () => {
        drawn += 1;
        return `reference${drawn}`;
      };
      const harness = openPageHarness({ ...options, newReference });
      const page = await reach(harness, harness.newVisitor());
      if (kind in PAGE_PROBLEMS) expect(page.status).toBe(PAGE_PROBLEMS[kind as PageProblemKind]);
      else expect(page.status).toBe(403);

      const found = harness.events.filter(({ fields }) => fields['requestId'] === referenceOn(page));
      expect(found.length).toBeGreaterThan(0);
      const line: Record<string, unknown> = Object.assign(
        {},
        ...found.map(({ name, fields }) => permittedFields(name, fields)),
      );
      for (const fact of knows) expect([fact, line[fact]]).not.toEqual([fact, undefined]);
      // Where a person was signed in, the same facts are in the grant's other lines.
      if (knows.includes('upstream') && knows.includes('grant')) {
        const others = harness.events.filter(({ fields }) => fields['grant'] === line['grant']);
        expect(others.map(({ name }) => name)).toContain('grant.opened');
      }
      const levels = found.map(({ name, fields }) => levelOf(name, fields));
      expect(levels.some((level) => level === 'warn' || level === 'error')).toBe(isLoud === true);
    },
  );
});

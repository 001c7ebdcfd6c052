import { randomBytes } from 'node:crypto';
import express, { type Express } from 'express';
import type { RegisteredClient } from '../../../src/clients/registered-client.ts';
import { NO_PLACES } from '../../../src/geo/geo-places.ts';
import { type StartedGrant, startGrant } from '../../../src/grants/start/start-grant.ts';
import { BASE20, type UserCodeSettings } from '../../../src/grants/start/user-code.ts';
import { type Ledger, StorageUnavailableError } from '../../../src/ledger/ledger.ts';
import { createApprovalLimits } from '../../../src/limits/approval-limits.ts';
import { createCodeEntryLimits } from '../../../src/limits/code-entry-limits.ts';
import type { LimitSettings } from '../../../src/limits/limit-settings.ts';
import { createSignInLimits } from '../../../src/limits/sign-in-limits.ts';
import { createNetworks } from '../../../src/network/networks.ts';
import type { PagesDeps } from '../../../src/pages/frame/page-deps.ts';
import { createPages } from '../../../src/pages/pages.ts';
import { createCampaigns } from '../../../src/safeguards/campaign.ts';
import { createSafeguardJudge } from '../../../src/safeguards/safeguards.ts';
import { createSealing, type Sealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { memoryStorage } from '../../../src/storage/memory/memory-storage.ts';
import type { BrowserSessions } from '../../../src/storage/storage.ts';
import type { LogEventName } from '../../../src/telemetry/log-events.ts';
import type { OtherAccount, SignIn, TripParameters, Upstream } from '../../../src/upstream/upstream.ts';
import { type ClientChanges, sampleClient } from '../samples/sample-client.ts';
import { LIMITS } from '../samples/sample-limits.ts';
import { PageVisitor, type VisitedPage } from './page-visitor.ts';

/** The pages over memory storage, with upstreams that answer what a test says, and a clock that a test moves. */
export interface PageHarness {
  deps: PagesDeps;
  publicUrl: string;
  upstreams: Record<string, ScriptedUpstream>;
  clients: Map<string, RegisteredClient>;
  events: { name: LogEventName; fields: Record<string, unknown> }[];
  /** While it is set, nothing that is kept answers. */
  storage: { isAway: boolean; sessions: Map<string, string> };
  advance(milliseconds: number): void;
  /** What a reload or another replica does. */
  rebuild(changes: { sealing: Sealing }): void;
  app: Express;
  newVisitor(): PageVisitor;
  start(changes?: Partial<Parameters<typeof startGrant>[1]>): Promise<StartedGrant>;
  /** From the code to the confirm page. */
  signIn(visitor: PageVisitor, userCode: string): Promise<VisitedPage>;
}

export interface ScriptedUpstream extends Upstream {
  signedIn: SignIn;
  choice: OtherAccount;
  /** Thrown by the next steps, where it is set. */
  failure: { at: 'address' | 'answer'; error: Error } | undefined;
  readonly trips: TripParameters[];
  readonly revoked: string[];
}

export interface PageHarnessOptions {
  publicUrl?: string;
  client?: ClientChanges;
  limits?: Partial<LimitSettings>;
  settings?: Partial<PagesDeps['settings']>;
  sealing?: Sealing;
  userCodes?: UserCodeSettings;
  networks?: Parameters<typeof createNetworks>[0];
  deps?: Partial<PagesDeps>;
  /** Of each request; the same for all of them, unless given. */
  newReference?: () => string;
}

/** What a test is not about must not add a warning to its pages. */
const QUIET = { arrival: 'off', sameNetwork: 'off', campaign: 'off' } as const;

export const SOURCE = '203.0.113.7';

export function openPageHarness(options: PageHarnessOptions = {}): PageHarness {
  const { publicUrl = 'https://login.example.com' } = options;
  let offset = 0;
  const clock = () => Date.now() + offset;
  const storage = memoryStorage({ clock });
  const kept: PageHarness['storage'] = { isAway: false, sessions: new Map() };
  const ledger = awayAtTimes(storage.ledger, kept);
  const browserSessions = observedSessions(storage.browserSessions, kept);
  const { sealing = createSealing([new Secret(randomBytes(32).toString('base64url'))]) } = options;
  const upstreams = { corp: scriptedUpstream('corp', 'Example Corp'), labs: scriptedUpstream('labs', 'Example Labs') };
  const clients = new Map([['build-cli', registeredClient(options.client)]]);
  const events: PageHarness['events'] = [];
  const limits = { ...LIMITS, ...options.limits };
  const { counters } = storage;
  const networks = createNetworks(options.networks ?? []);
  const { userCodes = { alphabet: BASE20, length: 8, group: 4 } } = options;
  const grants = { ledger, sealing, randomBytes, userCodes };
  const geo = options.deps?.geo ?? NO_PLACES;
  const codeEntryLimits = createCodeEntryLimits({ counters, sealing, networks, limits });
  const deps: PagesDeps = {
    publicUrl: new URL(publicUrl),
    grants,
    browserSessions,
    clients,
    upstreams: new Map(Object.entries(upstreams)),
    scopeDescriptions: { 'packages:read': 'Read packages' },
    settings: { title: 'Example sign-in', languages: ['en'], theme: {}, ...options.settings },
    codeEntryLimits,
    signInLimits: createSignInLimits({ counters, networks, limits }),
    safeguards: createSafeguardJudge({
      ledger: storage.ledger,
      networks,
      geo,
      campaigns: createCampaigns({ ledger: storage.ledger, sealing, networks }),
      approvalLimits: createApprovalLimits({ counters, sealing, limits }),
      codeEntryLimits,
      userCodes: grants.userCodes,
      randomBytes,
      clockToleranceSeconds: () => 30,
    }),
    geo,
    sourceOf: (request) => String(request.headers['x-test-source'] ?? '192.0.2.10'),
    log: { event: (name, fields = {}) => events.push({ name, fields }) },
    ...options.deps,
  };
  const outer = express();
  const { newReference = () => 'reference123' } = options;
  outer.use((_request, response, next) => {
    response.set('X-Request-Id', newReference());
    next();
  });
  let pages = createPages(deps);
  outer.use(deps.publicUrl.pathname, (request, response, next) => pages(request, response, next));

  const harness: PageHarness = {
    deps,
    app: outer,
    storage: kept,
    publicUrl,
    upstreams,
    clients,
    events,
    advance(milliseconds) {
      offset += milliseconds;
    },
    rebuild({ sealing: next }) {
      grants.sealing = next;
      pages = createPages(deps);
    },
    newVisitor: () => new PageVisitor(outer, publicUrl),
    start: (changes = {}) =>
      startGrant(grants, {
        clientId: 'build-cli',
        challenge: '',
        jkt: '',
        scopes: ['openid', 'packages:read'],
        resources: [],
        source: SOURCE,
        lifetimeSeconds: 600,
        intervalSeconds: 5,
        userCodeLength: 8,
        ...changes,
      }),
    async signIn(visitor, userCode) {
      const way = await visitor.submit(await visitor.open(`${basePath(publicUrl)}/device`), { user_code: userCode });
      return handleCallback(visitor, way);
    },
  };
  return harness;
}

/** From the page before the upstream, over a scripted upstream, to wherever the callback leads. */
export async function handleCallback(
  visitor: PageVisitor,
  way: VisitedPage,
  answer = 'code=abc',
): Promise<VisitedPage> {
  const there = await visitor.get(way.links[0]?.href ?? '');
  return visitor.open(callbackOf(there, answer));
}

export function callbackOf(there: VisitedPage, answer = 'code=abc'): string {
  const address = new URL(there.location ?? '');
  const redirect = new URL(address.searchParams.get('redirect_uri') ?? '');
  return `${redirect.pathname}?${answer}&state=${address.searchParams.get('state')}`;
}

export function basePath(publicUrl: string): string {
  return new URL(publicUrl).pathname.replace(/\/$/, '');
}

/** The ledger, but every verb rejects while the storage is away. */
function awayAtTimes(ledger: Ledger, kept: PageHarness['storage']): Ledger {
  return new Proxy(ledger, {
    get(target, verb) {
      const member: unknown = Reflect.get(target, verb);
      if (typeof member !== 'function') return member;
      return (...facts: unknown[]) =>
        kept.isAway ? Promise.reject(new StorageUnavailableError('away')) : Reflect.apply(member, target, facts);
    },
  });
}

function observedSessions(inner: BrowserSessions, kept: PageHarness['storage']): BrowserSessions {
  const answer = <Answer>(ask: () => Promise<Answer>): Promise<Answer> =>
    kept.isAway ? Promise.reject(new StorageUnavailableError('away')) : ask();
  return {
    get: (key) => answer(() => inner.get(key)),
    set: (key, text, lifeMs) =>
      answer(() => {
        kept.sessions.set(key, text);
        return inner.set(key, text, lifeMs);
      }),
    destroy: (key) =>
      answer(() => {
        kept.sessions.delete(key);
        return inner.destroy(key);
      }),
  };
}

function scriptedUpstream(id: string, displayName: string): ScriptedUpstream {
  const issuer = `https://${id}.example`;
  const trips: TripParameters[] = [];
  const revoked: string[] = [];
  const upstream: ScriptedUpstream = {
    id,
    displayName,
    issuer,
    responseMode: 'query',
    frontChannelLogout: false,
    uncheckedSessionSeconds: 12 * 60 * 60,
    clockToleranceSeconds: 30,
    trips,
    revoked,
    failure: undefined,
    choice: { isAskedFor: true },
    signedIn: {
      subject: 'alice',
      name: 'Alice Adams',
      email: 'alice@example.com',
      groups: ['engineering'],
      claims: { sub: 'alice', department: 'R&D', secret_claim: 'nobody asked' },
      tokens: {
        accessToken: new Secret('upstream-access'),
        refreshToken: new Secret('upstream-refresh'),
        tokenType: 'Bearer',
        expiresInSeconds: 300,
        members: {},
      },
    },
    async signInAddress(trip) {
      if (upstream.failure?.at === 'address') throw upstream.failure.error;
      trips.push(trip);
      return new URL(`${issuer}/authorize?state=${trip.state}&redirect_uri=${encodeURIComponent(trip.redirectUri)}`);
    },
    otherAccount: async () => upstream.choice,
    async finishSignIn() {
      if (upstream.failure?.at === 'answer') throw upstream.failure.error;
      return upstream.signedIn;
    },
    async revoke(token) {
      revoked.push(token.reveal());
      return true;
    },
    refresh: () => Promise.reject(new Error('not scripted')),
    verifyLogoutToken: () => Promise.reject(new Error('not scripted')),
    verifyOperatorToken: () => Promise.reject(new Error('not scripted')),
    probe: () => Promise.reject(new Error('not scripted')),
  };
  return upstream;
}

export function registeredClient({ safeguards, ...changes }: ClientChanges = {}): RegisteredClient {
  return sampleClient({
    scopes: { allowed: ['openid', 'packages:read', 'offline_access'], default: ['openid'] },
    claims: { idToken: ['department', 'email', 'groups'], accessToken: [] },
    ...changes,
    safeguards: { ...QUIET, ...safeguards },
  });
}

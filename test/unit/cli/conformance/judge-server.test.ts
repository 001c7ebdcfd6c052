import { describe, expect, it } from 'vitest';
import { findServer } from '../../../../src/cli/conformance/find-server.ts';
import { allChecks, judgeServer } from '../../../../src/cli/conformance/judge-server.ts';
import { countsOf, reportJson, reportJunit, reportTable } from '../../../../src/cli/conformance/report.ts';
import { type Approach, askFor, ServerUnderTest } from '../../../../src/cli/conformance/server-under-test.ts';
import { type Fault, faultyDeviceServer, ISSUER, SECRET } from '../../../support/conformance/faulty-device-server.ts';

async function judge(fault: Fault | undefined, changes: Partial<Approach> = {}) {
  let time = Date.UTC(2026, 11, 1);
  const now = () => time;
  const server = faultyDeviceServer(now, fault, changes.clientSecret !== undefined);
  const approach: Approach = {
    ...{ issuer: ISSUER, clientId: 'device', otherClientId: 'other', scopes: [], starts: 20, waitSeconds: 60 },
    ...{ decide: server.decide, fetch: server.fetch, now },
    sleep: async (milliseconds) => {
      time += milliseconds;
    },
    ...changes,
  };
  const named = { start: `${ISSUER}/start`, token: `${ISSUER}/token` };
  const found = await findServer(new URL(ISSUER), named, (address) => askFor(server.fetch, address));
  return judgeServer(new ServerUnderTest(approach, found), 1);
}

const SEEN_WITH_A_SECRET = ['start.client-authentication', 'poll.client-authentication'];

/** Which checks fail; whatever else they would say of such a server is not said. */
const FAULTS: Record<Fault, string[]> = {
  'another issuer in the metadata': ['metadata.issuer'],
  'no device endpoint in the metadata': ['metadata.endpoint'],
  'grant type not listed': ['metadata.grant-type'],
  'codes for a GET': ['start.post-only'],
  'codes without a client': ['start.client-required'],
  'codes for an unknown client': ['start.unknown-client'],
  'codes without the secret': ['start.client-authentication'],
  'no challenge': ['start.basic-challenge'],
  'empty scope is refused': ['start.empty-is-omitted'],
  'unknown parameters are refused': ['start.unknown-ignored'],
  'repeats are taken': ['start.no-repeats'],
  'JSON breaks it': ['start.form', 'errors.no-5xx'],
  'no expires_in': ['start.answer'],
  'codes may be cached': ['start.no-store'],
  'code in the address': ['start.no-code-in-uri'],
  'one user code for all': ['codes.unique', 'codes.user-entropy'],
  'device codes count up': ['codes.device-entropy'],
  'user codes of three digits': ['codes.user-entropy'],
  'user codes with 0 and O': ['codes.readable'],
  'pending is 200': ['poll.pending'],
  'unknown grant type breaks it': ['poll.grant-type', 'errors.no-5xx'],
  'missing device code is a grant error': ['poll.device-code-required'],
  'unknown code is pending': ['poll.unknown-code'],
  'unknown client may poll': ['poll.unknown-client'],
  'other client may poll': ['poll.other-client'],
  'poll without the secret': ['poll.client-authentication'],
  'first poll is too fast': ['poll.pending', 'pace.first-poll', 'pace.interval-kept', 'pace.slow-down'],
  'the interval is too fast': ['pace.interval-kept'],
  'never slow_down': ['pace.slow-down'],
  'slow_down changes nothing': ['pace.slow-down-grows'],
  'slow_down for ever': ['pace.slow-down'],
  'the page is gone': ['page.opens'],
  'a GET approves': ['page.get-approves-nothing'],
  'the page has the device code': ['page.hides-device-code'],
  'denied is pending': ['decision.denied'],
  'approved is pending': ['redeem.success', 'redeem.once'],
  'tokens may be cached': ['redeem.no-store'],
  'no life of tokens': ['redeem.lifetime'],
  'tokens for all who race': ['redeem.once'],
  'tokens again': ['redeem.replay'],
  'expired is pending': ['lifetime.over', 'lifetime.expired-token'],
  'expired is invalid_grant': ['lifetime.expired-token'],
  'errors are called HTML': ['errors.format'],
  'quotes in descriptions': ['errors.characters'],
};

const failing = (results: Awaited<ReturnType<typeof judge>>) =>
  results.filter(({ verdict }) => verdict === 'fails').map(({ check }) => check.id);

describe('the judge', () => {
  it('finds nothing at a server that does what it must, and sees all but what loopback and two clients would show', async () => {
    const results = await judge(undefined);
    expect(failing(results)).toEqual([]);
    expect(results.filter(({ verdict }) => verdict === 'cannot be seen').map(({ check }) => check.id)).toEqual(
      SEEN_WITH_A_SECRET,
    );
    expect(results.map(({ check }) => check)).toEqual(allChecks());
    const withSecret = await judge(undefined, { clientSecret: SECRET });
    expect(withSecret.filter(({ verdict }) => verdict !== 'holds')).toEqual([]);
  });

  it.each(Object.entries(FAULTS) as [Fault, string[]][])('%s: fails %j and no other', async (fault, expected) => {
    const isOfSecrets = SEEN_WITH_A_SECRET.some((id) => expected.includes(id));
    expect(failing(await judge(fault, isOfSecrets ? { clientSecret: SECRET } : {}))).toEqual(expected);
  });

  it('has a fault for each check but the one of TLS, so that none passes whatever comes', () => {
    const found = new Set(Object.values(FAULTS).flat());
    expect(
      allChecks()
        .filter(({ id }) => !found.has(id))
        .map(({ id }) => id),
    ).toEqual(['endpoints.tls']);
  });

  it('says what it cannot see, and what would make it seen', async () => {
    const results = await judge(undefined, { decide: undefined, otherClientId: undefined, waitSeconds: 5 });
    const unseen = Object.fromEntries(
      results.filter(({ verdict }) => verdict === 'cannot be seen').map(({ check, detail }) => [check.id, detail]),
    );
    expect(unseen).toMatchObject({
      'decision.denied': 'needs a person: --approve-with COMMAND, which gets ACTION=deny',
      'redeem.once': 'needs a person: --approve-with COMMAND, which gets ACTION=approve',
      'poll.other-client': expect.stringContaining('--other-client-id ID'),
      'start.client-authentication': expect.stringContaining('--client-secret-file FILE'),
      'lifetime.over': expect.stringContaining('--wait 22'),
    });
  });

  it('makes no more requests than it said, and says of a server that is away that it is', async () => {
    const away = (async () => {
      throw new TypeError('fetch failed');
    }) as typeof fetch;
    const results = await judge(undefined, { fetch: away });
    expect(failing(results)).toEqual([]);
    const many = await judge(undefined, { starts: 400 });
    expect(many.find(({ check }) => check.id === 'codes.unique')?.detail).toBe('300 requests were made already');
  });
});

describe('a report', () => {
  it('tells the same on the terminal, as JSON and as JUnit XML', async () => {
    const results = await judge('tokens may be cached');
    const judged = {
      issuer: ISSUER,
      clientId: 'device',
      at: '2026-12-01T00:00:00Z',
      seconds: 1,
      version: '1',
      results,
    };
    expect(countsOf(results)).toEqual({ holds: 42, mustFails: 1, shouldFails: 0, cannotBeSeen: 2 });
    expect(reportTable(results)).toMatch(/^FAILS {11}must {3}redeem\.no-store/m);
    expect(reportTable(results)).toMatch(/42 hold, 1 must and 0 should fail, 2 cannot be seen\n$/);
    const json = JSON.parse(reportJson(judged)) as { summary: object; checks: { id: string; verdict: string }[] };
    expect(json.summary).toEqual({ holds: 42, must_fails: 1, should_fails: 0, cannot_be_seen: 2 });
    expect(json.checks.filter(({ verdict }) => verdict === 'fails').map(({ id }) => id)).toEqual(['redeem.no-store']);
    const xml = reportJunit(judged);
    expect(xml).toContain('tests="45" failures="1" errors="0" skipped="2"');
    expect(xml.match(/<failure message="Cache-Control is private/g)).toHaveLength(1);
  });
});

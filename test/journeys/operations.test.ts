import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approve, decide, ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { METRICS } from '../../src/telemetry/metric-names.ts';
import { type BrokerProcess, sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { answerIn, rawHttp } from '../support/broker/raw-http.ts';
import { createTestBroker } from '../support/broker/test-broker.ts';
import { TestDevice } from '../support/broker/test-device.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

let upstream: FakeUpstream;
let environment: Record<string, string>;
let broker: BrokerProcess;
let device: TestDevice;

beforeAll(async () => {
  upstream = await startFakeUpstream();
  environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: upstream.clientSecret };
  broker = await startBrokerProcess({
    environment,
    yaml: brokerYaml(upstream, {
      storage: { driver: 'memory' },
      limits: { approvals_per_subject: 1, wrong_codes_per_source: 1 },
    }),
  });
  device = deviceOf(broker);
});
afterAll(async () => {
  await broker.stop();
  await upstream.close();
});

function deviceOf({ origin }: BrokerProcess): TestDevice {
  return new TestDevice({ origin, publicUrl: origin, now: async () => Date.now() }, { clientId: 'build-cli' });
}

async function metric(line: string): Promise<number> {
  const text = await (await fetch(`${broker.operations}/metrics`)).text();
  const found = text.split('\n').find((each) => each.startsWith(`${line} `));
  return found === undefined ? 0 : Number(found.split(' ').at(-1));
}

function codeFormOf({ forms, heading }: VisitedPage) {
  const form = forms.find(({ fields }) => fields.has('user_code'));
  if (form === undefined) throw new Error(`no code form on “${heading}”`);
  return form;
}

/** The reference that a problem page shows. */
function referenceOn(html: string): string {
  return /\b[23456789bcdfghjkmnpqrstvwxyz]{12}\b/.exec(html.replace(/<[^>]*>/g, ' '))?.[0] ?? '';
}

describe('the operations listener of a running broker', () => {
  it.each(['/metrics', '/readyz', '/healthz', '/status'])(
    'does not answer %s to a name that a stranger lets resolve here',
    async (path) => {
      const answer = async (host: string) => {
        const request = `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
        return answerIn(await rawHttp(broker.operations, request));
      };
      for (const host of ['evil.example', '192.0.2.1:9090']) {
        expect(await answer(host)).toMatchObject({ status: 421, body: expect.not.stringContaining('gatehouse_') });
      }
      for (const host of ['localhost', '127.0.0.1:1']) expect((await answer(host)).status).toBe(200);
    },
  );

  it('counts a sign-in at every step, and shows what is pending', async () => {
    const { body } = await device.start();
    expect((await device.poll(body.device_code)).body.error).toBe('authorization_pending');
    expect(await metric('gatehouse_pending_grants')).toBe(1);
    expect((await approve(`${broker.origin}/device`, body.user_code, 'alice')).status).toBe(200);
    expect((await device.poll(body.device_code)).status).toBe(200);
    // Each scrape looks at some more sessions, behind its answer.
    await expect
      .poll(() => metric('gatehouse_sessions_alive{client="build-cli"}'), { timeout: 15_000, interval: 500 })
      .toBe(1);
    expect(await metric('gatehouse_sessions_counted_timestamp_seconds')).toBeGreaterThan(1_700_000_000);
    expect(await (await fetch(`${broker.operations}/status`)).text()).toMatch(
      /Device sessions<\/dt><dd>1 go on, counted/,
    );
    expect(await metric('gatehouse_device_authorizations_total{client="build-cli",outcome="started"}')).toBe(1);
    expect(await metric('gatehouse_polls_total{client="build-cli",outcome="authorization_pending"}')).toBe(1);
    expect(await metric('gatehouse_polls_total{client="build-cli",outcome="tokens"}')).toBe(1);
    expect(await metric('gatehouse_decisions_total{client="build-cli",upstream="corp",decision="approved"}')).toBe(1);
    expect(await metric('gatehouse_upstream_seconds_count{upstream="corp",step="token",outcome="ok"}')).toBe(1);
    expect(await metric('gatehouse_upstream_up{upstream="corp"}')).toBe(1);
    expect(await metric('gatehouse_storage_seconds_count{verb="poll"}')).toBe(2);
  });

  it('counts denials, and clients that nobody registered', async () => {
    const { body } = await device.start();
    const denied = { verificationUri: `${broker.origin}/device`, userCode: body.user_code, user: 'alice' };
    await decide({ ...denied, decision: 'deny' });
    expect(await metric('gatehouse_decisions_total{client="build-cli",upstream="corp",decision="denied"}')).toBe(1);

    await device.start({ client_id: 'invented-by-a-caller' });
    const text = await (await fetch(`${broker.operations}/metrics`)).text();
    expect(text).toContain('gatehouse_device_authorizations_total{client="unknown",outcome="invalid_client"} 1');
    expect(text).not.toContain('invented-by-a-caller');
  });

  it('counts refreshes apart from polls, and what sessions begin and end with', async () => {
    const { body } = await device.start({ scope: 'openid offline_access' });
    const { person } = upstream;
    upstream.person = { ...person, sub: 'bob' };
    await approve(`${broker.origin}/device`, body.user_code, 'bob');
    const tokens = (await device.poll(body.device_code)).body;
    const polls = await metric('gatehouse_polls_total{client="build-cli",outcome="invalid_grant"}');
    const refreshed = (await device.refresh(tokens.refresh_token)).body;
    await device.refresh(tokens.refresh_token);
    expect((await device.refresh('nothing-of-ours')).body.error).toBe('invalid_grant');
    expect((await device.refresh('')).body.error).toBe('invalid_request');
    await device.revoke(refreshed.refresh_token);
    upstream.person = person;
    const refreshes = (outcome: string) => metric(`gatehouse_refreshes_total{client="build-cli",outcome="${outcome}"}`);
    expect(await refreshes('tokens')).toBe(1);
    expect(await refreshes('answered_again')).toBe(1);
    expect(await refreshes('invalid_grant')).toBe(1);
    expect(await metric('gatehouse_refreshes_total{client="unknown",outcome="invalid_request"}')).toBe(1);
    expect(await metric('gatehouse_polls_total{client="build-cli",outcome="invalid_grant"}')).toBe(polls);
    expect(await metric('gatehouse_sessions_begun_total{client="build-cli"}')).toBeGreaterThan(0);
    expect(await metric('gatehouse_sessions_ended_total{client="build-cli",reason="revoked"}')).toBe(1);
  });

  it('counts sign-ins by what became of them, and an upstream that refuses Gatehouse', async () => {
    const signIns = (outcome: string, reason: string) =>
      metric(`gatehouse_sign_ins_total{upstream="corp",purpose="approve",outcome="${outcome}",reason="${reason}"}`);
    const before = await signIns('signed_in', '');
    const { body } = await device.start();
    upstream.behaviour = { token: { fault: { error: 'invalid_client', status: 401 } } };
    await approve(`${broker.origin}/device`, body.user_code, 'carol');
    upstream.behaviour = {};
    expect(await signIns('failed', 'client_rejected')).toBe(1);
    expect(await metric('gatehouse_upstream_rejected{upstream="corp"}')).toBe(1);
    expect(await metric('gatehouse_upstream_up{upstream="corp"}')).toBe(1);
    await approve(`${broker.origin}/device`, body.user_code, 'carol');
    expect(await signIns('signed_in', '')).toBe(before + 1);
    expect(await metric('gatehouse_upstream_rejected{upstream="corp"}')).toBe(0);
  });

  it('shows how it fares on one page without script, under the policy of all pages', async () => {
    const answer = await fetch(`${broker.operations}/status`);
    expect(answer.headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-/);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    const html = await answer.text();
    for (const words of [broker.origin, 'memory, answers', 'Example Corp', 'aria-label="Sign-ins per minute']) {
      expect(html).toContain(words);
    }
    // What it shows is kept for two seconds.
    const shown = async () => (await fetch(`${broker.operations}/status`)).text();
    await expect.poll(shown, { timeout: 10_000 }).toMatch(/<strong>[1-9]\d*<\/strong> in the last hour/);
    for (const secret of Object.values(environment)) expect(html).not.toContain(secret);
  });

  it('has no line for a pending poll, at debug neither: nine tenths of all requests are one', async () => {
    const test = await createTestBroker({ yaml: { log: { level: 'debug' } } });
    const { body } = await test.device().start();
    const before = test.lines.length;
    expect((await test.device().poll(body.device_code)).body.error).toBe('authorization_pending');
    await test.advance(1500);
    expect((await test.device().poll(body.device_code)).body.error).toBe('slow_down');
    expect(test.lines.slice(before)).toEqual([]);
    await test.close();
  });

  it('has every metric of the table, event-loop lag and memory, and none that the table does not know', async () => {
    const text = await (await fetch(`${broker.operations}/metrics`)).text();
    const ours = [...text.matchAll(/^# TYPE (gatehouse_\w+) /gm)].map(([, name]) => name);
    expect(new Set(ours)).toEqual(new Set(Object.keys(METRICS)));
    expect(text).toContain('nodejs_eventloop_lag_seconds');
    expect(text).toContain('process_resident_memory_bytes');
  });

  it('is ready with the upstream away, and says so in a gauge; its paths are not on the public listener', async () => {
    upstream.behaviour = { token: { trouble: 'close' } };
    const { body } = await device.start();
    const page = await approve(`${broker.origin}/device`, body.user_code, 'alice');
    expect(page.status).toBe(503);
    upstream.behaviour = {};
    expect(await metric('gatehouse_upstream_up{upstream="corp"}')).toBe(0);
    expect((await fetch(`${broker.operations}/readyz`)).status).toBe(200);
    expect((await fetch(`${broker.operations}/healthz`)).status).toBe(200);
    for (const path of ['/healthz', '/readyz', '/metrics', '/status']) {
      expect((await fetch(broker.origin + path)).status).toBe(404);
    }
  });
});

describe('the log of a process', () => {
  it('says which version it is', async () => {
    const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8'));
    expect(await broker.logged('process.started')).toMatchObject({ version, storage: 'memory', file: broker.file });
  });
});

describe('a reference on a page leads to the cause in the log', () => {
  it.each([
    ['garbled', { token: { trouble: 'garbage' } }, 502],
    ['refusing', { token: { fault: { error: 'invalid_client', status: 401 } } }, 502],
    ['erring', { authorize: { error: 'server_error', description: 'words of the upstream' } }, 503],
    ['away', { discovery: {}, token: { trouble: 'status_503' } }, 503],
  ] as const)('for an upstream that is %s', async (_, behaviour, status) => {
    const { body } = await device.start();
    upstream.behaviour = behaviour as FakeUpstream['behaviour'];
    const page = await approve(`${broker.origin}/device`, body.user_code, 'alice');
    upstream.behaviour = {};
    expect(page.status).toBe(status);
    const requestId = referenceOn(page.html);
    const line = await broker.logged('sign_in.failed', (each) => each['requestId'] === requestId);
    expect(line).toMatchObject({ upstream: 'corp', client: 'build-cli', fault: expect.any(String) });
    expect(String(line['detail']).length).toBeGreaterThan(10);
    const opened = await broker.logged('grant.opened', (each) => each['grant'] === line['grant']);
    expect(opened['client']).toBe('build-cli');
  });

  it('for a storage that does not answer', async () => {
    const test = await createTestBroker();
    const { body } = await test.device().start();
    const away = () =>
      Promise.reject(new StorageUnavailableError('no answer', { cause: new Error('the socket hung') }));
    Object.assign(test.store.storage.ledger, { read: away, now: away });
    const person = new ScriptedPerson();
    const form = await person.visit(`${test.origin}/device`);
    const page = await person.submit(form, codeFormOf(form), { user_code: body.user_code });
    expect(page.status).toBe(503);
    const line = test.lines.find((each) => each['requestId'] === referenceOn(page.html));
    expect(line).toMatchObject({
      event: 'request.failed',
      status: 503,
      error: { cause: { message: 'the socket hung' } },
    });
    await test.close();
  });
});

describe('a limit', () => {
  it('that a person reaches is counted by its name', async () => {
    const person = new ScriptedPerson();
    let page = await person.visit(`${broker.origin}/device`);
    for (let tries = 0; tries < 3 && page.status !== 429; tries += 1) {
      page = await person.submit(page, codeFormOf(page), { user_code: 'BBBB-BBBB' });
    }
    expect(page.status).toBe(429);
    expect(await metric('gatehouse_limited_total{limit="wrong_codes_per_source"}')).toBeGreaterThan(0);
  });
});

describe('a log that cannot be written', () => {
  it('costs lines, which are counted, and nobody a sign-in', async () => {
    const log = openSync('/dev/full', 'w');
    const yaml = brokerYaml(upstream, { storage: { driver: 'memory' } });
    const silent = await startBrokerProcess({ environment, yaml, log });
    const here = deviceOf(silent);
    const { body } = await here.start();
    await approve(`${silent.origin}/device`, body.user_code, 'alice');
    expect((await here.poll(body.device_code)).status).toBe(200);
    const text = await (await fetch(`${silent.operations}/metrics`)).text();
    expect(Number(/^gatehouse_log_lines_lost_total (\d+)/m.exec(text)?.[1])).toBeGreaterThan(3);
    expect(await silent.stop()).toBe(0);
  });
});

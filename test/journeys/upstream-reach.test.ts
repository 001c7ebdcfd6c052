import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';
import { selfSigned } from '../support/samples/self-signed.ts';
import { startConnectProxy } from '../support/upstream/connect-proxy.ts';
import { startFakeUpstream } from '../support/upstream/fake-upstream.ts';

/** How an upstream is reached by a whole broker: what its keys say, and what a reload makes of them. */

const opened: { close(): Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.close();
});

async function brokerFor(options: TestBrokerOptions): Promise<TestBroker> {
  const test = await createTestBroker(options);
  opened.push(test);
  return test;
}

/** The answer to a good logout token: 200, or 503 where the upstream's keys cannot be had. */
async function logoutAt(test: TestBroker): Promise<number> {
  const body = new URLSearchParams({ logout_token: await test.upstream.logoutToken() });
  return (await fetch(`${test.origin}/backchannel-logout/corp`, { method: 'POST', body })).status;
}

describe('ca', () => {
  it('is read again when its file changes, without a restart', async () => {
    const certified = selfSigned();
    const upstream = await startFakeUpstream({ tls: certified });
    opened.push(upstream);
    const file = join(mkdtempSync(join(tmpdir(), 'gatehouse-ca-')), 'ca.pem');
    writeFileSync(file, selfSigned().cert);
    const yaml = { upstreams: { corp: { ca: { file } } } };
    const test = await brokerFor({ upstream, yaml });
    expect(await logoutAt(test)).toBe(503);
    expect(JSON.stringify(test.lines)).toMatch(/SELF_SIGNED[^"]*this upstream’s ca/);
    writeFileSync(file, certified.cert);
    test.reload(yaml);
    expect(await logoutAt(test)).toBe(200);
    writeFileSync(file, selfSigned().cert);
    test.reload(yaml);
    expect(await logoutAt(test)).toBe(503);
  });
});

describe('proxy', () => {
  it('at the top is what all upstreams are reached over, and a reload takes it away', async () => {
    const proxy = await startConnectProxy();
    opened.push(proxy);
    const test = await brokerFor({ yaml: { proxy: proxy.url } });
    expect(await logoutAt(test)).toBe(200);
    expect(new Set(proxy.tunnels)).toEqual(new Set([new URL(test.upstream.origin).host]));
    proxy.tunnels.length = 0;
    test.reload({ proxy: 'none' });
    expect(await logoutAt(test)).toBe(200);
    expect(proxy.tunnels).toEqual([]);
  });
});

describe('back_channel', () => {
  it('signs people in whose browser sees another origin', async () => {
    const upstream = await startFakeUpstream({ issuer: 'https://sso.example.com' });
    opened.push(upstream);
    const test = await brokerFor({ upstream, yaml: { upstreams: { corp: { back_channel: upstream.origin } } } });
    expect(await logoutAt(test)).toBe(200);
    const answers = ['/.well-known/openid-configuration', '/jwks'].map((path) => upstream.requestsTo(path).length);
    expect(answers).toEqual([1, 1]);
  });
});

describe('timeout', () => {
  it('ends a request that hangs', async () => {
    const test = await brokerFor({ yaml: { upstreams: { corp: { timeout: '1s' } } } });
    test.upstream.behaviour = { jwks: { trouble: 'hang' } };
    const startedAtMs = Date.now();
    expect(await logoutAt(test)).toBe(503);
    expect(Date.now() - startedAtMs).toBeLessThan(5000);
  });
});

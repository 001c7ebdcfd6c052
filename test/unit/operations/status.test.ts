import { describe, expect, it } from 'vitest';
import { sparkline } from '../../../src/operations/status/sparkline.ts';
import { createStatus, type StatusDeps } from '../../../src/operations/status/status.ts';
import { createStatusPage, durationOf } from '../../../src/operations/status/status-page.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { QUIET, TROUBLED } from '../../support/samples/sample-status.ts';

const SECOND = 1000;

function statusDeps(changes: Partial<StatusDeps> = {}): StatusDeps {
  const metrics = createMetrics();
  return {
    version: '0.2.0',
    publicUrl: 'https://login.example.com',
    upstreams: () => [{ id: 'corp', displayName: 'Example Corp' }],
    overview: () => metrics.overview(),
    storage: { kind: 'redis', isReady: async () => true },
    countPending: async () => 3,
    countSessions: () => undefined,
    isDraining: () => false,
    clock: Date.now,
    ...changes,
  };
}

describe('the status', () => {
  it('asks the storage once in two seconds, however many look', async () => {
    let now = 10 * SECOND;
    let asked = 0;
    const countPending = async () => {
      asked += 1;
      return asked;
    };
    const status = createStatus(statusDeps({ clock: () => now, countPending }));
    const seen = await Promise.all(Array.from({ length: 50 }, () => status()));
    expect(new Set(seen.map(({ pendingGrants }) => pendingGrants))).toEqual(new Set([1]));
    now += 1999;
    await status();
    expect(asked).toBe(1);
    now += 1;
    expect((await status()).pendingGrants).toBe(2);
    now -= 60 * SECOND;
    expect((await status()).pendingGrants).toBe(3);
  });

  it.each([
    ['says no', async () => false],
    ['fails', () => Promise.reject(new Error('away'))],
    ['hangs', () => new Promise<boolean>(() => {})],
  ])('is there with a storage that %s, which is asked nothing more', async (_, isReady) => {
    const countPending = () => Promise.reject(new Error('must not be asked'));
    const status = createStatus(statusDeps({ storage: { kind: 'redis', isReady }, countPending }));
    expect(await status()).toMatchObject({ storage: { kind: 'redis', answers: false }, pendingGrants: undefined });
  });

  it('has the device sessions of all clients, and none before they were counted', async () => {
    expect((await createStatus(statusDeps())()).sessions).toBeUndefined();
    const byClient = new Map([
      ['build-cli', 2],
      ['tv', 5],
    ]);
    const status = createStatus(statusDeps({ countSessions: () => ({ byClient, countedAtMs: 7 }) }));
    expect((await status()).sessions).toEqual({ alive: 7, countedAtMs: 7 });
  });

  it('has every upstream of the configuration in force, and none that was taken out', async () => {
    const metrics = createMetrics();
    metrics.upstreamAnswered('gone', 'token', 'ok', 0.1);
    metrics.upstreamAnswered('corp', 'token', 'unavailable', 10);
    metrics.upstreamAnswered('strict', 'token', 'client_rejected', 1);
    const ids = ['corp', 'new', 'strict'];
    const upstreams = () => ids.map((id) => ({ id, displayName: id }));
    const status = await createStatus(statusDeps({ upstreams, overview: () => metrics.overview() }))();
    expect(status.upstreams.map(({ id, state }) => [id, state])).toEqual([
      ['corp', 'away'],
      ['new', 'not_asked'],
      ['strict', 'rejects_us'],
    ]);
  });
});

describe('the page', () => {
  it('has no script, asks nobody for anything, and has only what the policy names', () => {
    const { html, contentSecurityPolicy } = createStatusPage()(TROUBLED);
    expect(html).not.toMatch(/<script|<form|src=|\son\w+=/i);
    expect(html).not.toMatch(/href="(?!data:,")/);
    expect(contentSecurityPolicy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+';/);
    expect(contentSecurityPolicy).not.toContain('unsafe');
  });

  it('escapes what the configuration says', () => {
    const { html } = createStatusPage()(TROUBLED);
    expect(html).toContain('Example &lt;Corp&gt; &amp; Sons');
  });

  it('says in words what is wrong, and where to look', () => {
    const { html } = createStatusPage()(TROUBLED);
    for (const words of ['does not answer', 'configuration was refused', 'refuses Gatehouse', 'ends soon']) {
      expect(html).toContain(words);
    }
    expect(html).toContain('it refuses Gatehouse’s own client, secret or key');
    expect(createStatusPage()(QUIET).html).not.toContain('class="bad"');
  });

  it.each([
    [0, '0 s'],
    [999, '0 s'],
    [-5, '0 s'],
    [61 * SECOND, '1 min 1 s'],
    [3600 * SECOND, '1 h'],
    [3605 * SECOND, '1 h'],
    [90_061 * SECOND, '1 d 1 h'],
  ])('writes %i ms as %s', (milliseconds, words) => expect(durationOf(milliseconds)).toBe(words));
});

describe('the sparkline', () => {
  it('is flat at the bottom without anything, and reaches the top at the highest', () => {
    expect(sparkline([0, 0, 0])).toMatchObject({ points: '0,78 10,78 20,78', width: 20, highest: 0, total: 0 });
    expect(sparkline([1, 4, 2])).toMatchObject({ points: '0,59 10,2 20,40', highest: 4, total: 7 });
    expect(sparkline([])).toMatchObject({ points: '', width: 10 });
  });
});

import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

describe('the metrics', () => {
  it('count by label values', async () => {
    const metrics = createMetrics();
    metrics.pollAnswered('build-cli', 'authorization_pending');
    metrics.pollAnswered('build-cli', 'authorization_pending');
    metrics.pollAnswered(undefined, 'invalid_client');
    metrics.grantDecided('build-cli', 'corp', 'approved');
    metrics.limitReached('starts_per_source');
    const { body, contentType } = await metrics.text();
    expect(contentType).toContain('text/plain');
    expect(body).toContain('gatehouse_polls_total{client="build-cli",outcome="authorization_pending"} 2\n');
    expect(body).toContain('gatehouse_polls_total{client="unknown",outcome="invalid_client"} 1\n');
    expect(body).toContain('gatehouse_decisions_total{client="build-cli",upstream="corp",decision="approved"} 1\n');
    expect(body).toContain('gatehouse_limited_total{limit="starts_per_source"} 1\n');
    expect(body).toContain('# TYPE gatehouse_polls_total counter');
  });

  it('show times as cumulative buckets with sum and count', async () => {
    const metrics = createMetrics();
    for (const seconds of [0.0004, 0.0005, 0.002, 60]) metrics.storageAnswered('poll', seconds);
    const { body } = await metrics.text();
    expect(body).toContain('# TYPE gatehouse_storage_seconds histogram');
    expect(body).toContain('gatehouse_storage_seconds_bucket{verb="poll",le="0.0005"} 2\n');
    expect(body).toContain('gatehouse_storage_seconds_bucket{verb="poll",le="0.0025"} 3\n');
    expect(body).toContain('gatehouse_storage_seconds_bucket{verb="poll",le="10"} 3\n');
    expect(body).toContain('gatehouse_storage_seconds_bucket{verb="poll",le="+Inf"} 4\n');
    expect(body).toContain('gatehouse_storage_seconds_sum{verb="poll"} 60.0029\n');
    expect(body).toContain('gatehouse_storage_seconds_count{verb="poll"} 4\n');
  });

  it('say whether an upstream is up by its last answer, and every answer of its own shows that it is', async () => {
    const metrics = createMetrics();
    metrics.upstreamAnswered('corp', 'token', 'unavailable', 10);
    metrics.upstreamAnswered('lab', 'token', 'unavailable', 10);
    metrics.upstreamAnswered('lab', 'token', 'invalid_grant', 0.1);
    const { body } = await metrics.text();
    expect(body).toContain('gatehouse_upstream_up{upstream="corp"} 0\n');
    expect(body).toContain('gatehouse_upstream_up{upstream="lab"} 1\n');
  });

  it('say whether the configuration file that was read last is in force', async () => {
    const metrics = createMetrics();
    expect((await metrics.text()).body).toContain('gatehouse_config_reload_success 1\n');
    metrics.configurationRead('refused');
    expect((await metrics.text()).body).toContain('gatehouse_config_reload_success 0\n');
    metrics.configurationRead('ok');
    expect((await metrics.text()).body).toContain('gatehouse_config_reload_success 1\n');
  });

  it('ask for what is not counted at each scrape, and leave out what nobody knows', async () => {
    let pending: number | undefined;
    const metrics = createMetrics({ pendingGrants: async () => pending, logLinesLost: () => 7 });
    expect((await metrics.text()).body).not.toMatch(/^gatehouse_pending_grants /m);
    pending = 3;
    const { body } = await metrics.text();
    expect(body).toContain('gatehouse_pending_grants 3\n');
    expect(body).toContain('gatehouse_log_lines_lost_total 7\n');
  });

  it('show the sessions that go on as of the last whole count, and when that was', async () => {
    const byClient = new Map([['build-cli', 3]]);
    let counted: { byClient: typeof byClient; countedAtMs: number } | undefined;
    const metrics = createMetrics({ sessionsAlive: () => counted });
    expect((await metrics.text()).body).not.toMatch(/^gatehouse_sessions_(alive|counted)/m);
    counted = { byClient, countedAtMs: 1_500_000 };
    const { body } = await metrics.text();
    expect(body).toContain('gatehouse_sessions_alive{client="build-cli"} 3\n');
    expect(body).toContain('gatehouse_sessions_counted_timestamp_seconds 1500\n');
  });

  // prom-client asks Node for these, partly by names that are Node's own affair, and leaves out what is not there.
  it.each([
    'nodejs_eventloop_lag_seconds',
    'nodejs_eventloop_lag_p99_seconds',
    'nodejs_heap_size_used_bytes',
    'nodejs_heap_space_size_used_bytes',
    'nodejs_gc_duration_seconds',
    'nodejs_active_handles_total',
    'nodejs_active_requests_total',
    'nodejs_active_resources_total',
    'process_resident_memory_bytes',
    'process_cpu_seconds_total',
    'process_open_fds',
  ])('include %s of the process', async (name) => {
    expect((await createMetrics().text()).body).toContain(`# TYPE ${name} `);
  });

  it('say that an upstream refuses Gatehouse until it gives tokens again; its metadata says nothing of that', async () => {
    const metrics = createMetrics();
    const rejected = async () => /^gatehouse_upstream_rejected.* (\d)$/m.exec((await metrics.text()).body)?.[1];
    metrics.upstreamAnswered('corp', 'token', 'client_rejected', 0.1);
    metrics.upstreamAnswered('corp', 'discovery', 'ok', 0.1);
    metrics.upstreamAnswered('corp', 'token', 'invalid_grant', 0.1);
    expect(await rejected()).toBe('1');
    metrics.upstreamAnswered('corp', 'refresh', 'ok', 0.1);
    expect(await rejected()).toBe('0');
    metrics.upstreamRejected('corp');
    expect(await rejected()).toBe('1');
    expect((await metrics.text()).body).toContain('gatehouse_upstream_up{upstream="corp"} 1');
  });

  it('name what runs', async () => {
    const { body } = await createMetrics({ version: '1.2.3' }).text();
    expect(body).toContain(`gatehouse_build_info{version="1.2.3",node="${process.versions.node}"} 1\n`);
    expect((await createMetrics().text()).body).not.toMatch(/^gatehouse_build_info\{/m);
  });
});

describe('the overview', () => {
  const MINUTE = 60_000;

  it('has sign-ins by the minute, for an hour, whatever the clock does', () => {
    let now = 1_000 * MINUTE;
    const metrics = createMetrics({ clock: () => now });
    const signIns = () => metrics.overview().signInsPerMinute;
    metrics.signInEnded('corp', 'approve', 'signed_in');
    metrics.signInEnded('corp', 'approve', 'failed', 'unavailable');
    now += MINUTE;
    metrics.signInEnded('corp', 'approve', 'signed_in');
    metrics.signInEnded('corp', 'manage', 'signed_in');
    expect(signIns().slice(-3)).toEqual([0, 1, 2]);
    now -= 5 * MINUTE;
    metrics.signInEnded('corp', 'approve', 'signed_in');
    expect(signIns().slice(-3)).toEqual([0, 1, 3]);
    now += 64 * MINUTE;
    expect(signIns()).toHaveLength(60);
    expect(signIns()[0]).toBe(3);
    now += 1000 * MINUTE;
    expect(signIns().every((count) => count === 0)).toBe(true);
  });

  it('has what was refused, raised and met, the most frequent first and no more than ten', () => {
    const metrics = createMetrics({ clock: () => 7 });
    metrics.signInEnded('corp', 'approve', 'failed', 'unavailable');
    metrics.signInEnded('lab', 'approve', 'failed', 'unavailable');
    metrics.signInEnded('lab', 'approve', 'refused', 'group');
    metrics.authorizationAnswered('tv', 'started');
    for (let times = 0; times < 3; times += 1) metrics.authorizationAnswered('tv', 'invalid_scope');
    metrics.signalRaised('campaign', 'signed_in');
    for (let each = 0; each < 12; each += 1) metrics.limitReached(`limit_${each}`);
    const { refusals, signals, limits, sinceMs } = metrics.overview();
    expect(refusals).toEqual([
      { what: 'start', reason: 'invalid_scope', count: 3 },
      { what: 'sign_in', reason: 'unavailable', count: 2 },
      { what: 'sign_in', reason: 'group', count: 1 },
    ]);
    expect(signals).toEqual([{ signal: 'campaign', at: 'signed_in', count: 1 }]);
    expect([limits.length, sinceMs]).toEqual([10, 7]);
  });

  it('remembers of an upstream the last answer and the last fault', () => {
    let now = 1;
    const metrics = createMetrics({ clock: () => now });
    metrics.upstreamAnswered('corp', 'token', 'ok', 0.1);
    now = 2;
    metrics.upstreamAnswered('corp', 'token', 'unavailable', 10);
    const corp = { upstream: 'corp', answeredAtMs: 1, lastFault: { fault: 'unavailable', atMs: 2 } };
    expect(metrics.overview().upstreams).toEqual([{ ...corp, outcome: 'unavailable', atMs: 2 }]);
    now = 3;
    metrics.upstreamAnswered('corp', 'refresh', 'ok', 0.1);
    expect(metrics.overview().upstreams).toEqual([{ ...corp, outcome: 'ok', atMs: 3, answeredAtMs: 3 }]);
  });

  it('says since when the configuration is in force, and when the last one was refused', () => {
    let now = 1;
    const metrics = createMetrics({ clock: () => now });
    now = 5;
    metrics.configurationRead('refused');
    expect(metrics.overview().configuration).toEqual({ inForceSinceMs: 1, refusedAtMs: 5 });
    now = 9;
    metrics.configurationRead('ok');
    expect(metrics.overview().configuration).toEqual({ inForceSinceMs: 9, refusedAtMs: undefined });
  });
});

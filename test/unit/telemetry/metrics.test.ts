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
});

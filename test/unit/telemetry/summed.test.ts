import { describe, expect, it } from 'vitest';
import { createEndedMetrics } from '../../../src/telemetry/ended-metrics.ts';
import { METRICS } from '../../../src/telemetry/metric-names.ts';
import { createMetrics } from '../../../src/telemetry/metrics.ts';
import { summedOverview } from '../../../src/telemetry/summed-overview.ts';

let nowMs = 1_000_000;
const process = (more = {}) => createMetrics({ clock: () => nowMs, ...more });

describe('the figures of several processes', () => {
  it('are sums where they are counted, with each label', async () => {
    const [one, other, above] = [process(), process(), process({ version: '1.2.3', pendingGrants: async () => 7 })];
    one.pollAnswered('tv', 'tokens');
    other.pollAnswered('tv', 'tokens');
    other.pollAnswered('tv', 'slow_down');
    one.storageAnswered('poll', 0.0004);
    other.storageAnswered('poll', 3);
    const { body } = await above.textWith([await one.figures(), await other.figures()]);
    expect(body).toContain('gatehouse_polls_total{client="tv",outcome="tokens"} 2');
    expect(body).toContain('gatehouse_polls_total{client="tv",outcome="slow_down"} 1');
    expect(body).toContain('gatehouse_storage_seconds_bucket{verb="poll",le="0.0005"} 1');
    expect(body).toContain('gatehouse_storage_seconds_count{verb="poll"} 2');
    // Asked once, by whoever answers; and of a process that there is once.
    expect(body).toMatch(/^gatehouse_pending_grants 7$/m);
    expect(body).toMatch(/^gatehouse_build_info\{version="1\.2\.3",node="[\d.]+"\} 1$/m);
    expect(body).toMatch(/^gatehouse_config_reload_success 1$/m);
    expect(body.match(/^process_start_time_seconds \d+/gm)).toHaveLength(1);
    // prom-client rounds it, so it may lie half a second ahead; a sum of three would be far beyond.
    expect(Number(/^process_start_time_seconds (\d+)/m.exec(body)?.[1])).toBeLessThan(Date.now() / 1000 + 1);
    for (const name of Object.keys(METRICS)) expect(body.split(`# TYPE ${name} `), name).toHaveLength(2);
  });

  it('of an upstream are what was heard last, whoever heard it', async () => {
    const [one, other, above] = [process(), process(), process()];
    one.upstreamAnswered('corp', 'token', 'unavailable', 1);
    other.upstreamAnswered('partner', 'token', 'client_rejected', 1);
    nowMs += 1000;
    other.upstreamAnswered('corp', 'token', 'ok', 1);
    one.upstreamAnswered('partner', 'discovery', 'unavailable', 1);
    const figures = [await other.figures(), await one.figures()];
    for (const order of [figures, figures.toReversed()]) {
      const { body } = await above.textWith(order);
      expect(body).toMatch(/^gatehouse_upstream_up\{upstream="corp"\} 1$/m);
      expect(body).toMatch(/^gatehouse_upstream_up\{upstream="partner"\} 0$/m);
      expect(body).toMatch(/^gatehouse_upstream_rejected\{upstream="partner"\} 1$/m);
    }
  });

  it('do not fall when processes end, however many', async () => {
    const above = process();
    const ended = createEndedMetrics();
    for (let n = 0; n < 50; n += 1) {
      const worker = process();
      worker.pollAnswered('tv', 'tokens');
      worker.upstreamAnswered('corp', 'token', 'unavailable', 1);
      ended.add(await worker.figures());
    }
    await expect.poll(() => ended.all().length).toBeLessThan(40);
    const { body } = await above.textWith(ended.all());
    expect(body).toContain('gatehouse_polls_total{client="tv",outcome="tokens"} 50');
    // What was heard last of an upstream stays true when its hearer has ended.
    expect(body).toMatch(/^gatehouse_upstream_up\{upstream="corp"\} 0$/m);
  });
});

it('what several processes noticed is one overview', () => {
  const [above, one, other] = [process(), process(), process()];
  one.signInEnded('corp', 'approve', 'signed_in');
  one.signInEnded('corp', 'approve', 'refused', 'approvers');
  one.upstreamAnswered('corp', 'token', 'unavailable', 1);
  nowMs += 60_000;
  other.signInEnded('corp', 'approve', 'signed_in');
  other.signInEnded('corp', 'approve', 'refused', 'approvers');
  other.limitReached('starts_per_source');
  other.upstreamAnswered('corp', 'token', 'ok', 1);
  const told = summedOverview(above.overview(), [one.overview(), other.overview()]);
  expect(told.signInsPerMinute.slice(-2)).toEqual([1, 1]);
  expect(told.refusals).toEqual([{ what: 'sign_in', reason: 'approvers', count: 2 }]);
  expect(told.limits).toEqual([{ limit: 'starts_per_source', count: 1 }]);
  expect(told.upstreams).toEqual([
    {
      upstream: 'corp',
      outcome: 'ok',
      atMs: nowMs,
      answeredAtMs: nowMs,
      lastFault: { fault: 'unavailable', atMs: nowMs - 60_000 },
    },
  ]);
});

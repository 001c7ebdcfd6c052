import type { OAuthErrorCode } from '../oauth/oauth-error.ts';
import type { AuditLine } from './audit/audit-events.ts';
import type { MetricName } from './metric-names.ts';
import { createOverview, type Overview } from './overview.ts';
import type { MetricRows, ProcessMetrics } from './prometheus-text.ts';
import { createTally, createTimeTally, type Tally, type TimeTally } from './tally.ts';

export type UpstreamStep = 'discovery' | 'token' | 'userinfo' | 'refresh' | 'revoke';

/** A registered client's id; `undefined` for any other, so that a caller cannot make new label values. */
type ClientLabel = string | undefined;

/** What is counted while Gatehouse runs. It outlives reloads: a counter that falls back to 0 reads as a restart. */
export interface Metrics {
  authorizationAnswered(client: ClientLabel, outcome: 'started' | OAuthErrorCode): void;
  pollAnswered(client: ClientLabel, outcome: 'tokens' | OAuthErrorCode): void;
  refreshAnswered(client: ClientLabel, outcome: 'tokens' | 'answered_again' | 'lost' | OAuthErrorCode): void;
  signInEnded(upstream: string, purpose: string, outcome: 'signed_in' | 'failed' | 'refused', reason?: string): void;
  signalRaised(signal: string, at: 'opened' | 'signed_in' | 'approved' | 'denied'): void;
  grantDecided(client: ClientLabel, upstream: string, decision: 'approved' | 'denied'): void;
  confirmationAnswered(client: string, outcome: 'loopback' | 'digits' | 'wrong' | 'spent' | 'denied' | 'ended'): void;
  sessionBegun(client: string): void;
  sessionEnded(client: ClientLabel, reason: string, count?: number): void;
  sessionShared(client: string): void;
  /** Also says whether the upstream is up: every answer of its own, whatever it says, shows that it is. */
  upstreamAnswered(upstream: string, step: UpstreamStep, outcome: string, seconds: number): void;
  /** Gatehouse itself is refused there, in whichever way that was told. */
  upstreamRejected(upstream: string): void;
  storageAnswered(verb: string, seconds: number): void;
  limitReached(limit: string): void;
  configurationRead(outcome: 'ok' | 'refused'): void;
  auditSent(target: 'webhook' | 'on_approval', line: AuditLine, outcome: 'delivered' | 'dropped', count: number): void;
  /** The same for people, with the moments that a counter does not have. */
  overview(): Overview;
  /** The text of `/metrics`, in Prometheus' format. */
  text(): Promise<{ contentType: string; body: string }>;
}

/** Of a process that is one of several, or that tells of several. */
export interface MetricsOfMany extends Metrics {
  workerEnded(): void;
  figures(): Promise<ProcessMetrics>;
  /** The text of `/metrics` for this process and the others together. */
  textWith(others: readonly ProcessMetrics[]): Promise<{ contentType: string; body: string }>;
}

/** What is not counted but asked for at each scrape; `undefined` leaves the metric out of that scrape. */
export interface MetricSources {
  pendingGrants?: () => Promise<number | undefined>;
  sessionsAlive?: () => SessionsAlive | undefined;
  logLinesLost?: () => number;
  /** Workers that serve. */
  workers?: () => number;
  /** Of Gatehouse. */
  version?: string;
  /** Milliseconds since the epoch. */
  clock?: () => number;
}

/** By client; a registered one, or `unknown`. */
export interface SessionsAlive {
  byClient: ReadonlyMap<string, number>;
  countedAtMs: number;
}

export function createMetrics(sources: MetricSources = {}): MetricsOfMany {
  const { clock = Date.now } = sources;
  const authorizations = createTally();
  const polls = createTally();
  const refreshes = createTally();
  const signIns = createTally();
  const signals = createTally();
  const decisions = createTally();
  const confirmations = createTally();
  const sessionsBegun = createTally();
  const sessionsEnded = createTally();
  const sharedSessions = createTally();
  const upstreamSeconds = createTimeTally();
  const upstreamUp = createTally(clock);
  const upstreamRejected = createTally(clock);
  const storageSeconds = createTimeTally();
  const limited = createTally();
  const reloadSuccess = createTally();
  const reloads = createTally();
  const auditEvents = createTally();
  const workersEnded = createTally();
  const buildInfo = createTally();
  reloadSuccess.set([], 1);
  if (sources.version !== undefined) buildInfo.set([sources.version, process.versions.node], 1);
  const { note, overview } = createOverview(clock, {
    signIns,
    starts: authorizations,
    signals,
    limited,
  });

  const tallies: Partial<Record<MetricName, Tally | TimeTally>> = {
    gatehouse_device_authorizations_total: authorizations,
    gatehouse_polls_total: polls,
    gatehouse_refreshes_total: refreshes,
    gatehouse_sign_ins_total: signIns,
    gatehouse_signals_total: signals,
    gatehouse_decisions_total: decisions,
    gatehouse_confirmations_total: confirmations,
    gatehouse_sessions_begun_total: sessionsBegun,
    gatehouse_sessions_ended_total: sessionsEnded,
    gatehouse_sessions_shared_total: sharedSessions,
    gatehouse_upstream_seconds: upstreamSeconds,
    gatehouse_upstream_up: upstreamUp,
    gatehouse_upstream_rejected: upstreamRejected,
    gatehouse_storage_seconds: storageSeconds,
    gatehouse_limited_total: limited,
    gatehouse_config_reload_success: reloadSuccess,
    gatehouse_config_reloads_total: reloads,
    gatehouse_audit_events_total: auditEvents,
    gatehouse_workers_ended_total: workersEnded,
    gatehouse_build_info: buildInfo,
  };
  async function rowsOf(name: MetricName): Promise<Iterable<MetricRows>> {
    switch (name) {
      case 'gatehouse_pending_grants':
        // With the storage away the rest is what one wants to see.
        return single(await sources.pendingGrants?.().catch(() => undefined));
      case 'gatehouse_workers':
        return single(sources.workers?.() ?? 0);
      case 'gatehouse_sessions_alive':
        return [...(sources.sessionsAlive?.()?.byClient ?? [])].map(([client, value]) => ({ labels: [client], value }));
      case 'gatehouse_sessions_counted_timestamp_seconds': {
        const alive = sources.sessionsAlive?.();
        return single(alive && alive.countedAtMs / 1000);
      }
      case 'gatehouse_log_lines_lost_total':
        return single(sources.logLinesLost?.());
      default:
        return tallies[name]?.rows() ?? [];
    }
  }
  const prometheus = once(async () => (await import('./prometheus-text.ts')).createPrometheusText(rowsOf));

  return {
    authorizationAnswered: (client = 'unknown', outcome) => authorizations.add([client, outcome]),
    pollAnswered: (client = 'unknown', outcome) => polls.add([client, outcome]),
    refreshAnswered: (client = 'unknown', outcome) => refreshes.add([client, outcome]),
    signInEnded(upstream, purpose, outcome, reason = '') {
      signIns.add([upstream, purpose, outcome, reason]);
      if (outcome === 'signed_in') note.signIn();
    },
    signalRaised: (signal, at) => signals.add([signal, at]),
    grantDecided: (client = 'unknown', upstream, decision) => decisions.add([client, upstream, decision]),
    confirmationAnswered: (client, outcome) => confirmations.add([client, outcome]),
    sessionBegun: (client) => sessionsBegun.add([client]),
    sessionEnded: (client = 'unknown', reason, count = 1) => sessionsEnded.add([client, reason], count),
    sessionShared: (client) => sharedSessions.add([client]),
    upstreamAnswered(upstream, step, outcome, seconds) {
      upstreamSeconds.add([upstream, step, outcome], seconds);
      upstreamUp.set([upstream], outcome === 'unavailable' ? 0 : 1);
      note.upstream(upstream, outcome);
      // Its metadata is for everybody; tokens are for those that it knows.
      if (outcome === 'client_rejected') upstreamRejected.set([upstream], 1);
      else if (outcome === 'ok' && (step === 'token' || step === 'refresh')) upstreamRejected.set([upstream], 0);
    },
    upstreamRejected(upstream) {
      upstreamRejected.set([upstream], 1);
      note.upstream(upstream, 'client_rejected');
    },
    storageAnswered: (verb, seconds) => storageSeconds.add([verb], seconds),
    limitReached: (limit) => limited.add([limit]),
    configurationRead(outcome) {
      reloads.add([outcome]);
      reloadSuccess.set([], outcome === 'ok' ? 1 : 0);
      note.configuration(outcome);
    },
    workerEnded: () => workersEnded.add([]),
    auditSent: (target, line, outcome, count) => auditEvents.add([target, line, outcome], count),
    overview,
    async text() {
      const registry = await prometheus();
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    figures: async () => (await prometheus()).getMetricsAsJSON(),
    async textWith(others) {
      const [registry, { summedMetrics }] = await Promise.all([prometheus(), import('./summed-metrics.ts')]);
      const body = await summedMetrics([await registry.getMetricsAsJSON(), ...others]).metrics();
      return { contentType: registry.contentType, body };
    },
  };
}

function single(value: number | undefined): MetricRows[] {
  return value === undefined ? [] : [{ labels: [], value }];
}

function once<Value>(make: () => Promise<Value>): () => Promise<Value> {
  let made: Promise<Value> | undefined;
  return () => {
    made ??= make();
    return made;
  };
}

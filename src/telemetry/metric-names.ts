export interface MetricRow {
  kind: 'counter' | 'gauge' | 'histogram';
  help: string;
  labels: readonly string[];
  /** What several workers have is summed; of these it is what was set last, or what the process above them has. */
  together?: 'latest' | 'first';
}

/**
 * Every metric of ours: name → kind, meaning, labels; docs/operations/metrics.md is this table in Markdown.
 * No label holds what a caller chose: a client that is not registered is `unknown`, the rest are closed lists.
 */
export const METRICS = {
  gatehouse_device_authorizations_total: {
    kind: 'counter',
    help: 'Device authorization requests by client and outcome (`started`, or the error code that was given).',
    labels: ['client', 'outcome'],
  },
  gatehouse_polls_total: {
    kind: 'counter',
    help: 'Device access token requests by client and outcome (`tokens`, or the error code that was given).',
    labels: ['client', 'outcome'],
  },
  gatehouse_refreshes_total: {
    kind: 'counter',
    help: 'Refreshes by client and outcome (`tokens`, `answered_again`, `lost`, or the error code that was given).',
    labels: ['client', 'outcome'],
  },
  gatehouse_sign_ins_total: {
    kind: 'counter',
    help: 'Ways to an upstream that ended, by purpose (`approve`, `manage`, `enter`), outcome and reason: `signed_in`; `failed` with the fault; `refused`, besides `signed_in`, with what of `approvers` stands against the account.',
    labels: ['upstream', 'purpose', 'outcome', 'reason'],
  },
  gatehouse_signals_total: {
    kind: 'counter',
    help: 'Phishing signals by name and by the step: `opened` (the code was entered), `signed_in`, or `approved` or `denied` after the confirm page had warned.',
    labels: ['signal', 'at'],
  },
  gatehouse_decisions_total: {
    kind: 'counter',
    help: 'Grants decided, by client, upstream and decision (`approved`, `denied`).',
    labels: ['client', 'upstream', 'decision'],
  },
  gatehouse_confirmations_total: {
    kind: 'counter',
    help: 'Digits and proofs that devices sent, by client and outcome: tokens by `loopback` or `digits`; `wrong`; or too late (`spent`, `denied`, `ended`).',
    labels: ['client', 'outcome'],
  },
  gatehouse_sessions_begun_total: {
    kind: 'counter',
    help: 'Device sessions begun, by client.',
    labels: ['client'],
  },
  gatehouse_sessions_alive: {
    kind: 'gauge',
    help: 'Device sessions that go on, by client, as of the last whole count: each scrape, and each look at `/status`, looks at a thousand more. Absent before the first. All replicas count the same: take the maximum, not the sum.',
    labels: ['client'],
    together: 'first',
  },
  gatehouse_sessions_counted_timestamp_seconds: {
    kind: 'gauge',
    help: 'When the last count of `gatehouse_sessions_alive` was whole.',
    labels: [],
    together: 'first',
  },
  gatehouse_sessions_ended_total: {
    kind: 'counter',
    help: 'Device sessions ended, by client and reason, as `session.ended` has it. What a kill mark or a logout has ended is counted when its device next comes; what a command of an administrator ended one by one (`administrator`), when the command is done, at one replica. What ends by its time is not.',
    labels: ['client', 'reason'],
  },
  gatehouse_sessions_shared_total: {
    kind: 'counter',
    help: 'Answers to refreshes that were asked for again from another network, by client.',
    labels: ['client'],
  },
  gatehouse_upstream_seconds: {
    kind: 'histogram',
    help: 'Time that an upstream took, by step (`discovery`, `token`, `userinfo`, `refresh`, `revoke`) and outcome (`ok`, or the fault).',
    labels: ['upstream', 'step', 'outcome'],
  },
  gatehouse_upstream_up: {
    kind: 'gauge',
    help: '1 while the last call to an upstream was answered, 0 after one that was not; absent before the first.',
    labels: ['upstream'],
    together: 'latest',
  },
  gatehouse_upstream_rejected: {
    kind: 'gauge',
    help: '1 after an upstream refused Gatehouse’s own credentials or registration, 0 once it gave tokens again; an administrator must act. Such an upstream is up.',
    labels: ['upstream'],
    together: 'latest',
  },
  gatehouse_storage_seconds: {
    kind: 'histogram',
    help: 'Time that the storage took, by verb of its contract.',
    labels: ['verb'],
  },
  gatehouse_limited_total: {
    kind: 'counter',
    help: 'Requests that met a limit, by the limit’s name in the configuration, or `campaign`, `overload`, `sign_ins_per_grant`, `sign_ins_per_source` or `encrypted_logout_tokens`.',
    labels: ['limit'],
  },
  gatehouse_pending_grants: {
    kind: 'gauge',
    help: 'Grants started within one code lifetime, decided or not: what `limits.pending_total` counts.',
    labels: [],
    together: 'first',
  },
  gatehouse_config_reload_success: {
    kind: 'gauge',
    help: '1 when the last configuration that was read is in force, 0 when it had problems and the old one stays.',
    labels: [],
    together: 'first',
  },
  gatehouse_config_reloads_total: {
    kind: 'counter',
    help: 'Configurations read again, by outcome (`ok`, `refused`).',
    labels: ['outcome'],
  },
  gatehouse_audit_events_total: {
    kind: 'counter',
    help: 'Audit events sent to a target of `audit:` (`webhook`, `on_approval`), by the line that they wait in (`decisions`, `sessions`, `others`) and outcome (`delivered`, `dropped`).',
    labels: ['target', 'line', 'outcome'],
  },
  gatehouse_build_info: {
    kind: 'gauge',
    help: 'Always 1; the versions of Gatehouse and of Node are its labels.',
    labels: ['version', 'node'],
    together: 'first',
  },
  gatehouse_workers: {
    kind: 'gauge',
    help: 'Workers that serve; 0 where one process does without (`workers: 1`).',
    labels: [],
    together: 'first',
  },
  gatehouse_workers_ended_total: {
    kind: 'counter',
    help: 'Workers that ended without being asked to, and were replaced.',
    labels: [],
  },
  gatehouse_log_lines_lost_total: {
    kind: 'counter',
    help: 'Log lines that could not be written.',
    labels: [],
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;

/** Whether of several processes' values the one that was set last counts. */
export function isLatest(name: string): boolean {
  const row: MetricRow | undefined = Object.hasOwn(METRICS, name) ? METRICS[name as MetricName] : undefined;
  return row?.together === 'latest';
}

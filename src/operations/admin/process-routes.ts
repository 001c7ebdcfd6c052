import type { Status } from '../status/status.ts';
import type { AdminRoute } from './admin-route.ts';
import { reference } from './schemas.ts';
import { timeOf } from './session-form.ts';

export interface ProcessRoutesDeps {
  status: () => Promise<Status>;
  /** Reads the configuration again; answers when it is in force or refused. */
  reload: () => Promise<ReloadOutcome>;
}

export type ReloadOutcome = { outcome: 'ok' } | { outcome: 'refused'; problems: readonly string[] };

export function processRoutes({ status, reload }: ProcessRoutesDeps): AdminRoute[] {
  return [
    {
      method: 'GET',
      path: '/admin/status',
      operationId: 'showStatus',
      summary: 'How the process that was asked fares.',
      parameters: {},
      answer: reference('Status'),
      handle: async () => statusForPrograms(await status()),
    },
    {
      method: 'POST',
      path: '/admin/reload',
      operationId: 'reload',
      summary:
        'Reads the configuration of the process that was asked again, as a change of its file does. Other replicas read theirs when the file changes.',
      parameters: {},
      answer: reference('Reload'),
      async handle({ note }) {
        const read = await reload();
        note({ outcome: read.outcome });
        return { outcome: read.outcome, problems: read.outcome === 'refused' ? read.problems : [] };
      },
    },
  ];
}

function statusForPrograms(status: Status): Record<string, unknown> {
  const { inForceSinceMs, refusedAtMs } = status.configuration;
  return {
    public_url: status.publicUrl,
    version: status.version,
    at: timeOf(status.nowMs),
    started_at: timeOf(status.startedAtMs),
    draining: status.isDraining,
    configuration_in_force_since: timeOf(inForceSinceMs),
    configuration_refused_at: momentOrNull(refusedAtMs),
    storage: status.storage.kind,
    storage_answers: status.storage.answers,
    pending_grants: status.pendingGrants ?? null,
    sessions_alive: status.sessions?.alive ?? null,
    sessions_counted_at: momentOrNull(status.sessions?.countedAtMs),
    upstreams: status.upstreams.map(({ id, displayName, state, answeredAtMs, lastFault }) => ({
      id,
      display_name: displayName,
      state,
      answered_at: momentOrNull(answeredAtMs),
      last_fault: lastFault?.fault ?? null,
      last_fault_at: momentOrNull(lastFault?.atMs),
    })),
    sign_ins_per_minute: status.signInsPerMinute,
  };
}

function momentOrNull(ms: number | undefined): string | null {
  return ms === undefined ? null : timeOf(ms);
}

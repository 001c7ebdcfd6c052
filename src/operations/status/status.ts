import type { SessionCount } from '../../device-sessions/count-sessions.ts';
import type { Overview } from '../../telemetry/overview.ts';
import type { UpstreamFault } from '../../upstream/upstream.ts';

/**
 * Operations is the third door: what an operator's browser and a help desk's tools ask, on a listener of its own that is
 * never public. `status/` shows how this process fares; `admin/` looks at sessions and grants, and ends them.
 */

/** How this process fares. Nothing in it is a secret, and nothing tells of one person or device. */
export interface Status extends Omit<Overview, 'upstreams' | 'sinceMs'> {
  publicUrl: string;
  version: string;
  nowMs: number;
  startedAtMs: number;
  isDraining: boolean;
  storage: { kind: string; answers: boolean };
  /** `undefined` while the storage does not answer. */
  pendingGrants: number | undefined;
  /** `undefined` before the first whole count. */
  sessions: { alive: number; countedAtMs: number } | undefined;
  upstreams: readonly UpstreamStatus[];
}

export interface UpstreamStatus {
  id: string;
  displayName: string;
  state: 'up' | 'away' | 'rejects_us' | 'not_asked';
  answeredAtMs: number | undefined;
  lastFault: { fault: UpstreamFault; atMs: number } | undefined;
}

export interface StatusDeps {
  version: string;
  publicUrl: string;
  upstreams: () => Iterable<{ id: string; displayName: string }>;
  overview: () => Overview | Promise<Overview>;
  storage: { readonly kind: string; isReady(): Promise<boolean> };
  countPending: () => Promise<number>;
  countSessions: () => SessionCount | undefined;
  isDraining: () => boolean;
  /** Milliseconds since the epoch. */
  clock: () => number;
}

/** What a page that somebody reloads costs: two commands to the storage in this time. */
const KEPT_MS = 2000;
/** A storage that hangs is one that does not answer; the page is for when things are bad. */
const PATIENCE_MS = 1000;

/** Gathers it, and keeps it for a moment: however many ask, the storage is asked twice in two seconds at most. */
export function createStatus(deps: StatusDeps): () => Promise<Status> {
  let kept: { atMs: number; status: Promise<Status> } | undefined;
  return () => {
    const nowMs = deps.clock();
    if (kept === undefined || nowMs - kept.atMs >= KEPT_MS || nowMs < kept.atMs) {
      kept = { atMs: nowMs, status: gather(deps, nowMs) };
    }
    return kept.status;
  };
}

async function gather(deps: StatusDeps, nowMs: number): Promise<Status> {
  const { storage, version, publicUrl } = deps;
  const { sinceMs, upstreams: asked, ...overview } = await deps.overview();
  const answers = (await inTime(storage.isReady())) === true;
  return {
    ...overview,
    ...{ publicUrl, version, nowMs, startedAtMs: sinceMs },
    isDraining: deps.isDraining(),
    storage: { kind: storage.kind, answers },
    pendingGrants: answers ? await inTime(deps.countPending()) : undefined,
    sessions: sumOf(deps.countSessions()),
    upstreams: [...deps.upstreams()].map(({ id, displayName }) => {
      const seen = asked.find(({ upstream }) => upstream === id);
      const { answeredAtMs, lastFault } = seen ?? {};
      return { id, displayName, state: stateOf(seen?.outcome), answeredAtMs, lastFault } as UpstreamStatus;
    }),
  };
}

function sumOf(count: SessionCount | undefined): Status['sessions'] {
  if (count === undefined) return undefined;
  return { alive: [...count.byClient.values()].reduce((sum, alive) => sum + alive, 0), countedAtMs: count.countedAtMs };
}

function stateOf(outcome: string | undefined): UpstreamStatus['state'] {
  if (outcome === undefined) return 'not_asked';
  if (outcome === 'unavailable') return 'away';
  return outcome === 'client_rejected' ? 'rejects_us' : 'up';
}

/** `undefined` for what fails or does not come in time. */
async function inTime<Value>(asked: Promise<Value>): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE_MS, undefined);
  });
  try {
    return await Promise.race([asked.catch(() => undefined), tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

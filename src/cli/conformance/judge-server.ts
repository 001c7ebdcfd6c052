import { ALL_CHECKS } from './all-checks.ts';
import { CannotBeSeenError } from './cannot-be-seen-error.ts';
import { type Check, cannotBeSeen, type Result, type Verdict } from './check.ts';
import type { ServerUnderTest } from './server-under-test.ts';

/** Waiting is most of the time, so some checks wait beside one another; each device among them keeps its interval. */
const AT_ONCE = 4;
/** A whole run, whatever the server does. */
const MAX_RUN_MS = 15 * 60 * 1000;

/** @param atOnce 1 where a test moves the time */
export async function judgeServer(
  server: ServerUnderTest,
  atOnce = AT_ONCE,
  onResult: (result: Result) => void = () => {},
): Promise<Result[]> {
  const until = server.approach.now() + MAX_RUN_MS;
  const results = new Map<Check, Result>();
  const judge = async (check: Check) => {
    const isLate = server.approach.now() > until;
    const verdict = isLate ? cannotBeSeen('the run took too long') : await verdictOf(check, server);
    results.set(check, { check, ...verdict });
    onResult({ check, ...verdict });
  };
  // The longest begin first, so that the others are done meanwhile; what looks at all answers comes last.
  const waiting = ALL_CHECKS.active.toSorted((a, b) => secondsOf(b, server) - secondsOf(a, server));
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await judge(next);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  for (const check of ALL_CHECKS.ofAllAnswers) await judge(check);
  return allChecks().flatMap((check) => results.get(check) ?? []);
}

/** In the order of the report. */
export function allChecks(): readonly Check[] {
  return [...ALL_CHECKS.active, ...ALL_CHECKS.ofAllAnswers];
}

export function estimatedSeconds(server: ServerUnderTest): number {
  const seconds = ALL_CHECKS.active.map((check) => secondsOf(check, server));
  const total = seconds.reduce((sum, one) => sum + one, 0);
  return Math.ceil(Math.max(total / AT_ONCE, ...seconds));
}

function secondsOf({ seconds }: Check, server: ServerUnderTest): number {
  return seconds?.(server) ?? 0;
}

async function verdictOf(check: Check, server: ServerUnderTest): Promise<Verdict> {
  try {
    return await check.run(server);
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    // A connection that broke says nothing of a requirement either.
    return cannotBeSeen(error instanceof CannotBeSeenError ? words : `it could not be asked: ${words}`);
  }
}

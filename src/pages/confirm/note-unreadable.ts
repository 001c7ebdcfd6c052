import type { DecisionOutcome } from '../../grants/decide/decide-grant.ts';
import type { LogFieldsOf } from '../../telemetry/log-events.ts';
import type { PageContext } from '../frame/page-context.ts';

/** Somebody else has written to the storage; the page there says that the code is of no use any more. */
export function noteUnreadable(
  { deps }: Pick<PageContext, 'deps'>,
  { requestId, grant, client }: LogFieldsOf<'storage.rejected'>,
  decided: DecisionOutcome,
): void {
  if (decided.outcome !== 'unreadable') return;
  deps.log.event('storage.rejected', { requestId, grant, client, detail: decided.error.message });
}

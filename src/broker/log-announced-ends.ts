import { createAnnouncedEndsReader } from '../device-sessions/announced-ends.ts';
import { StorageUnavailableError } from '../ledger/ledger.ts';
import { logTag } from '../telemetry/logger.ts';
import type { ProcessContext } from './context.ts';

/**
 * Brings what administrators' commands have ended into this process's log and metrics, and so into its audit.
 *
 * @param isClient whether it is registered now; others have no label of their own
 */
export function createAnnouncedEndsLog(
  { storage, sealing, logger, metrics }: ProcessContext,
  isClient: (id: string) => boolean,
): () => Promise<void> {
  const { ledger } = storage;
  const read = createAnnouncedEndsReader({ ledger, sealing }, (error) => {
    logger.event('storage.rejected', { detail: `an announced end: ${error instanceof Error ? error.message : ''}` });
  });
  let isReading = false;
  return async () => {
    if (isReading) return;
    isReading = true;
    try {
      for await (const announced of read()) {
        if ('counts' in announced) {
          for (const [client, count] of announced.counts) {
            metrics.sessionEnded(isClient(client) ? client : undefined, 'administrator', count);
          }
          continue;
        }
        const { beforeMs, sessionId, device, command, ...end } = announced;
        logger.event('admin.ended', {
          ...end,
          ...(sessionId !== undefined && { session: logTag(sessionId), grant: logTag(sessionId) }),
          before: new Date(beforeMs).toISOString(),
          detail: device === undefined ? command : `${command}, devices called ${JSON.stringify(device)}`,
        });
      }
    } catch (error) {
      // The storage says so itself; what was announced is still there when it is back.
      if (!(error instanceof StorageUnavailableError)) throw error;
    } finally {
      isReading = false;
    }
  };
}

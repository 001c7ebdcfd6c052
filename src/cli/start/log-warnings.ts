import type { Config } from '../../config/config.ts';
import { formatProblem } from '../../config/config-error.ts';
import type { Logger } from '../../telemetry/logger.ts';

/** What the configuration is taken with, though somebody should look at it. */
export function logWarnings({ file, warnings }: Config, logger: Pick<Logger, 'event'>): void {
  for (const warning of warnings) logger.event('config.warning', { file, detail: formatProblem(warning) });
}

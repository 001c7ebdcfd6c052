import { type FSWatcher, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Broker } from '../broker.ts';
import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/config-error.ts';
import { loadConfig } from '../config/load-config.ts';
import { diffNeedingRestart } from '../config/needs-restart.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Editors and ConfigMaps write in several steps; this long after the last of them the file is read. */
const SETTLED_MS = 200;

/**
 * Reads the configuration again on SIGHUP, and when one of its files changes. A broken file is reported and the old
 * configuration stays in force. Folders are watched, not files: an editor replaces the file, Kubernetes a link beside it.
 */
export function reloadOnChange(
  started: Config,
  broker: Pick<Broker, 'reload'>,
  { logger, metrics }: { logger: Logger; metrics: Pick<Metrics, 'configurationRead'> },
): () => void {
  let inForce = started;
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];

  async function reload(): Promise<void> {
    const { file } = started;
    try {
      const next = await loadConfig(file);
      for (const detail of diffNeedingRestart(started, next)) logger.event('config.restart_needed', { file, detail });
      for (const detail of next.warnings) logger.event('config.warning', { file, detail });
      broker.reload(withoutRestart(started, next));
      logger.setLevel(next.log.level);
      metrics.configurationRead('ok');
      logger.event('config.reloaded', { file });
      inForce = next;
      watchFolders();
    } catch (error) {
      metrics.configurationRead('refused');
      if (!(error instanceof ConfigError)) throw error;
      logger.event('config.refused', { file, problems: error.message.split('\n') });
    }
  }

  function soon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => void reload(), SETTLED_MS);
  }

  function watchFolders(): void {
    for (const watcher of watchers) watcher.close();
    const folders = new Set(inForce.filesRead.map((path) => dirname(path)));
    watchers = [...folders].map((folder) => watch(folder, { persistent: false }, soon).on('error', () => {}));
  }

  watchFolders();
  process.on('SIGHUP', soon);
  return () => {
    clearTimeout(timer);
    process.off('SIGHUP', soon);
    for (const watcher of watchers) watcher.close();
  };
}

/** What was fixed at the start stays as it was started, so that a half of it cannot change. */
function withoutRestart(started: Config, next: Config): Config {
  const { publicUrl, listen, operations, storage, sealing, compatibility } = started;
  return { ...next, publicUrl, listen, operations, storage, sealing, compatibility };
}

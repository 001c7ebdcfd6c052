import { type FSWatcher, realpathSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import type { Broker } from '../broker.ts';
import type { Config } from '../config/config.ts';
import { ConfigError, formatProblem } from '../config/config-error.ts';
import { loadConfig } from '../config/load-config.ts';
import { diffNeedingRestart } from '../config/needs-restart.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';

/** Editors and ConfigMaps write in several steps; this long after the last of them the file is read. */
const SETTLED_MS = 200;

export interface Reloading {
  inForce(): Config;
  stop(): void;
}

/**
 * Reads the configuration again on SIGHUP, and when one of its files changes. A broken file is reported and the old
 * configuration stays in force. Folders are watched, not files: an editor replaces the file, Kubernetes a link beside it.
 */
export function reloadOnChange(
  started: Config,
  broker: Pick<Broker, 'reload'>,
  { logger, metrics }: { logger: Logger; metrics: Pick<Metrics, 'configurationRead'> },
): Reloading {
  const { file } = started;
  let inForce = started;
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];
  /** The files as they stood when they were last read, and as they stand while it is waited that they settle. */
  let read = standOf(started.filesRead);
  let settling = '';
  /** One after the other, so that what was read first cannot come into force last. */
  let turn = Promise.resolve();

  async function reload(): Promise<void> {
    const { filesRead } = inForce;
    // Before they are read, so that what is written meanwhile is a change.
    read = standOf(filesRead);
    settling = '';
    try {
      const next = await loadConfig(file);
      for (const detail of diffNeedingRestart(started, next)) logger.event('config.restart_needed', { file, detail });
      for (const warning of next.warnings) logger.event('config.warning', { file, detail: formatProblem(warning) });
      broker.reload(withoutRestart(started, next));
      inForce = next;
      if (next.filesRead.join() !== filesRead.join()) read = standOf(next.filesRead);
      logger.setLevel(next.log.level);
      metrics.configurationRead('ok');
      logger.event('config.reloaded', { file });
    } catch (error) {
      // Whatever it is: a running broker does not end because of a file that somebody is working on.
      metrics.configurationRead('refused');
      const message = error instanceof ConfigError ? error.message : `${file} could not be used: ${String(error)}`;
      logger.event('config.refused', { file, problems: message.split('\n') });
    }
    watchFolders();
  }

  function soon(): void {
    clearTimeout(timer);
    timer = setTimeout(() => {
      turn = turn.then(reload);
    }, SETTLED_MS);
  }

  /** Whatever else is written in the folder, our own log perhaps, brings no reload and puts none off. */
  function folderChanged(): void {
    const stand = standOf(inForce.filesRead);
    if (stand === read || stand === settling) return;
    settling = stand;
    soon();
  }

  function watchFolders(): void {
    for (const watcher of watchers) watcher.close();
    watchers = foldersOf(inForce.filesRead).flatMap((folder) => watched(folder, folderChanged));
  }

  watchFolders();
  process.on('SIGHUP', soon);
  return {
    inForce: () => inForce,
    stop() {
      clearTimeout(timer);
      process.off('SIGHUP', soon);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Tells whether one of the files was written or replaced since. */
function standOf(files: readonly string[]): string {
  return files.map(standOfFile).join();
}

function standOfFile(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch {
    return 'gone';
  }
}

/** Where the files are named, and where they really are: either a link or what it leads to may change. */
function foldersOf(files: readonly string[]): string[] {
  return [...new Set(files.flatMap((path) => [dirname(path), dirname(realPathOf(path))]))];
}

function realPathOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** A folder that is gone, or one too many for the system, cannot be watched; SIGHUP still works then. */
function watched(folder: string, onChange: () => void): FSWatcher[] {
  try {
    return [watch(folder, { persistent: false }, onChange).on('error', () => {})];
  } catch {
    return [];
  }
}

/** What was fixed at the start stays as it was started, so that a half of it cannot change. */
function withoutRestart(started: Config, next: Config): Config {
  const { publicUrl, listen, operations, storage, sealing, compatibility } = started;
  return { ...next, publicUrl, listen, operations, storage, sealing, compatibility };
}

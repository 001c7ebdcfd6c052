import { type FSWatcher, watch } from 'node:fs';
import type { Config } from '../../config/config.ts';
import { ConfigError } from '../../config/config-error.ts';
import type { ReloadOutcome } from '../../operations/admin/process-routes.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { loadConfigAside } from './load-config-aside.ts';
import { logWarnings } from './log-warnings.ts';
import { foldersOf, standOf } from './watched-files.ts';

/** Editors and ConfigMaps write in several steps; this long after the last of them the file is read. */
const SETTLED_MS = 200;

/** What a configuration is brought into force in: a broker, or processes that have one each. */
export interface Reloadable {
  /** The keys that another configuration has and that only a restart brings into force. */
  needsRestart(next: Config): readonly string[];
  /**
   * Brings the rest of it into force.
   *
   * @param isAsked whether somebody asked for it by SIGHUP, and did not only write a file
   */
  reload(next: Config, isAsked: boolean): void | Promise<void>;
}

export interface Reloading {
  inForce(): Config;
  /** Reads it now, after whatever is being read; answers what became of it. */
  now(): Promise<ReloadOutcome>;
  stop(): void;
}

/**
 * Reads the configuration again on SIGHUP, and when one of its files changes. A broken file is reported and the old
 * configuration stays in force. Folders are watched, not files: an editor replaces the file, Kubernetes a link beside it.
 */
export async function reloadOnChange(
  started: Config,
  reloadable: Reloadable,
  { logger, metrics }: { logger: Pick<Logger, 'event' | 'setLevel'>; metrics: Pick<Metrics, 'configurationRead'> },
): Promise<Reloading> {
  const { file } = started;
  let inForce = started;
  let timer: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];
  let isStopped = false;
  /** The files as they stood when they were last read, and as they stand while it is waited that they settle. */
  let read = await standOf(started);
  let settling = '';
  let isToBeLookedAt = false;
  let isAsked = false;
  /** One after the other, so that what was read first cannot come into force last. */
  let turn: Promise<unknown> = Promise.resolve();

  async function reload(): Promise<ReloadOutcome> {
    let outcome: ReloadOutcome = { outcome: 'ok' };
    // Before they are read, so that what is written meanwhile is a change.
    read = await standOf(inForce);
    settling = '';
    const asked = isAsked;
    isAsked = false;
    try {
      const next = await loadConfigAside(file);
      for (const detail of reloadable.needsRestart(next)) logger.event('config.restart_needed', { file, detail });
      logWarnings(next, logger);
      await reloadable.reload(next, asked);
      // Of what came to be read only now nobody knows how it stood before; of the others something may have changed.
      if ((await standOf(inForce)) !== read) soon();
      inForce = next;
      read = await standOf(next);
      logger.setLevel(next.log.level);
      metrics.configurationRead('ok');
      logger.event('config.reloaded', { file });
    } catch (error) {
      // Whatever it is: a running broker does not end because of a file that somebody is working on.
      metrics.configurationRead('refused');
      const message = error instanceof ConfigError ? error.message : `${file} could not be used: ${String(error)}`;
      outcome = { outcome: 'refused', problems: message.split('\n') };
      logger.event('config.refused', { file, problems: outcome.problems });
    }
    await watchFolders();
    return outcome;
  }

  function inTurn<Outcome>(work: () => Promise<Outcome>): Promise<Outcome> {
    const done = turn.then(work);
    // One that fails must not be the last: whoever asked hears of it.
    turn = done.catch(() => {});
    return done;
  }

  function soon(): void {
    clearTimeout(timer);
    if (isStopped) return;
    timer = setTimeout(() => {
      void inTurn(reload).catch(failed);
    }, SETTLED_MS);
  }

  function soonAsAsked(): void {
    isAsked = true;
    soon();
  }

  function folderChanged(): void {
    if (isToBeLookedAt) return;
    isToBeLookedAt = true;
    void inTurn(look).catch(failed);
  }

  /** Nobody asked for it who could be told. */
  function failed(error: unknown): void {
    logger.event('config.refused', { file, problems: [`${file} could not be read again: ${String(error)}`] });
  }

  /** Whatever else is written in the folder, our own log perhaps, brings no reload and puts none off. */
  async function look(): Promise<void> {
    isToBeLookedAt = false;
    const stand = await standOf(inForce);
    if (stand === read || stand === settling) return;
    settling = stand;
    soon();
  }

  async function watchFolders(): Promise<void> {
    const folders = await foldersOf(inForce);
    for (const watcher of watchers) watcher.close();
    watchers = isStopped ? [] : folders.flatMap((folder) => watched(folder, folderChanged));
    // What was written before its folder was watched.
    await look();
  }

  process.on('SIGHUP', soonAsAsked);
  await watchFolders();
  return {
    inForce: () => inForce,
    now: () => inTurn(reload),
    stop() {
      isStopped = true;
      clearTimeout(timer);
      process.off('SIGHUP', soonAsAsked);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** A folder that is gone, or one too many for the system, cannot be watched; SIGHUP still works then. */
function watched(folder: string, onChange: () => void): FSWatcher[] {
  try {
    return [watch(folder, { persistent: false }, onChange).on('error', () => {})];
  } catch {
    return [];
  }
}

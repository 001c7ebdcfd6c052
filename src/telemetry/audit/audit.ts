/**
 * Audit lines: decisions, sessions and their ends, chained on request and sent to webhooks. Noise of strangers has a line of its
 * own, so that it fills no other.
 */

import { isSameSettings } from '../../sealing/same-settings.ts';
import type { LogEventName } from '../log-events.ts';
import { type Logger, permittedFields } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import { type AuditClass, auditClass, logClass } from './audit-events.ts';
import { type AuditOutlet, createAuditOutlet } from './audit-outlet.ts';
import { type AuditEvent, createAuditWindow } from './audit-window.ts';
import { type AuditSettings, type AuditTarget, createWebhook } from './webhook.ts';

export interface AuditDeps {
  logger: Logger;
  metrics: Pick<Metrics, 'auditSent'>;
  /** Milliseconds since the epoch. */
  clock: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  randomBytes: (size: number) => Buffer;
  /** What of an address counts as one source. */
  sourceOf: (address: string) => string;
}

/** A logger that also sends audit events on; whatever the log's level, and without anybody waiting for it. */
export interface AuditingLogger extends Logger {
  /** For a reload. */
  setTargets(settings: AuditSettings): void;
}

type TargetName = 'webhook' | 'on_approval';

interface Target {
  settings: AuditTarget;
  outlet: AuditOutlet;
}

const ID_BYTES = 16;
const REPORT_EVERY_MS = 10_000;
/** What is left of the events when the process ends gets this long. */
const LAST_EVENTS_MS = 5_000;

/**
 * Sends audit events on to their targets, and lines to the log. What strangers can send without end is told together and waits by itself, so
 * it takes no place from what somebody decided. What cannot be delivered is lost for the target and said so, in the
 * log, in a metric and with the next delivery: a webhook that is away must not cost memory, and never a sign-in.
 */
export function auditingLogger(deps: AuditDeps, settings: AuditSettings): AuditingLogger {
  const { logger, metrics, clock, sleep, randomBytes, sourceOf } = deps;
  const closing = new AbortController();
  const window = createAuditWindow({ clock, sleep, sourceOf }, send);
  const logged = createAuditWindow({ clock, sleep, sourceOf }, write);
  /** Each with what says at last how much of it was lost. */
  const outlets = new Map<AuditOutlet, () => void>();
  let targets = new Map<TargetName, Target>();
  let isChained = false;
  setTargets(settings);

  function setTargets({ webhook, onApproval, chain = false }: AuditSettings): void {
    const next = new Map<TargetName, Target>();
    for (const [name, target] of [['webhook', webhook] as const, ['on_approval', onApproval] as const]) {
      if (target !== undefined) next.set(name, keptOrNew(name, target));
    }
    targets = next;
    setChain(chain);
  }

  /** One that is changed goes on until it has sent what it has. */
  function keptOrNew(name: TargetName, target: AuditTarget): Target {
    const known = targets.get(name);
    if (known !== undefined && isSameSettings(known.settings, target)) return known;
    const outlet = newOutlet(name, target);
    if (known !== undefined) void known.outlet.whenIdle().then(() => outlets.delete(known.outlet));
    return { settings: target, outlet };
  }

  function newOutlet(name: TargetName, target: AuditTarget): AuditOutlet {
    const report = createLossReport(name, { logger, sleep });
    const outlet = createAuditOutlet({
      post: createWebhook(target, { clock, sleep, closing: closing.signal }),
      onDelivered: (line, count) => metrics.auditSent(name, line, 'delivered', count),
      onDropped(line, count, reason) {
        metrics.auditSent(name, line, 'dropped', count);
        report.add(count, reason);
      },
    });
    outlets.set(outlet, report.finish);
    return outlet;
  }

  function setChain(isOn: boolean): void {
    if (isOn === isChained) return;
    isChained = isOn;
    if (isOn) logger.beginChain(randomBytes(ID_BYTES).toString('base64url'));
    event(isOn ? 'audit.chain_began' : 'audit.chain_ended', {});
    if (!isOn) logger.endChain();
  }

  function send({ name, line, fields, atMs, together }: AuditEvent): void {
    const id = `evt_${randomBytes(ID_BYTES).toString('base64url')}`;
    const chain = logger.chainHead();
    const body = JSON.stringify({
      id,
      time: new Date(atMs).toISOString(),
      event: name,
      ...fields,
      ...(together !== undefined && { count: together.count, until: new Date(together.untilMs).toISOString() }),
      // How far the log had come: one that has no such line any more was cut or written anew.
      ...(chain !== undefined && { chain }),
    });
    const message = { id, body, count: together?.count ?? 1 };
    targets.get('webhook')?.outlet.push(line, message);
    if (name === 'grant.approved') targets.get('on_approval')?.outlet.push(line, message);
  }

  function write({ name, fields, atMs, together }: AuditEvent): void {
    const several = together && { count: together.count, since: new Date(atMs).toISOString() };
    logger.event(name, { ...fields, ...several });
  }

  function closeAll(): void {
    for (const [outlet, finish] of outlets) {
      outlet.close();
      finish();
    }
    closing.abort();
  }

  function event(name: LogEventName, fields: Record<string, unknown>): void {
    const asLine = logClass(name);
    if (asLine === undefined) logger.event(name, fields);
    else logged.take(name, asLine, fields);
    if (targets.size === 0) return;
    const found: AuditClass | undefined = auditClass(name, fields);
    if (found !== undefined) window.take(name, found, permittedFields(name, fields));
  }

  return {
    ...logger,
    event: (name, fields) => event(name, fields ?? {}),
    // Gathered also where the log's level is too high for it.
    writes: (name) => logger.writes(name) || (auditClass(name) !== undefined && targets.has('webhook')),
    setTargets,
    async flush() {
      logged.flush();
      setChain(false);
      window.flush();
      const limit = setTimeout(() => closeAll(), LAST_EVENTS_MS);
      await Promise.all([...outlets.keys()].map((outlet) => outlet.whenIdle()));
      clearTimeout(limit);
      closeAll();
      await logger.flush();
    },
  };
}

/** Says at once that something was lost, and then how much, every ten seconds: a line per event would be one more flood. */
function createLossReport(target: TargetName, { logger, sleep }: Pick<AuditDeps, 'logger' | 'sleep'>) {
  let count = 0;
  let reason = '';
  let isPausing = false;
  function say(): void {
    if (count === 0 || isPausing) return;
    logger.event('audit.lost', { detail: `audit.${target}: ${reason}`, count });
    count = 0;
    isPausing = true;
    void sleep(REPORT_EVERY_MS).then(() => {
      isPausing = false;
      say();
    });
  }
  return {
    add(more: number, why: string): void {
      count += more;
      reason = why;
      say();
    },
    /** Says what is unsaid. */
    finish(): void {
      isPausing = false;
      say();
    },
  };
}

import { createHmac } from 'node:crypto';
import type { AuditSettings, AuditTarget } from './audit-settings.ts';
import type { LogEventName } from './log-events.ts';
import { type Logger, permittedFields } from './logger.ts';

/** What somebody did or was refused, as opposed to how the process fares. Each is a log line too. */
export const AUDIT_EVENTS: ReadonlySet<LogEventName> = new Set<LogEventName>([
  'client.refused',
  'limit.reached',
  'grant.started',
  'code.wrong',
  'link.followed',
  'campaign.noticed',
  'grant.opened',
  'grant.opened_again',
  'sign_in.started',
  'sign_in.finished',
  'sign_in.failed',
  'account.refused',
  'page.refused',
  'grant.approved',
  'grant.denied',
  'grant.undone',
  'grant.redeemed',
  'grant.refused',
  'grant.replayed',
  'session.refreshed',
  'session.ended',
  'logout.received',
  'storage.rejected',
]);

export interface AuditGround {
  logger: Logger;
  /** Milliseconds since the epoch. */
  clock: () => number;
  sleep: (milliseconds: number) => Promise<void>;
}

/** A logger that also sends audit events on; whatever the log's level, and without anybody waiting for it. */
export interface AuditingLogger extends Logger {
  /** For a reload. */
  setTargets(settings: AuditSettings): void;
}

const SECOND = 1000;
const MOST_WAITING = 1000;
const TRIES = 5;
const WITHIN_MS = 10 * SECOND;

/**
 * Events go out one by one and in order, each tried a few times with growing pauses. What a target has not taken by then,
 * or what would wait behind a thousand others, is lost and said so in the log: a webhook that is away must not cost
 * memory, and never a sign-in.
 */
export function auditingLogger({ logger, clock, sleep }: AuditGround, settings: AuditSettings): AuditingLogger {
  let lines = linesOf(settings);

  function linesOf({ webhook, onApproval }: AuditSettings) {
    return { webhook: webhook && outgoing(webhook), onApproval: onApproval && outgoing(onApproval) };
  }

  function outgoing(target: AuditTarget): (body: string) => void {
    let waiting = 0;
    let last: Promise<void> = Promise.resolve();
    return (body) => {
      if (waiting >= MOST_WAITING)
        return logger.event('audit.lost', { detail: 'a thousand events are waiting already' });
      waiting += 1;
      last = last
        .then(() => deliver(target, body))
        .finally(() => {
          waiting -= 1;
        });
    };
  }

  async function deliver(target: AuditTarget, body: string): Promise<void> {
    let detail = '';
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (tries > 0) await sleep(2 ** (tries - 1) * SECOND);
      try {
        const headers = { 'Content-Type': 'application/json', ...signature(target, body, clock()) };
        const signal = AbortSignal.timeout(WITHIN_MS);
        const response = await fetch(target.url, { method: 'POST', headers, body, signal, redirect: 'error' });
        await response.body?.cancel();
        if (response.ok) return;
        detail = `answered ${response.status}`;
      } catch (error) {
        detail = error instanceof Error ? error.message : String(error);
      }
    }
    logger.event('audit.lost', { detail: `${new URL(target.url).origin} took no event in ${TRIES} tries: ${detail}` });
  }

  return {
    ...logger,
    event(name, fields) {
      logger.event(name, fields);
      if (!AUDIT_EVENTS.has(name) || (lines.webhook ?? lines.onApproval) === undefined) return;
      const body = JSON.stringify({
        time: new Date(clock()).toISOString(),
        event: name,
        ...permittedFields(name, fields ?? {}),
      });
      lines.webhook?.(body);
      if (name === 'grant.approved') lines.onApproval?.(body);
    },
    // Gathered also where the log's level is too high for it.
    writes: (name) => logger.writes(name) || (AUDIT_EVENTS.has(name) && lines.webhook !== undefined),
    setTargets(next) {
      lines = linesOf(next);
    },
  };
}

/** `t` is the moment, `v1` the HMAC-SHA-256 of `<t>.<body>`: a copy that is sent again later can be told by its age. */
function signature({ secret }: AuditTarget, body: string, nowMs: number): Record<string, string> {
  if (secret === undefined) return {};
  const t = Math.floor(nowMs / SECOND);
  const v1 = createHmac('sha256', secret.reveal()).update(`${t}.${body}`).digest('hex');
  return { 'Gatehouse-Signature': `t=${t},v1=${v1}` };
}

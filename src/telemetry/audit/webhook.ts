import { createHmac } from 'node:crypto';
import type { Secret } from '../../sealing/secret.ts';

export interface WebhookDeps {
  /** Milliseconds since the epoch. */
  clock: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  /** Aborted when nothing is to be tried any more. */
  closing: AbortSignal;
}

const SECOND = 1000;
const TRIES = 5;
const WITHIN_MS = 10 * SECOND;
const STANDARD_SECRET = 'whsec_';

/**
 * Posts to a webhook, some times with growing pauses. Every try of a message has its id and its body, and a time of its
 * own, so a receiver can tell a double from a copy that somebody sends again later.
 *
 * @returns why the target did not take it, in words; `undefined` where it did
 */
export function createWebhook(target: AuditTarget, { clock, sleep, closing }: WebhookDeps) {
  const place = new URL(target.url).origin;

  async function tryOnce(id: string, body: string): Promise<string | undefined> {
    // By hand: signals made of a signal that lives as long as the process are kept as long as that, on older Nodes.
    const giveUp = new AbortController();
    const abort = () => giveUp.abort();
    const timer = setTimeout(() => giveUp.abort(new Error(`no answer within ${WITHIN_MS / SECOND} s`)), WITHIN_MS);
    closing.addEventListener('abort', abort);
    try {
      const headers = { 'Content-Type': 'application/json', ...signedHeaders(target, id, body, clock()) };
      const { signal } = giveUp;
      const response = await fetch(target.url, { method: 'POST', headers, body, signal, redirect: 'error' });
      await response.body?.cancel();
      return response.ok ? undefined : `answered ${response.status}`;
    } catch (error) {
      return reasonOf(error);
    } finally {
      clearTimeout(timer);
      closing.removeEventListener('abort', abort);
    }
  }

  return async function post(id: string, body: string): Promise<string | undefined> {
    let reason = '';
    for (let tries = 0; tries < TRIES && !closing.aborted; tries += 1) {
      if (tries > 0) await sleep(2 ** (tries - 1) * SECOND);
      const failure = await tryOnce(id, body);
      if (failure === undefined) return undefined;
      reason = failure;
    }
    return `${place} took no event in ${TRIES} tries: ${reason}`;
  };
}

/**
 * Standard Webhooks: `webhook-signature` is the HMAC-SHA-256 of `<id>.<seconds>.<body>` in base64. `Gatehouse-Signature`
 * is for receivers that are older than it: the HMAC of `<seconds>.<body>` in hexadecimal digits.
 */
function signedHeaders({ secret }: AuditTarget, id: string, body: string, nowMs: number): Record<string, string> {
  const seconds = String(Math.floor(nowMs / SECOND));
  const named = { 'webhook-id': id, 'webhook-timestamp': seconds };
  if (secret === undefined) return named;
  const v1 = createHmac('sha256', standardKey(secret.reveal())).update(`${id}.${seconds}.${body}`).digest('base64');
  const older = createHmac('sha256', secret.reveal()).update(`${seconds}.${body}`).digest('hex');
  return { ...named, 'webhook-signature': `v1,${v1}`, 'Gatehouse-Signature': `t=${seconds},v1=${older}` };
}

/** A secret in the standard's form is base64 after its prefix; any other is taken as it is written. */
function standardKey(secret: string): Buffer {
  return secret.startsWith(STANDARD_SECRET)
    ? Buffer.from(secret.slice(STANDARD_SECRET.length), 'base64')
    : Buffer.from(secret);
}

/** Whether a secret that claims the standard's form has it. */
export function isStandardSecret(secret: string): boolean {
  if (!secret.startsWith(STANDARD_SECRET)) return true;
  const key = secret.slice(STANDARD_SECRET.length);
  return /^[A-Za-z0-9+/]+={0,2}$/.test(key) && standardKey(secret).length >= 16;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message} (${cause.message})` : error.message;
}

/** Where audit events go besides the log, and whether their log lines are chained. */
export interface AuditSettings {
  /** Every audit event. */
  webhook?: AuditTarget;
  /** Only that a device now acts as somebody. */
  onApproval?: AuditTarget;
  /** Each audit line of the log carries the hash of the one before. */
  chain?: boolean;
}

export interface AuditTarget {
  url: string;
  /** Signs what is sent. */
  secret?: Secret;
}

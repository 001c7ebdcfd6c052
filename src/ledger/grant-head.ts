import type { Holder } from './ledger.ts';

/**
 * The beginning of a stored grant: the few facts that a driver must judge by itself, in one step with the pace.
 * Fields are divided by `|`, which none of them contains; what follows the head is the domain's alone.
 *
 *     attempt | client (percent-encoded) | challenge | jkt | interval ms | expires ms | kept for ms after that | …
 *
 * @example
 * ```ts
 * import type { GrantHead } from 'gatehouse-broker';
 *
 * const isOver = (head: GrantHead, nowMs: number): boolean => nowMs >= head.expiresAtMs;
 * ```
 */
export interface GrantHead extends Holder {
  attempt: string;
  intervalMs: number;
  /** End of the code's lifetime. */
  expiresAtMs: number;
  /** When the grant's entries vanish; until then an expired code is answered as expired. */
  keptUntilMs: number;
}

export function encodeGrantHead(head: GrantHead): string {
  const { attempt, clientId, challenge, jkt, intervalMs, expiresAtMs, keptUntilMs } = head;
  const keptForMs = keptUntilMs - expiresAtMs;
  return [attempt, encodeURIComponent(clientId), challenge, jkt, intervalMs, expiresAtMs, keptForMs].join('|');
}

/**
 * @example
 * ```ts
 * import { decodeGrantHead } from 'gatehouse-broker';
 *
 * const { clientId, intervalMs } = decodeGrantHead('a1|build-cli|||5000|1767225600000|600000|sealed');
 * ```
 */
export function decodeGrantHead(grant: string): GrantHead {
  const [attempt = '', clientId = '', challenge = '', jkt = '', intervalMs, expiresAtMs, keptForMs] = grant.split(
    '|',
    7,
  );
  return {
    attempt,
    clientId: decodeURIComponent(clientId),
    challenge,
    jkt,
    intervalMs: Number(intervalMs),
    expiresAtMs: Number(expiresAtMs),
    keptUntilMs: Number(expiresAtMs) + Number(keptForMs),
  };
}

/**
 * Whether the poller holds the grant: the client that started it (RFC 8628 §3.4), with the PKCE verifier if and only
 * if the start gave a challenge, and with the DPoP key if the start gave one. A proof beside an unbound grant is fine:
 * it binds the tokens only.
 *
 * @example
 * ```ts
 * import { decodeGrantHead, type Holder, isHolder, type PollFacts } from 'gatehouse-broker';
 *
 * // What a driver asks first: for anybody else the grant is not there.
 * function stranger(grant: string, holder: Holder): PollFacts | undefined {
 *   return isHolder(decodeGrantHead(grant), holder) ? undefined : { state: 'unknown' };
 * }
 * ```
 */
export function isHolder(head: Holder, holder: Holder): boolean {
  return (
    head.clientId === holder.clientId &&
    head.challenge === holder.challenge &&
    (head.jkt === '' || head.jkt === holder.jkt)
  );
}

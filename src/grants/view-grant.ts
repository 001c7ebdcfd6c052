/**
 * Grants are the domain: what a device asked, what a person decided, and what becomes of both. `start/`, `decide/` and
 * `redeem/` have its three steps; here is what all three look at. No HTTP, Redis, Express or openid-client is known here.
 */

import { newAttempt } from '../ledger/attempt.ts';
import { openDecision } from '../ledger/decision.ts';
import {
  decisionEntry,
  endedEntry,
  grantEntry,
  openedAgainEntry,
  openedEntry,
  spentEntry,
  userCodeEntry,
} from '../ledger/entry-keys.ts';
import { decodeGrant, type Grant } from '../ledger/grant.ts';
import { SealBrokenError, type Sealing } from '../sealing/sealing.ts';
import type { GrantDeps } from './start/start-grant.ts';
import { normaliseUserCode } from './start/user-code.ts';

/** How a grant looks to the pages. */
export interface GrantView {
  grant: Grant;
  nowMs: number;
  state: 'pending' | 'approved' | 'denied' | 'ended' | 'expired';
  /** When denied: whose refusal it was. */
  deniedBy?: 'person' | 'report' | 'upstream';
  /** The browser that decided, as a fingerprint. */
  decidedBy?: string | undefined;
  /** When approved: what that browser was told, sealed to it. */
  receipt?: string | undefined;
  redeemed: boolean;
  /** The code was entered in another browser too, before or after this one. */
  openElsewhere: boolean;
}

/**
 * Finds the pending grant of a typed user code. A wrong, an expired and a decided code are told apart nowhere: to a
 * guesser they are all just wrong.
 */
export async function findByUserCode(deps: GrantDeps, typed: string, browser: string): Promise<GrantView | undefined> {
  const { ledger, sealing, userCodes } = deps;
  const code = normaliseUserCode(typed, userCodes);
  if (code === undefined) return undefined;
  for (const tag of sealing.tags('user code', code)) {
    const index = (await ledger.read([userCodeEntry(tag)])).values[0];
    if (index === undefined) continue;
    const view = await viewGrant(deps, index.slice(0, index.indexOf('|')), browser);
    if (view?.grant.userCodeTag === tag && view.state === 'pending') return view;
  }
  return undefined;
}

/** Notes that this browser has the code open: the first browser, and the first other one. */
export async function markOpened(deps: GrantDeps, grant: Grant, browser: string): Promise<void> {
  for (const key of [openedEntry(grant.id), openedAgainEntry(grant.id)]) {
    const attempt = newAttempt(deps.randomBytes);
    const value = deps.sealing.vouch(key, `${attempt}|${browser}`);
    const marked = await deps.ledger.commit({
      attempt,
      writes: [{ key, value, expiresAtMs: grant.keptUntilMs }],
      requires: [grantEntry(grant.id)],
    });
    if (marked.outcome !== 'lost' || isOpenedBy(browser, key, marked.existing, deps.sealing)) return;
  }
}

/**
 * A grant as it stands now, or `undefined` where there is none.
 *
 * @param browser fingerprint of the browser that looks, as `markOpened` was given it
 * @throws {SealingKeyMissingError} when it was sealed under a key that is not configured here
 */
export async function viewGrant(deps: GrantDeps, id: string, browser: string): Promise<GrantView | undefined> {
  const { ledger, sealing } = deps;
  const { nowMs, values } = await ledger.read([
    grantEntry(id),
    decisionEntry(id),
    spentEntry(id),
    endedEntry(id),
    openedEntry(id),
    openedAgainEntry(id),
  ]);
  const [stored, decided, spent, ended, opened, openedAgain] = values;
  if (stored === undefined) return undefined;
  try {
    const grant = decodeGrant(id, stored, sealing);
    const decision = decided === undefined ? undefined : await openDecision(grant, decided, sealing);
    const inTime = nowMs <= grant.expiresAtMs;
    return {
      grant,
      nowMs,
      state: ended !== undefined ? 'ended' : (decision?.decision ?? (inTime ? 'pending' : 'expired')),
      ...(decision?.decision === 'denied' && { deniedBy: decision.by }),
      decidedBy: decision?.browser,
      ...(decision?.decision === 'approved' && { receipt: decision.receipt }),
      redeemed: spent !== undefined,
      openElsewhere:
        openedAgain !== undefined || (opened !== undefined && !isOpenedBy(browser, openedEntry(id), opened, sealing)),
    };
  } catch (error) {
    if (error instanceof SealBrokenError) return undefined;
    throw error;
  }
}

function isOpenedBy(browser: string, key: string, stored: string, sealing: Sealing): boolean {
  return sealing.check(key, stored).split('|')[1] === browser;
}

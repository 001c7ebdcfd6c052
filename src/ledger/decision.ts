import { openAsDevice, sealToDevice } from '../sealing/device-seal.ts';
import type { Sealing } from '../sealing/sealing.ts';
import type { Secret } from '../sealing/secret.ts';
import type { Approval } from './approval.ts';
import { afterAttempt } from './attempt.ts';
import type { Grant } from './grant.ts';
import { type Form, openVersioned, sealVersioned } from './versioned-seal.ts';

/**
 * A decision as it is stored: `<attempt>|<outer JWE>`. The outer seal (sealing key; grant, client and end in its
 * context) is what makes it a decision: only a broker can have written it. The approval inside is sealed once more, to
 * the device code, so that neither the storage nor the sealing key gives it away. The receipt, for the page that says
 * what was approved, opens in the browser that did.
 */
export type Decision =
  | { decision: 'approved'; inner: string; browser: string; heldUntilMs?: number; receipt?: string }
  | { decision: 'denied'; by: DeniedBy; browser?: string };

/** `upstream` is a refusal that nobody signed in for; it is audited as unauthenticated. */
export type DeniedBy = 'person' | 'report' | 'upstream';

const FORM: Form = { kind: 'decision', format: 1 };

export async function sealDecision(
  attempt: string,
  grant: Grant,
  decision: Decision,
  sealing: Sealing,
): Promise<string> {
  return `${attempt}|${await sealVersioned(sealing, FORM, decision, context(grant))}`;
}

export function sealApproval(approval: Approval, grant: Grant): string {
  return sealToDevice(approval, grant.publicKey);
}

/** @throws {SealBrokenError} when no broker wrote it for this grant */
export async function openDecision(grant: Grant, stored: string, sealing: Sealing): Promise<Decision> {
  return openVersioned(sealing, FORM, afterAttempt(stored), context(grant));
}

/** What the person approved; needs the device code. */
export function openApproval(decision: Decision & { decision: 'approved' }, deviceCode: Secret): Approval {
  return openAsDevice(decision.inner, deviceCode) as Approval;
}

/** Binds a decision to its grant: the same blob under another id, client, key or lifetime does not open. */
function context(grant: Grant): string {
  return `decision ${grant.id} ${grant.clientId} ${grant.publicKey} ${grant.expiresAtMs}`;
}

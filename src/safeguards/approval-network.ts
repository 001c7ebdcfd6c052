import type { Safeguards } from '../clients/registered-client.ts';
import { cidrSet } from '../network/cidr.ts';

/** Whether a device may start from here; an empty list does not restrict. */
export function mayInitiateFrom({ initiateFrom }: Pick<Safeguards, 'initiateFrom'>, address: string): boolean {
  return initiateFrom.length === 0 || cidrSet(initiateFrom).has(address);
}

/** Whether a person may approve from here. Denying is free everywhere. */
export function mayApproveFrom({ approveFrom }: Pick<Safeguards, 'approveFrom'>, address: string): boolean {
  return approveFrom.length === 0 || cidrSet(approveFrom).has(address);
}

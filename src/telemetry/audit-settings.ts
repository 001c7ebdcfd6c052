import type { Secret } from '../sealing/secret.ts';

/** Where audit events go besides the log. */
export interface AuditSettings {
  /** Every audit event. */
  webhook?: AuditTarget;
  /** Only that a device now acts as somebody. */
  onApproval?: AuditTarget;
}

export interface AuditTarget {
  url: string;
  /** Signs what is sent. */
  secret?: Secret;
}

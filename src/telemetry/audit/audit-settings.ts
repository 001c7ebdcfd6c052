import type { Secret } from '../../sealing/secret.ts';

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

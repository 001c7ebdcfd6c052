import type { Secret } from '../../sealing/secret.ts';

/** Who may ask the admin API. */
export type AdminSettings =
  /** Whoever has it; all of them are one to the audit. */
  | { by: 'token'; token: Secret }
  /** Whom an upstream's token shows to be in one of these groups. */
  | { by: 'upstream'; upstream: string; groups: readonly string[]; audience: string };

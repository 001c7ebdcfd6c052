import type { Secret } from './secret.ts';

export interface SealingSettings {
  /** 32 bytes in base64url each; the first seals, all open. */
  keys: readonly Secret[];
}

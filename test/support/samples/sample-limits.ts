import type { LimitSettings } from '../../../src/limits/limit-settings.ts';

/** The defaults of the configuration, which a test of the configuration states once more. */
export const LIMITS: LimitSettings = {
  wrongCodesPerSource: 50,
  wrongCodesTotal: 1000,
  wrongCodesPerBrowser: 10,
  wrongCodesPerSubject: 20,
  failedAuthenticationsPerSource: 20,
  failedAuthenticationsPerClient: 1000,
  approvalsPerSubject: 20,
  startsPerSource: 60,
  pendingPerSource: 1000,
  pendingPerClient: 100_000,
  pendingTotal: 1_000_000,
};

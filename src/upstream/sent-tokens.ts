import { checkOperatorToken } from './claims/operator-token.ts';
import { checkLogoutToken, type SentTokenRule } from './logout-token.ts';
import type { ProviderMetadata } from './requests/upstream-requests.ts';
import { withinDeadline } from './requests/within-deadline.ts';
import { signingAlgorithms } from './signing-algorithms.ts';
import type { Upstream } from './upstream.ts';
import { neededForCheck } from './upstream-faults.ts';

export interface SentTokensDeps extends Pick<SentTokenRule, 'settings' | 'keys' | 'encryptionKeys'> {
  metadata: () => Promise<ProviderMetadata>;
  clock: () => number;
  timeoutMs: number;
}

/** What is said of tokens that somebody sends us, and that we did not ask for. */
export function createSentTokens(deps: SentTokensDeps): Pick<Upstream, 'verifyLogoutToken' | 'verifyOperatorToken'> {
  const { metadata, clock, timeoutMs, ...known } = deps;

  async function rule(): Promise<SentTokenRule> {
    const algorithms = signingAlgorithms(await neededForCheck('discovery', metadata()));
    return { ...known, algorithms, nowMs: clock() };
  }

  return {
    verifyLogoutToken: (token) =>
      withinDeadline('logout token', timeoutMs, async () => checkLogoutToken(token, await rule())),
    verifyOperatorToken: (token, audience) =>
      withinDeadline('operator token', timeoutMs, async () => checkOperatorToken(token, audience, await rule())),
  };
}

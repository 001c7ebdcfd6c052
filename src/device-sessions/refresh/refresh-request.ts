import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { IssuedAnswer, TokenAnswer } from '../../grants/redeem/redemption.ts';
import type { EndReason } from '../../ledger/ended.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { Sealing } from '../../sealing/sealing.ts';
import type { RandomBytes, Secret } from '../../sealing/secret.ts';
import type { DeviceSession } from '../device-session.ts';
import type { RecheckUpstream } from './recheck-upstream.ts';
import type { SessionSecrets } from './refresh-state.ts';

/** What a refresh is given, is asked and answers. */
export interface RefreshDeps {
  ledger: Ledger;
  sealing: Sealing;
  randomBytes: RandomBytes;
  isSameNetwork: (left: string, right: string) => boolean;
  upstreams: RecheckUpstream;
  issueTokens: IssueRefreshed;
  sleep: (milliseconds: number) => Promise<void>;
  /** A session was found to have ended, and is ended for good now. */
  onEnded: (session: DeviceSession, reason: EndReason, request: RefreshRequest) => void;
  /** An answer was given again to another network than the first one. */
  onShared: (session: DeviceSession, shared: { firstSource: string; source: string }, request: RefreshRequest) => void;
}

export interface RefreshRequest {
  client: RegisteredClient;
  refreshToken: Secret;
  /** `undefined` for all that the session has. */
  scopes: readonly string[] | undefined;
  resources: readonly string[];
  /** The thumbprint of the DPoP key that came along, '' without one. */
  jkt: string;
  /** Called once the token is known to be one of ours; throws when its proof was used before. */
  spendProof: (sessionId: string) => Promise<void>;
  issuer: string | undefined;
  /** The address that asks. */
  source: string;
  requestId?: string | undefined;
}

export type IssueRefreshed = (facts: {
  client: RegisteredClient;
  session: DeviceSession;
  carried: SessionSecrets;
  scopes: readonly string[];
  resources: readonly string[];
  jti: string;
  nowMs: number;
  /** The DPoP key that the access token is bound to. */
  jkt: string | undefined;
  refreshToken: Secret;
}) => Promise<IssuedAnswer>;

export type RefreshOutcome =
  /** `isAgain`: the token had been exchanged before, and its successor went out once more. */
  | {
      outcome: 'tokens';
      answer: TokenAnswer;
      session: DeviceSession;
      isAgain: boolean;
      firstSource?: string | undefined;
    }
  | { outcome: 'invalid_grant' | 'invalid_scope' | 'invalid_target' }
  /** The storage has lost what this token was made in; nothing of the session can go on. */
  | { outcome: 'lost' }
  /** The upstream, or another refresh of the same token, does not answer; the token is still good. */
  | { outcome: 'unavailable' };

export const INVALID: RefreshOutcome = { outcome: 'invalid_grant' };
export const UNAVAILABLE: RefreshOutcome = { outcome: 'unavailable' };

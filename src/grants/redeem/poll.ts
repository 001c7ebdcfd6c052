import type { RegisteredClient } from '../../clients/registered-client.ts';
import type { Secret } from '../../sealing/secret.ts';
import type { TokenAnswer } from './redemption.ts';

export interface Poll {
  client: RegisteredClient;
  /** Rejects where the client must not be told anything; nothing but the pace moves before it resolves. */
  admitted?: Promise<void> | undefined;
  deviceCode: Secret;
  /** The S256 challenge of the verifier that came along, '' without one. */
  challenge: string;
  /** The thumbprint of the DPoP key that came along, '' without one. */
  jkt: string;
  /** The proof of that key; without one there is nothing to use twice. */
  proof: PresentedProof;
  /** As the device sent it (`confirmation_code`): the digits, or the proof. */
  reverseCode?: string | undefined;
  /** RFC 8707: narrows the access token to some of what was approved; empty for all of it. */
  resources: readonly string[];
  /** The issuer that was polled, where it is not `public_url`; a grant is redeemed where it was started. */
  issuer?: string | undefined;
  asker?: Asker | undefined;
}

/** By the proof that the browser brought to its machine, or by the digits that the person typed there. */
export type ConfirmedBy = 'loopback' | 'digits';

/** Which request it was and where it came from, for what is logged of it. */
export interface Asker {
  requestId: string;
  source: () => string;
}

/** A DPoP proof, which must not be used twice. Both throw where it was used before. */
export interface PresentedProof {
  /**
   * Remembers in one number which proof was the newest under this name. For what has no effect yet, but could have one
   * later: who sends a pending poll's proof again once the grant is approved, sends an older one than its device does.
   */
  follow(mark: string): Promise<'newest' | 'older'>;
  /** Notes that it was used, right before it has its effect. */
  spend(owner: string): Promise<void>;
}

/** RFC 8628 §3.5 and RFC 6749 §5.2, one outcome for each answer. */
export type PollOutcome =
  | { outcome: 'authorization_pending' }
  | { outcome: 'slow_down'; intervalSeconds: number }
  | { outcome: 'access_denied' }
  | { outcome: 'expired_token' }
  | { outcome: 'invalid_grant' }
  | { outcome: 'invalid_target' }
  | { outcome: 'invalid_dpop_proof' }
  | {
      outcome: 'tokens';
      answer: TokenAnswer;
      grantId: string;
      redelivered: boolean;
      /** The person who approved; not where an answer is given again. */
      person?: { upstream: string; subject: string };
      /** How the device showed that the person is at it, where it had to. */
      confirmedBy?: ConfirmedBy | undefined;
    };

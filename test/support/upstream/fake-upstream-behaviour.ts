import type { OAuthFault, Trouble } from './fake-upstream-answers.ts';
import type { Encryption } from './fake-upstream-encryption.ts';
import type { TokenHabit, TokenRefusal } from './fake-upstream-habits.ts';
import type { PublishedKeys } from './fake-upstream-keys.ts';

/** What a fake upstream does wrong; nothing, unless told. `null` leaves a value out. */
export interface Behaviour {
  slowMs?: number;
  /** Has the client down as a public one, as a slip in Keycloak's console does: any secret or assertion will do. */
  isClientPublic?: boolean;
  discovery?: {
    trouble?: Trouble;
    metadata?: Record<string, unknown>;
    /** Publishes its document there, and nothing where it belongs. */
    path?: string;
  };
  jwks?: { trouble?: Trouble; keys?: PublishedKeys };
  authorize?: {
    /** Answers so in place of a page or a redirect, as for a redirect URI that it does not know. */
    status?: number;
    /** Shows a page with two buttons instead of signing in by itself. */
    asksPerson?: boolean;
    error?: string;
    description?: string;
    iss?: string | null;
    state?: string | null;
    code?: string | null;
    /** Answers in no other way, as Apple where a name or an e-mail address is asked for. */
    insistsOnFormPost?: boolean;
    /** Sends the browser over another origin before it comes back, as a provider with a provider of its own does. */
    overThirdOrigin?: boolean;
    /** Sends the browser somewhere else instead, as a malicious provider in a mix-up does. */
    elsewhere?: (request: URL) => URL;
    extra?: Record<string, string>;
  };
  token?: TokenBehaviour & {
    keepsRefreshToken?: boolean;
    /** Looks at the code before it looks who sends it, as zitadel and Casdoor do. */
    looksAtCodeFirst?: boolean;
    /** As Dex: whoever signs in again takes the token of the sign-in before, at whatever device that was. */
    oneRefreshTokenPerPerson?: boolean;
  };
  /** For refreshes only, over what `token` says. */
  refresh?: TokenBehaviour;
  idToken?: {
    claims?: Record<string, unknown>;
    /** Claims that are sent as they are, `null` and `""` too. */
    raw?: Record<string, unknown>;
    header?: Record<string, unknown>;
    signature?: 'none' | 'broken' | 'foreign_key' | 'client_secret';
    encrypted?: Encryption;
  };
  userinfo?: {
    trouble?: Trouble;
    claims?: Record<string, unknown>;
    fault?: OAuthFault;
    signed?: 'good' | 'broken';
    encrypted?: Encryption;
  };
  /** What else it wants of our assertions (RFC 7523), with `private_key_jwt`. */
  assertion?: {
    /** Its own address in place of its issuer, as Okta does. */
    audience?: 'token_endpoint';
    typ?: string;
    /** The key named by its certificate, as Entra ID does. */
    x5t?: string;
  };
  /** What its page shows in frames when somebody signs out (OpenID Connect Front-Channel Logout §3). */
  signOut?: { frames: string[] };
  revocation?: { trouble?: Trouble; fault?: OAuthFault };
  /** Microsoft Graph, at the origin of userinfo as at Entra ID. */
  graph?: { trouble?: Trouble; fault?: OAuthFault; groups?: unknown; members?: Record<string, unknown> };
}

export interface TokenBehaviour {
  trouble?: Trouble;
  fault?: OAuthFault;
  refuses?: TokenRefusal;
  answers?: TokenHabit;
  members?: Record<string, unknown>;
}

export interface SeenRequest {
  method: string;
  path: string;
  query: URLSearchParams;
  form: URLSearchParams;
  headers: Record<string, string | string[] | undefined>;
}

/**
 * Registered clients, and how they prove to be them. What a client may do is written here as data; who judges it, elsewhere.
 */

import type { JSONWebKeySet } from 'jose';
import type { Secret } from '../sealing/secret.ts';

export type ClientAuthentication =
  | 'none'
  /** Basic or body, whichever the client likes. */
  | 'client_secret'
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'private_key_jwt';

/** A device client as the administrator describes it; nothing in it comes from a device. */
export interface RegisteredClient {
  id: string;
  /** What people see. */
  name: string;
  /** A data: URI or an address on `public_url`'s own origin. */
  logo?: string;
  authentication: ClientAuthentication;
  clientSecret?: Secret;
  jwks?: JSONWebKeySet;
  /** Whether `/.well-known/gatehouse-profiles` names it. */
  published: boolean;
  /** Lets a client with a secret start a grant without it, as golang.org/x/oauth2 does. */
  startWithoutSecret: boolean;
  grantTypes: readonly ('device_code' | 'refresh_token')[];
  /** Ids of the upstreams its people may sign in at; never empty. */
  upstreams: readonly string[];
  tokens: 'mint' | 'relay';
  relayIdToken: boolean;
  /** Whether a refreshed answer has an ID token too (OpenID Connect Core §12.2). */
  idTokenOnRefresh: boolean;
  scopes: { allowed: readonly string[]; default: readonly string[] };
  /** RFC 8707; the first is the default audience. */
  resources: readonly string[];
  claims: {
    idToken: readonly string[];
    accessToken: readonly string[];
    /** Nothing is written: the granted standard scopes bring their claims (OpenID Connect Core §5.4). */
    standard?: boolean;
  };
  signingAlg: 'RS256' | 'ES256';
  /** The `typ` of its access tokens; `JWT` for verifiers that know no other. */
  accessTokenType: 'at+jwt' | 'JWT';
  subject: 'prefixed' | 'plain';
  refreshTokens: 'always' | 'never' | 'offline_access';
  approvers: Approvers;
  lifetimes: {
    codeSeconds: number;
    accessTokenSeconds: number;
    refreshIdleSeconds: number;
    refreshAbsoluteSeconds: number;
  };
  intervalSeconds: number;
  /** CORS. */
  origins: readonly string[];
  require: readonly ('pkce' | 'dpop')[];
  redeliverySeconds: number;
  /** How long an exchanged refresh token is answered again while its successor was never shown. */
  refreshGraceSeconds: number;
  endOnLogout: boolean;
  safeguards: Safeguards;
}

/** The people who may approve. A list that is left out does not restrict. */
export interface Approvers {
  groups?: readonly string[];
  subjects?: readonly string[];
  upstreams?: readonly string[];
  denyGroups?: readonly string[];
  /** All of them must hold besides. */
  require?: readonly ApproverCondition[];
}

/** What a claim of the person must say; `is` has one value. */
export interface ApproverCondition {
  /** `name`, `email` and `groups` as the upstream's `claims:` maps them, any other by its own name or dotted path. */
  claim: string;
  holds: 'any_of' | 'is' | 'matches_domain';
  values: readonly string[];
}

/** The phishing safeguards of one client, a profile and its overrides resolved. */
export interface Safeguards {
  profile: 'open' | 'standard' | 'strict';
  arrival: 'off' | 'warn' | 'strict';
  /** `off` also leaves `verification_uri_complete` out. */
  complete: 'off' | 'compare' | 'type_suffix' | 'type_all';
  sameNetwork: 'off' | 'warn' | 'require';
  /** A request from another country than the person’s, as far as `geo` knows both. */
  place: 'off' | 'warn';
  initiateFrom: readonly string[];
  approveFrom: readonly string[];
  prompt?: string;
  maxAgeSeconds?: number;
  acr: readonly string[];
  amr: readonly string[];
  holdSeconds: number;
  reverseCode: 'off' | 'supported' | 'required';
  /** The proof that browser and device are on one machine; `required` refuses devices that bring neither it nor digits. */
  local: 'off' | 'offered' | 'required';
  campaign: 'off' | 'alert' | 'suspend';
  /** The answer to a refresh, asked for again from another network. */
  refreshNetwork: 'off' | 'warn' | 'require';
}

import type { Secret } from '../sealing/secret.ts';
import type { FrontChannelLogout, ResponseMode } from './upstream.ts';

export interface UpstreamSettings {
  id: string;
  displayName: string;
  issuer: string;
  clientId: string;
  authentication: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  clientSecret?: Secret;
  /** For `private_key_jwt`. */
  assertionKey?: AssertionKey;
  /** Private JWKs as JSON text, for what this upstream encrypts. */
  encryptionKeys?: readonly Secret[];
  scopes: readonly string[];
  /** Where this upstream keeps them: a dotted path into the ID token, then into userinfo. */
  claims: { subject: string; name: string; email: string; groups: GroupsClaim };
  /** Where groups are that an ID token only points at. */
  groupsOverage: 'off' | 'graph';
  prompt?: string;
  maxAgeSeconds?: number;
  acrValues?: string;
  /** How the browser brings the answer to a sign-in; `query` is not asked for by name. */
  responseMode: ResponseMode;
  frontChannelLogout: FrontChannelLogout;
  authorizationParameters: Readonly<Record<string, string>>;
  toleranceSeconds: number;
  /** How far its clock may be from ours. */
  clockToleranceSeconds: number;
  reach: Reach;
  /** When userinfo is asked: for what the ID token lacks, never, or at each sign-in and refresh. */
  userinfo: 'auto' | 'never' | 'always';
  /** Whether refresh tokens are asked for with the scope `offline_access`. */
  offlineAccess: 'auto' | 'always' | 'never';
  /** How long a device session lives of whose account nobody can be asked. */
  uncheckedSessionSeconds: number;
  /** How long its last answer about an account is good for refreshes of minted tokens; 0 asks at each. */
  recheckSeconds: number;
}

/** Where this upstream keeps a person's groups, and in what form. */
export interface GroupsClaim {
  /** A dotted path, as for the other claims. */
  from: string;
  /** The names are the keys of a map. */
  keys: boolean;
  /** Of groups that come as objects, the member that has the name. */
  member?: string;
  /** Of groups that come as one text, what stands between them. */
  separator?: string;
  /** Of these, the ones that go into tokens, with `*` for any characters; policy looks at all of them. */
  only?: readonly string[];
}

/** What signs our assertions (RFC 7523), and what they say of themselves. */
export interface AssertionKey {
  /** A private JWK as JSON text. */
  jwk: Secret;
  audience: 'issuer' | 'token_endpoint';
  /** `x5t` and `x5t#S256` of the key's certificate, for the header. */
  thumbprints?: Readonly<Record<string, string>>;
}

/** How an upstream is reached: which way, trusting whom, and where never. */
export interface Reach {
  /** For a whole operation, whatever number of requests it takes. */
  timeoutSeconds: number;
  allowsPrivateAddresses: boolean;
  /** The origin of everything that we call, where it is not the one that people see. */
  backChannel?: string;
  /** Addresses that are called in place of those that the provider's document names. */
  endpoints: Readonly<Partial<Record<StatedEndpoint, string | undefined>>>;
  /** Certificates in PEM that may vouch for it; the system's where there are none. */
  ca?: string;
  proxy?: ProxySettings;
  /** The variable that names a proxy to other programs, where nothing here says whether it is wanted. */
  unusedProxy?: string;
}

export type StatedEndpoint = 'discovery' | 'token' | 'userinfo' | 'jwks' | 'revocation' | 'end_session';

export interface ProxySettings {
  url: string;
  username?: string;
  password?: Secret;
}

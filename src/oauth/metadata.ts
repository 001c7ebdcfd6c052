import { GRANT_TYPES, type GrantType } from './grant-types.ts';

/** Where an issuer's endpoints are, as absolute addresses. What is left out is not offered under this issuer. */
export interface IssuerAddresses {
  issuer: string;
  deviceAuthorization: string;
  token: string;
  jwks: string;
  /** The verification URI. There is no authorization endpoint, but some clients refuse an OIDC document without one. */
  verification: string;
  revocation?: string;
  introspection?: string;
  userinfo?: string;
}

/** What the broker can do with the configuration that it has. */
export interface Abilities {
  grantTypes: readonly GrantType[];
  clientAuthentication: readonly ('none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt')[];
  /** How resource servers and clients may authenticate at the introspection endpoint; `none` is never among them. */
  introspectionAuthentication?: readonly ('client_secret_basic' | 'client_secret_post' | 'private_key_jwt')[];
  /** Accepted for `private_key_jwt`. */
  assertionAlgs: readonly string[];
  /** Accepted for DPoP proofs; empty where DPoP is not offered. */
  dpopAlgs: readonly string[];
  idTokenAlgs: readonly string[];
  pkce: boolean;
  scopes: readonly string[];
  /** Configured claims; those of the protocol are added. */
  claims: readonly string[];
  languages?: readonly string[];
  /** What can join the device to the person's browser (docs/protocol/same-device-proof.md). */
  confirmations?: readonly ('digits' | 'loopback')[];
}

export type Metadata = Readonly<Record<string, unknown>>;

const ID_TOKEN_CLAIMS = ['iss', 'sub', 'aud', 'exp', 'iat', 'auth_time', 'acr', 'amr', 'at_hash', 'sid'];

/** The endpoints under their own names, hanging below `public_url`; path profiles have addresses of their own. */
export function standardAddresses(publicUrl: string): IssuerAddresses {
  const base = publicUrl.replace(/\/$/, '');
  return {
    issuer: publicUrl,
    deviceAuthorization: `${base}/device_authorization`,
    token: `${base}/token`,
    jwks: `${base}/jwks`,
    verification: `${base}/device`,
    revocation: `${base}/revoke`,
    introspection: `${base}/introspect`,
    userinfo: `${base}/userinfo`,
  };
}

/**
 * Where the documents of an issuer are looked for: RFC 8414 §3.1 inserts the well-known part before the issuer's path,
 * OpenID Connect Discovery §4 appends it. Both take off a slash at the end first.
 */
export function metadataPaths(issuer: string): { oauth: string; openid: string } {
  const path = new URL(issuer).pathname.replace(/\/$/, '');
  return {
    oauth: `/.well-known/oauth-authorization-server${path}`,
    openid: `${path}/.well-known/openid-configuration`,
  };
}

/**
 * RFC 8414. `response_types_supported` is required there, but a list without elements must be left out (§3.2), and
 * without an authorization endpoint there is nothing to list. OpenID members stand here too: a client that found us
 * through this document still wants to know how its ID token is signed.
 */
export function oauthMetadata(at: IssuerAddresses, can: Abilities): Metadata {
  const assertionAlgs = (methods: readonly string[] | undefined): readonly string[] | undefined =>
    methods?.includes('private_key_jwt') === true ? can.assertionAlgs : undefined;
  const introspection = at.introspection === undefined ? undefined : can.introspectionAuthentication;
  const revocation = at.revocation === undefined ? undefined : can.clientAuthentication;
  return withoutEmpty({
    issuer: at.issuer,
    device_authorization_endpoint: at.deviceAuthorization,
    token_endpoint: at.token,
    jwks_uri: at.jwks,
    revocation_endpoint: at.revocation,
    introspection_endpoint: at.introspection,
    userinfo_endpoint: at.userinfo,
    grant_types_supported: can.grantTypes.map((grantType) => GRANT_TYPES[grantType]),
    token_endpoint_auth_methods_supported: can.clientAuthentication,
    token_endpoint_auth_signing_alg_values_supported: assertionAlgs(can.clientAuthentication),
    revocation_endpoint_auth_methods_supported: revocation,
    revocation_endpoint_auth_signing_alg_values_supported: assertionAlgs(revocation),
    introspection_endpoint_auth_methods_supported: introspection,
    introspection_endpoint_auth_signing_alg_values_supported: assertionAlgs(introspection),
    code_challenge_methods_supported: can.pkce ? ['S256'] : undefined,
    dpop_signing_alg_values_supported: can.dpopAlgs,
    scopes_supported: can.scopes,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: can.idTokenAlgs,
    claims_supported: [...new Set([...ID_TOKEN_CLAIMS, ...can.claims])],
    ui_locales_supported: can.languages,
    confirmation_methods_supported: can.confirmations,
  });
}

/** OpenID Connect Discovery §3: as above, with what clients refuse the document without. */
export function openidMetadata(at: IssuerAddresses, can: Abilities): Metadata {
  return {
    ...oauthMetadata(at, can),
    authorization_endpoint: at.verification,
    response_types_supported: ['none'],
    // Left out, this one would mean true.
    request_uri_parameter_supported: false,
  };
}

/** RFC 8414 §3.2: lists without elements must be left out. */
function withoutEmpty(members: Record<string, unknown>): Metadata {
  return Object.fromEntries(
    Object.entries(members).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  );
}

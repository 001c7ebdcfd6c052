import { KEY_ALGORITHMS } from '../../oauth/encryption-algorithms.ts';
import { frontLogoutUri, logoutUri } from '../../oauth/routes.ts';
import { offersOtherAccount } from '../offered-prompt.ts';
import { asksOfflineAccess, givesWithout } from '../offline-access.ts';
import { printable } from '../requests/foreign-text.ts';
import type { ProviderMetadata } from '../requests/upstream-requests.ts';
import { signingAlgorithms } from '../signing-algorithms.ts';
import type { ProbeReport } from '../upstream.ts';
import type { UpstreamSettings } from '../upstream-settings.ts';

export type Finding = ProbeReport['findings'][number];

/** What the upstream says about itself, in plain words, with what to do where something is missing. */
export function metadataFindings(metadata: ProviderMetadata, settings: UpstreamSettings, publicUrl: string): Finding[] {
  const lists = (member: string, word: string) => strings(metadata[member])?.includes(word) === true;
  const has = (member: string) => typeof metadata[member] === 'string';
  const says = (isSo: boolean, yes: string, otherwise: Finding['level'], no: string): Finding =>
    isSo ? { level: 'ok', text: yes } : { level: otherwise, text: no };
  const algorithms = signingAlgorithms(metadata);
  const offered = strings(metadata['scopes_supported']);
  const unknown = offered === undefined ? [] : settings.scopes.filter((scope) => !offered.includes(scope));
  const methods = strings(metadata['token_endpoint_auth_methods_supported']) ?? ['client_secret_basic'];
  const logoutAt = logoutUri(publicUrl, settings.id);

  return [
    says(
      has('authorization_endpoint') && has('token_endpoint') && has('jwks_uri'),
      'endpoints for signing in, tokens and keys are named',
      'wrong',
      'its metadata lacks authorization_endpoint, token_endpoint or jwks_uri: this is no OpenID provider that can be used',
    ),
    says(
      strings(metadata['response_types_supported'])?.includes('code') !== false,
      'the authorization code flow is offered',
      'wrong',
      'it does not offer response_type code: allow the authorization code flow (standard flow) there',
    ),
    ...responseModeFindings(metadata, settings),
    says(
      algorithms.length > 0,
      `ID tokens are signed with ${algorithms.join(', ')}`,
      'wrong',
      'it offers no signature that can be checked with a public key: let it sign ID tokens with RS256 or ES256',
    ),
    ...encryptionFindings(metadata, settings),
    says(
      // Hardly any upstream lists `none`, and whether it takes a public client is tried anyway.
      settings.authentication === 'none' || methods.includes(settings.authentication),
      `authentication ${settings.authentication} is offered`,
      'missing',
      `it does not offer authentication ${settings.authentication}, only ${methods.join(', ')}`,
    ),
    says(
      lists('code_challenge_methods_supported', 'S256'),
      'PKCE with S256 is offered',
      'missing',
      'it does not say that it checks PKCE; Gatehouse sends it all the same. Where the client has a switch for it, choose S256',
    ),
    says(
      metadata['authorization_response_iss_parameter_supported'] === true,
      'answers carry the issuer (RFC 9207)',
      'missing',
      'answers do not carry the issuer (RFC 9207); the callback address of its own guards against mix-ups',
    ),
    says(
      unknown.length === 0,
      `scopes ${settings.scopes.join(' ')} are offered`,
      'missing',
      `scopes that it does not list: ${unknown.join(' ')}`,
    ),
    says(
      lists('grant_types_supported', 'refresh_token'),
      'refresh tokens are offered',
      'missing',
      'it does not list the grant refresh_token; without, Gatehouse cannot see that an account was closed, and device ' +
        'sessions end after unchecked_session',
    ),
    offlineFinding(metadata, settings),
    ...promptFindings(metadata, settings),
    says(has('userinfo_endpoint'), 'userinfo is offered', 'missing', 'no userinfo: all claims must be in the ID token'),
    says(
      has('revocation_endpoint'),
      'tokens can be revoked there (RFC 7009)',
      'missing',
      'tokens cannot be revoked there (RFC 7009); they lapse by themselves',
    ),
    says(
      metadata['backchannel_logout_supported'] === true,
      `back-channel logout is offered; the address to register is ${logoutAt}${unseenSwitch(metadata)}`,
      'missing',
      'no back-channel logout: a sign-out there ends device sessions here at their next refresh, and only where ' +
        'their refresh tokens end with it',
    ),
    ...frontChannelFindings(metadata, settings, frontLogoutUri(publicUrl, settings.id)),
  ];
}

/** A new client has it on, the address has no place in the console then, and no metadata tell. */
function unseenSwitch(metadata: ProviderMetadata): string {
  return givesWithout(metadata)
    ? '; in the client, Front channel logout must be off, which cannot be seen from here'
    : '';
}

/** Entra ID has it and says so nowhere but in its documentation. */
function frontChannelFindings(
  metadata: ProviderMetadata,
  { frontChannelLogout }: UpstreamSettings,
  logoutUri: string,
): Finding[] {
  const isOffered = metadata['frontchannel_logout_supported'] === true;
  if (frontChannelLogout === false) {
    const isBetter = metadata['backchannel_logout_supported'] === true;
    const text = 'front-channel logout is offered; front_channel_logout takes it, and says what that is worth';
    return isOffered && !isBetter ? [{ level: 'ok', text }] : [];
  }
  const address = `the address to register for front-channel logout is ${logoutUri}`;
  if (!isOffered) {
    return [{ level: 'missing', text: `it does not say that it offers front-channel logout; ${address}` }];
  }
  if (metadata['frontchannel_logout_session_supported'] === true) return [{ level: 'ok', text: address }];
  return [{ level: 'missing', text: `it does not say that its front-channel logout names the session; ${address}` }];
}

/** Most of those that can encrypt do so for a client only where its registration says so, which no metadata tell. */
function encryptionFindings(metadata: ProviderMetadata, { encryptionKeys }: UpstreamSettings): Finding[] {
  const offered = ['id_token', 'userinfo'].flatMap(
    (what) => strings(metadata[`${what}_encryption_alg_values_supported`]) ?? [],
  );
  const usable = [...new Set(offered)].filter((alg) => KEY_ALGORITHMS.includes(alg));
  if (usable.length > 0) {
    const does =
      encryptionKeys === undefined ? 'where it does so for this client, set encryption_key' : 'with encryption_key';
    return [{ level: 'ok', text: `it can encrypt ID tokens or userinfo with ${usable.join(', ')}; ${does}` }];
  }
  if (encryptionKeys === undefined) return [];
  const others = offered.length === 0 ? '' : `, only ${printable([...new Set(offered)].join(', '))}`;
  const text = `encryption_key is set, and it lists no encryption that is accepted (${KEY_ALGORITHMS.join(', ')})${others}`;
  return [{ level: 'missing', text }];
}

/** RFC 8414 §2: who lists none has `query` and `fragment`. */
function responseModeFindings(metadata: ProviderMetadata, { responseMode }: UpstreamSettings): Finding[] {
  const listed = strings(metadata['response_modes_supported']) ?? ['query', 'fragment'];
  if (listed.includes(responseMode)) {
    return responseMode === 'query' ? [] : [{ level: 'ok', text: `response_mode ${responseMode} is offered` }];
  }
  const hint = listed.includes('form_post') ? ': set response_mode: form_post for this upstream' : '';
  const text = `it does not list response_mode ${responseMode}, only ${listed.join(', ')}${hint}`;
  return [{ level: 'missing', text }];
}

/** Nothing is said where it does not list its prompts: most do not, and take what they know. */
function promptFindings(metadata: ProviderMetadata, { prompt }: UpstreamSettings): Finding[] {
  const listed = strings(metadata['prompt_values_supported']);
  if (listed === undefined) return [];
  const unknown = prompt?.split(' ').filter((word) => !listed.includes(word)) ?? [];
  const missing: string[] = [];
  if (unknown.length > 0) missing.push(`prompt ${unknown.join(' ')} of this upstream is not among those that it lists`);
  if (!offersOtherAccount(listed)) {
    missing.push(
      'it offers neither prompt select_account nor login: who wants to use another account must sign out there first',
    );
  } else if (!listed.includes('select_account')) {
    missing.push('it does not offer prompt select_account: “Not you?” asks for login in its place');
  }
  return missing.map((text) => ({ level: 'missing', text }));
}

/** What an administrator of a Keycloak gives up with the scope; most add it because other providers need it. */
const OFFLINE_HIDES_LOGOUT =
  'offline_access is asked for, and Keycloak gives refresh tokens without it: with it device sessions outlive the ' +
  'person’s session there, and a logout there is not told for them. Take it out of scopes, or leave offline_access at ' +
  'auto, unless that is wanted';

/** Whether somebody can be asked, at a refresh, whether the account still stands. */
function offlineFinding(metadata: ProviderMetadata, settings: UpstreamSettings): Finding {
  if (asksOfflineAccess(settings, { wantsRefreshToken: true }, metadata)) {
    if (givesWithout(metadata)) return { level: 'missing', text: OFFLINE_HIDES_LOGOUT };
    return { level: 'ok', text: 'offline_access is asked for where refresh tokens are wanted' };
  }
  if (settings.offlineAccess === 'never') {
    const text =
      'offline_access: never: where no refresh token comes without it, nobody can be asked about an account, and device ' +
      `sessions end after ${Math.ceil(settings.uncheckedSessionSeconds / 3600)} hours (unchecked_session)`;
    return { level: 'missing', text };
  }
  const text = givesWithout(metadata)
    ? 'offline_access is not asked for: refresh tokens come without it, and only so do logout tokens come for them'
    : 'offline_access is not offered';
  return { level: 'ok', text };
}

export function strings(value: unknown): string[] | undefined {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : undefined;
}

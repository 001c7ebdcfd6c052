import type { GroupsClaim, UpstreamSettings } from '../../upstream/upstream-settings.ts';
import type { Environment } from '../environment.ts';
import { formatDuration } from '../schema/duration.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import type { UpstreamSection } from '../schema/upstream-schema.ts';
import { readAssertionKey } from './read-assertion-key.ts';
import { readEncryptionKeys } from './read-encryption-keys.ts';
import { readReach } from './read-reach.ts';
import type { Reading } from './reading.ts';

export function readUpstreams(file: ConfigFile, environment: Environment, reading: Reading): UpstreamSettings[] {
  return Object.entries(file.upstreams).map(([id, section]) =>
    readUpstream(id, section, { file, environment }, reading),
  );
}

function readUpstream(
  id: string,
  section: UpstreamSection,
  around: { file: ConfigFile; environment: Environment },
  reading: Reading,
): UpstreamSettings {
  const at = ['upstreams', id];
  const authentication = section.authentication ?? defaultAuthentication(section);
  const usesSecret = authentication === 'client_secret_basic' || authentication === 'client_secret_post';
  const usesKey = authentication === 'private_key_jwt';
  const looksAt = [[...at, 'authentication']];
  needs(usesSecret, section.client_secret, 'client_secret');
  needs(usesKey, section.private_key, 'private_key');

  const clientSecret = usesSecret ? reading.secret([...at, 'client_secret'], section.client_secret) : undefined;
  const { private_key: keySection } = section;
  const isKeyUsed = usesKey && keySection !== undefined;
  const assertionKey = isKeyUsed ? readAssertionKey([...at, 'private_key'], keySection, reading) : undefined;
  const { encryption_key: keyRef } = section;
  const encryptionKeys =
    keyRef === undefined ? undefined : readEncryptionKeys([...at, 'encryption_key'], keyRef, reading);
  checkOfflineAccess(at, section, reading);
  const { prompt, max_age: maxAgeSeconds, acr_values: acr } = section;
  return {
    id,
    displayName: section.display_name ?? id,
    issuer: section.issuer,
    clientId: section.client_id,
    authentication,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(assertionKey !== undefined && { assertionKey }),
    ...(encryptionKeys !== undefined && { encryptionKeys }),
    scopes: [...new Set(section.scopes)],
    claims: { ...section.claims, groups: readGroupsClaim([...at, 'claims', 'groups'], section, reading) },
    groupsOverage: section.groups_overage,
    ...(prompt !== undefined && { prompt }),
    ...(maxAgeSeconds !== undefined && { maxAgeSeconds }),
    ...(acr !== undefined && { acrValues: typeof acr === 'string' ? acr : acr.join(' ') }),
    responseMode: section.response_mode,
    frontChannelLogout: section.front_channel_logout,
    authorizationParameters: section.authorization_parameters,
    toleranceSeconds: section.tolerance,
    clockToleranceSeconds: section.clock_tolerance,
    reach: readReach(id, section, around, reading),
    userinfo: section.userinfo,
    offlineAccess: section.offline_access,
    uncheckedSessionSeconds: section.unchecked_session,
    recheckSeconds: section.recheck,
  };

  function needs(isUsed: boolean, given: unknown, key: 'client_secret' | 'private_key'): void {
    const path = [...at, key];
    if (isUsed && given === undefined) {
      reading.problem(path, `is missing, expected it with authentication ${authentication}`, ...looksAt);
    }
    if (!isUsed && given !== undefined) {
      const text = `is not used with authentication ${authentication}, expected it left out or another authentication`;
      reading.problem(path, text, ...looksAt);
    }
  }
}

function checkOfflineAccess(at: string[], section: UpstreamSection, reading: Reading): void {
  if (section.offline_access !== 'never') return;
  const contradicts = section.scopes.includes('offline_access') ? '; scopes has it, and it is left out there' : '';
  reading.warning(
    [...at, 'offline_access'],
    'never: where this provider gives no refresh token without that scope, nobody can be asked about an account, and ' +
      `device sessions live for unchecked_session (${formatDuration(section.unchecked_session)})${contradicts}`,
  );
}

function readGroupsClaim(path: string[], { claims: { groups } }: UpstreamSection, reading: Reading): GroupsClaim {
  if (typeof groups === 'string') return { from: groups, keys: false };
  const { from, keys, member, separator, only } = groups;
  if (keys && member !== undefined) {
    const text = 'found both keys: true and member, expected one: the names are the keys of a map, or a member of each';
    reading.problem([...path, 'member'], text, [...path, 'keys']);
  }
  return {
    from,
    keys,
    ...(member !== undefined && { member }),
    ...(separator !== undefined && { separator }),
    ...(only !== undefined && { only }),
  };
}

function defaultAuthentication(section: UpstreamSection): UpstreamSettings['authentication'] {
  if (section.client_secret !== undefined) return 'client_secret_basic';
  return section.private_key === undefined ? 'none' : 'private_key_jwt';
}

import type {
  ApproverCondition,
  Approvers,
  ClientAuthentication,
  RegisteredClient,
} from '../../clients/registered-client.ts';
import { EMAIL_VERIFIED } from '../../grants/decide/approver-conditions.ts';
import type { UpstreamSettings } from '../../upstream/upstream-settings.ts';
import { resolveSafeguards } from '../safeguard-profiles.ts';
import type { ClientSection } from '../schema/client-schema.ts';
import { didYouMean } from '../schema/did-you-mean.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import { readClientKeys } from './read-client-keys.ts';
import { readClientSecret } from './read-client-secret.ts';
import { readLogo } from './read-logo.ts';
import type { Reading } from './reading.ts';

const DEFAULT_REFRESH_IDLE_SECONDS = 30 * 24 * 60 * 60;

export function readClients(
  file: ConfigFile,
  upstreams: readonly UpstreamSettings[],
  reading: Reading,
): RegisteredClient[] {
  const all = Object.entries(file.clients);
  if (all.length === 0) reading.warning(['clients'], 'there are none, so nobody can start');
  const upstreamIds = upstreams.map(({ id }) => id);
  const clients = all.map(([id, section]) => {
    const logo = readLogo(['clients', id, 'logo'], section.logo, file.public_url, reading);
    const client = { ...readClient(id, section, upstreamIds, reading), ...(logo !== undefined && { logo }) };
    checkCredentials(client, section, reading);
    checkUpstreams(client, section, upstreamIds, reading);
    checkTokens(client, section, reading);
    checkTimes(client, section, reading);
    checkConditions(client, reading);
    return client;
  });
  checkPlainSubjects(clients, reading);
  return clients;
}

function readClient(id: string, section: ClientSection, upstreamIds: string[], reading: Reading): RegisteredClient {
  const at = ['clients', id];
  const authentication = section.authentication ?? defaultAuthentication(section);
  const clientSecret = usesSecret(authentication)
    ? readClientSecret([...at, 'client_secret'], section.client_secret, reading)
    : undefined;
  const jwks =
    authentication === 'private_key_jwt' ? readClientKeys([...at, 'jwks'], section.jwks, reading) : undefined;
  const { allowed } = section.scopes;
  const grantTypes = [...new Set(section.grant_types)];
  const { refresh_idle: idle, refresh_absolute: refreshAbsoluteSeconds } = section.lifetimes;
  return {
    id,
    name: section.name,
    authentication,
    ...(clientSecret !== undefined && { clientSecret }),
    ...(jwks !== undefined && { jwks }),
    published: section.published,
    startWithoutSecret: section.start_without_secret,
    grantTypes,
    upstreams: [...new Set(section.upstreams ?? upstreamIds)],
    tokens: section.tokens,
    relayIdToken: section.relay_id_token,
    idTokenOnRefresh: section.id_token_on_refresh,
    scopes: {
      allowed: [...new Set(allowed)],
      default: [...new Set(section.scopes.default ?? allowed.filter((scope) => scope === 'openid'))],
    },
    resources: section.resources,
    claims: readClaims(section),
    signingAlg: section.signing_alg,
    accessTokenType: section.access_token_type,
    subject: section.subject,
    refreshTokens: section.refresh_tokens ?? (grantTypes.includes('refresh_token') ? 'always' : 'never'),
    approvers: readApprovers(section),
    lifetimes: {
      codeSeconds: section.lifetimes.code,
      accessTokenSeconds: section.lifetimes.access_token,
      refreshIdleSeconds: Math.min(idle ?? DEFAULT_REFRESH_IDLE_SECONDS, refreshAbsoluteSeconds),
      refreshAbsoluteSeconds,
    },
    intervalSeconds: section.interval,
    origins: section.origins,
    require: [...new Set(section.require)],
    redeliverySeconds: section.redelivery,
    refreshGraceSeconds: section.refresh_grace,
    endOnLogout: section.end_on_logout,
    safeguards: resolveSafeguards(section.safeguards),
  };
}

/** Nothing written is another thing than an empty list. */
function readClaims({ claims }: ClientSection): RegisteredClient['claims'] {
  if (claims === undefined) return { idToken: [], accessToken: [], standard: true };
  if (Array.isArray(claims)) return { idToken: claims, accessToken: claims };
  return { idToken: claims.id_token, accessToken: claims.access_token };
}

function readApprovers({ approvers }: ClientSection): Approvers {
  const { groups, subjects, upstreams, deny_groups: denyGroups, require } = approvers;
  return {
    ...(groups !== undefined && { groups }),
    ...(subjects !== undefined && { subjects }),
    ...(upstreams !== undefined && { upstreams }),
    ...(denyGroups !== undefined && { denyGroups }),
    ...(require !== undefined && { require: require.map(readCondition) }),
  };
}

type ConditionSection = NonNullable<ClientSection['approvers']['require']>[number];

function readCondition(section: ConditionSection): ApproverCondition {
  const { claim, any_of: anyOf, is, matches_domain: domains } = section;
  if (domains !== undefined) return { claim, holds: 'matches_domain', values: domains };
  if (anyOf !== undefined) return { claim, holds: 'any_of', values: anyOf.map(String) };
  return { claim, holds: 'is', values: [String(is)] };
}

/** A person who may write an address of their own there passes for somebody of that domain. */
function checkConditions({ id, approvers: { require = [] } }: RegisteredClient, reading: Reading): void {
  const isVerified = require.some(({ claim }) => claim === EMAIL_VERIFIED);
  require.forEach(({ claim, holds }, index) => {
    if (claim !== 'email' || isVerified) return;
    reading.warning(
      ['clients', id, 'approvers', 'require', index],
      `${holds} looks at an address that the person may have typed, unless the upstream says that it is not verified; ` +
        'expected { claim: email_verified, is: true } beside it, where the upstream sends that',
    );
  });
}

function defaultAuthentication(section: ClientSection): ClientAuthentication {
  if (section.client_secret !== undefined) return 'client_secret';
  return section.jwks === undefined ? 'none' : 'private_key_jwt';
}

function usesSecret(authentication: ClientAuthentication): boolean {
  return authentication.startsWith('client_secret');
}

function checkCredentials({ id, authentication }: RegisteredClient, section: ClientSection, reading: Reading): void {
  const at = ['clients', id];
  const wanted = { client_secret: usesSecret(authentication), jwks: authentication === 'private_key_jwt' };
  for (const key of ['client_secret', 'jwks'] as const) {
    const isGiven = section[key] !== undefined;
    if (isGiven === wanted[key]) continue;
    const text = isGiven
      ? `is not used with authentication ${authentication}, expected it left out or another authentication`
      : `is missing, expected it with authentication ${authentication}`;
    reading.problem([...at, key], text, [...at, 'authentication']);
  }
  if (section.start_without_secret && !usesSecret(authentication)) {
    const text = `found true, expected a client with a client_secret (authentication is ${authentication})`;
    reading.problem([...at, 'start_without_secret'], text, [...at, 'authentication'], [...at, 'client_secret']);
  }
}

function checkUpstreams(client: RegisteredClient, section: ClientSection, known: string[], reading: Reading): void {
  const at = ['clients', client.id];
  if (section.upstreams?.length === 0) {
    reading.problem([...at, 'upstreams'], 'found an empty list, expected at least one, or the key left out for all');
  }
  mustExist([...at, 'upstreams'], section.upstreams ?? [], known, 'upstream', reading);
  const { upstreams: approving = [] } = section.approvers;
  mustExist([...at, 'approvers', 'upstreams'], approving, client.upstreams, 'upstream of this client', reading);
  if (client.subject === 'plain' && client.upstreams.length > 1) {
    const several = client.upstreams.join(', ');
    const text = `found plain with the upstreams ${several}: two people who have the same subject at two of them would be one, expected prefixed, or one of them as upstreams: [${client.upstreams[0]}]`;
    reading.problem([...at, 'subject'], text, at);
  }
}

/** All tokens have one issuer: who reads them cannot tell subjects of two upstreams apart where no upstream is in them. */
function checkPlainSubjects(clients: readonly RegisteredClient[], reading: Reading): void {
  const plain = clients.filter(({ subject }) => subject === 'plain');
  const [first] = plain;
  for (const { id, upstreams } of plain) {
    if (first === undefined || upstreams.length > 1 || first.upstreams.length > 1) continue;
    if (upstreams[0] === first.upstreams[0]) continue;
    const text = `plain at ${upstreams[0]}, and ${first.id} is plain at ${first.upstreams[0]}: to a resource server that takes the tokens of both, two people who have the same subject there are one`;
    reading.warning(['clients', id, 'subject'], text);
  }
}

function mustExist(path: string[], names: readonly string[], known: readonly string[], what: string, reading: Reading) {
  names.forEach((name, index) => {
    if (known.includes(name)) return;
    const near = didYouMean(name, known);
    const expected = near === undefined ? `expected one of ${known.join(', ')}` : `did you mean ${near}?`;
    reading.problem([...path, index], `"${name}" is no ${what}, ${expected}`, ['upstreams', name], ['upstreams']);
  });
}

function checkTokens(client: RegisteredClient, section: ClientSection, reading: Reading): void {
  const at = ['clients', client.id];
  const { allowed } = client.scopes;
  if (!client.grantTypes.includes('device_code')) {
    reading.problem([...at, 'grant_types'], 'device_code is missing, expected it: nothing else starts here');
  }
  section.scopes.default?.forEach((scope, index) => {
    if (allowed.includes(scope)) return;
    const text = `"${scope}" is not in scopes.allowed, expected one of ${allowed.join(', ') || 'those (there are none)'}`;
    reading.problem([...at, 'scopes', 'default', index], text, [...at, 'scopes', 'allowed']);
  });
  if (section.relay_id_token && section.tokens !== 'relay') {
    reading.problem([...at, 'relay_id_token'], 'found true, expected it only with tokens: relay', [...at, 'tokens']);
  }
  const refreshes = section.refresh_tokens !== undefined && section.refresh_tokens !== 'never';
  if (refreshes && !client.grantTypes.includes('refresh_token')) {
    const text = `found "${section.refresh_tokens}" without refresh_token in grant_types, expected it there, or never here`;
    reading.problem([...at, 'refresh_tokens'], text, [...at, 'grant_types']);
  }
  if (section.refresh_tokens === 'offline_access' && !allowed.includes('offline_access')) {
    const text =
      'found "offline_access", which is not in scopes.allowed, expected it there: nobody could be granted it';
    reading.problem([...at, 'refresh_tokens'], text, [...at, 'scopes', 'allowed']);
  }
}

function checkTimes(client: RegisteredClient, section: ClientSection, reading: Reading): void {
  const at = ['clients', client.id];
  const { refresh_idle: idle, refresh_absolute: absolute, code } = section.lifetimes;
  if (idle !== undefined && idle > absolute) {
    const text = 'is longer than refresh_absolute, expected at most that';
    reading.problem([...at, 'lifetimes', 'refresh_idle'], text, [...at, 'lifetimes', 'refresh_absolute']);
  }
  if (client.safeguards.holdSeconds >= code) {
    const path = [...at, 'safeguards', 'hold'];
    const text = `${client.safeguards.holdSeconds}s is as long as the code lives (lifetimes.code), expected less: no token could ever be fetched`;
    reading.problem(path, text, [...at, 'lifetimes', 'code']);
  }
}

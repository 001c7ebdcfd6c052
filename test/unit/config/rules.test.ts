import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../../support/self-signed.ts';
import { ecPrivate, ecPublic, jwks, rsaPrivate, sealingKey } from './keys.ts';
import { type Around, type Lines, leastFile, MARK, problemsOf, STRONG, unmarked } from './written.ts';

/** What is written, the key that must be named, and words that must be said. */
type Rule = [title: string, lines: Lines, key: string, words: RegExp, around?: Around];

const certificate = selfSigned().cert;
const HTTPS = 'https://login.example.com';
/** What an https file must state besides. */
const STATED = 'trusted_proxies: []\nstorage: { driver: memory }\n';
const otherEc = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' });
const otherRsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ format: 'jwk' });
const REDIS = { environment: { SEALING: sealingKey() }, files: { 'signing.json': jwks(rsaPrivate) } };
const KEYS = 'keys: { sealing: [{ env: SEALING }], signing: { file: signing.json } }\n';
const redis = (lines: string) => `${KEYS}storage:\n  driver: redis\n  redis:\n    ${lines}`;

const rules: Record<string, Rule[]> = {
  'what is written at all': [
    ['unknown top key', { top: '▸user_code: {}' }, 'user_code', /unknown key, did you mean user_codes\?/],
    ['unknown client key', { client: '▸intervall: 5s' }, 'clients.cli.intervall', /did you mean interval\?/],
    ['camel case', { client: '▸grantTypes: [device_code]' }, 'clients.cli.grantTypes', /did you mean grant_types\?/],
    ['nothing near', { top: '▸zzzzzz: 1' }, 'zzzzzz', /unknown key, expected one of public_url, listen/],
    [
      'unknown key in a secret',
      { upstream: 'client_secret: { ▸value: x }' },
      'upstreams.corp.client_secret.value',
      /unknown key/,
    ],
    ['a key without a value', { client: '▸scopes:' }, 'clients.cli.scopes', /found nothing, expected a section/],
    [
      'an empty restriction',
      { client: 'approvers: { groups: ▸[] }' },
      'clients.cli.approvers.groups',
      /nobody could approve/,
    ],
    [
      'the same client twice',
      { top: '', client: 'interval: 5s\n▸interval: 6s' },
      'clients.cli.interval',
      /is there twice \(first in line 9\)/,
    ],
    [
      'a text where a list belongs',
      { client: 'origins: ▸https://tv.example.com' },
      'clients.cli.origins',
      /expected a list of origins/,
    ],
    [
      'a section where a text belongs',
      { client: '▸interval:\n  seconds: 5' },
      'clients.cli.interval',
      /found a section, expected a duration/,
    ],
    [
      'a bad choice',
      { client: 'tokens: ▸mints' },
      'clients.cli.tokens',
      /found "mints", expected mint or relay; did you mean mint\?/,
    ],
    [
      'yes in place of true',
      { client: 'end_on_logout: ▸yes' },
      'clients.cli.end_on_logout',
      /found "yes", expected true or false/,
    ],
  ],
  'public_url and the process': [
    [
      'http elsewhere',
      { url: '▸http://login.example.com' },
      'public_url',
      /expected https:\/\/ \(plain http is accepted on loopback only\)/,
    ],
    ['a host that only looks like loopback', { url: '▸http://127.0.0.1.example.com' }, 'public_url', /expected https/],
    ['no URL', { url: '▸login.example.com' }, 'public_url', /expected a URL that begins with https/],
    ['a query', { url: `▸${HTTPS}?a=b`, top: STATED }, 'public_url', /without a query/],
    ['a fragment', { url: `'▸${HTTPS}/#a'`.replace("'▸", "▸'"), top: STATED }, 'public_url', /without a fragment/],
    [
      'credentials',
      { url: '▸https://me:hunter2@login.example.com', top: STATED },
      'public_url',
      /^found credentials in the URL/,
    ],
    [
      'proxies not stated',
      { url: HTTPS, top: '▸storage: { driver: memory }'.replace(MARK, '') },
      'trusted_proxies',
      /must be stated when public_url is https/,
    ],
    [
      'everybody as a proxy',
      { top: 'trusted_proxies: [127.0.0.1/32, ▸0.0.0.0/0]' },
      'trusted_proxies[1]',
      /"0\.0\.0\.0\/0": this would believe/,
    ],
    ['everybody by IPv6', { top: 'trusted_proxies: [▸"::/0"]' }, 'trusted_proxies[0]', /this would believe/],
    [
      'everybody by IPv4 in its IPv6 form',
      { top: 'trusted_proxies: [▸"::ffff:0:0/96"]' },
      'trusted_proxies[0]',
      /this would believe/,
    ],
    [
      'everybody in two halves',
      { top: 'trusted_proxies: [10.0.0.0/8, 64.0.0.0/3, ▸128.0.0.0/1]' },
      'trusted_proxies[2]',
      /"128\.0\.0\.0\/1": this would believe/,
    ],
    [
      'everybody in pieces, in a list over several lines',
      { top: 'trusted_proxies:\n  - 0.0.0.0/2\n  - 192.0.2.1\n  - ▸128.0.0.0/2' },
      'trusted_proxies[2]',
      /"128\.0\.0\.0\/2", together with those before it: this would believe/,
    ],
    [
      'more than all of IPv4 in its IPv6 form',
      { top: 'trusted_proxies: [▸"::ffff:0:0/90"]' },
      'trusted_proxies[0]',
      /"::ffff:0:0\/90", expected a network such as/,
    ],
    ['no network', { top: 'trusted_proxies: [▸10.0.0.0/33]' }, 'trusted_proxies[0]', /expected a network such as/],
    [
      'another header',
      { top: 'forwarded_header: ▸x-real-ip' },
      'forwarded_header',
      /expected x-forwarded-for or forwarded/,
    ],
    ['a port that is none', { top: 'listen: { port: ▸65536 }' }, 'listen.port', /whole number from 0 to 65535/],
    ['operations on the public port', { top: 'operations: { port: ▸8080 }' }, 'operations.port', /never public/],
    ['a drain without unit', { top: 'drain: ▸10' }, 'drain', /found 10, expected a duration such as 90s/],
    [
      'a log level',
      { top: 'log: { level: ▸verbose }' },
      'log.level',
      /expected trace, debug, info, warn, error or fatal/,
    ],
    [
      'a log level from outside',
      { top: '▸log: {}'.replace(MARK, '') },
      'log.level',
      /GATEHOUSE_LOG_LEVEL is "loud"/,
      { environment: { GATEHOUSE_LOG_LEVEL: 'loud' } },
    ],
  ],
  storage: [
    [
      'not stated',
      { url: HTTPS, top: 'trusted_proxies: []' },
      'storage.driver',
      /must be stated when public_url is https/,
    ],
    [
      'redis without where',
      { top: `${KEYS}▸storage: { driver: redis }`.replace(MARK, '') },
      'storage.redis',
      /expected it with driver redis/,
      REDIS,
    ],
    [
      'a password in the url',
      { top: redis('url: ▸redis://:hunter2@127.0.0.1:6379') },
      'storage.redis.url',
      /^found a password in the URL, expected .*password: \{ env: NAME \}/,
      REDIS,
    ],
    [
      'a user in the url',
      { top: redis('url: ▸redis://me@127.0.0.1:6379') },
      'storage.redis.url',
      /^found a user name in the URL/,
      REDIS,
    ],
    [
      'a password in the query',
      { top: redis('url: ▸redis://127.0.0.1?password=hunter2') },
      'storage.redis.url',
      /^found credentials in the query/,
      REDIS,
    ],
    [
      'a literal password',
      { top: redis('url: redis://127.0.0.1\n    password: ▸hunter2') },
      'storage.redis.password',
      /literal value is refused .*\{ env: NAME \} or \{ file: PATH \}/,
      REDIS,
    ],
    [
      'two places',
      { top: redis('url: redis://127.0.0.1\n    cluster: [127.0.0.1:7000]').replace('  redis:', '  ▸redis:') },
      'storage.redis',
      /found url and cluster, expected exactly one/,
      REDIS,
    ],
    [
      'a node without a port',
      { top: redis('cluster: [▸redis-1]') },
      'storage.redis.cluster[0]',
      /expected host:port/,
      REDIS,
    ],
    [
      'a sentinel without nodes',
      { top: redis('sentinel: ▸{ name: mymaster }') },
      'storage.redis.sentinel.nodes',
      /is missing, expected a list/,
      REDIS,
    ],
    [
      'tls on a plain url',
      { top: redis('url: redis://127.0.0.1\n    tls: ▸{}') },
      'storage.redis.tls',
      /expected rediss:\/\//,
      REDIS,
    ],
    [
      'braces in the prefix',
      { top: redis('url: redis://127.0.0.1\n    key_prefix: ▸"{a}"') },
      'storage.redis.key_prefix',
      /without braces/,
      REDIS,
    ],
  ],
  keys: [
    ['a literal sealing key', { top: 'keys: { sealing: [▸hunter2] }' }, 'keys.sealing[0]', /literal value is refused/],
    [
      'not 32 bytes',
      { top: 'keys: { sealing: [▸{ env: K }] }' },
      'keys.sealing[0]',
      /expected 32 bytes in base64url/,
      { environment: { K: 'c2hvcnQ' } },
    ],
    [
      'the same key twice',
      { top: 'keys: { sealing: [{ env: SEALING }, ▸{ env: SEALING }] }' },
      'keys.sealing[1]',
      /same key as one before/,
      REDIS,
    ],
    ['an empty list', { top: 'keys: { sealing: ▸[] }' }, 'keys.sealing', /at least one key/],
    [
      'missing with redis',
      { top: 'keys: ▸{ signing: { file: signing.json } }\nstorage: { redis: { url: redis://127.0.0.1 } }' },
      'keys.sealing',
      /is missing, expected .* with storage\.driver redis/,
      REDIS,
    ],
    [
      'no signing with redis',
      { top: 'keys: ▸{ sealing: [{ env: SEALING }] }\nstorage: { redis: { url: redis://127.0.0.1 } }' },
      'keys.signing',
      /is missing, expected \{ file: PATH \}/,
      REDIS,
    ],
    [
      'an environment variable that is not set',
      { top: 'keys: { sealing: [▸{ env: NOT_SET }] }' },
      'keys.sealing[0]',
      /environment variable NOT_SET is not set/,
    ],
    [
      'an empty environment variable',
      { top: 'keys: { sealing: [▸{ env: EMPTY }] }' },
      'keys.sealing[0]',
      /EMPTY is empty/,
      { environment: { EMPTY: '' } },
    ],
    [
      'a file that is not there',
      { top: 'keys: { signing: ▸{ file: nowhere.json } }' },
      'keys.signing',
      /nowhere\.json cannot be read \(there is no such file\)/,
    ],
    [
      'env and file at once',
      { top: 'keys: { signing: ▸{ file: a, env: B } }' },
      'keys.signing',
      /exactly one of env and file/,
    ],
    [
      'signing keys that are no JSON',
      { top: 'keys: { signing: ▸{ file: s } }' },
      'keys.signing',
      /is not JSON/,
      { files: { s: 'hunter2' } },
    ],
    [
      'a public signing key',
      { top: 'keys: { signing: ▸{ file: s } }' },
      'keys.signing',
      /key 1 has no private part/,
      { files: { s: jwks({ ...ecPublic, alg: 'ES256', use: 'sig' }) } },
    ],
    [
      'a signing key without kid',
      { top: 'keys: { signing: ▸{ file: s } }' },
      'keys.signing',
      /has no "kid"/,
      { files: { s: jwks({ ...ecPrivate, kid: undefined }) } },
    ],
    [
      'another alg',
      { top: 'keys: { signing: ▸{ file: s } }' },
      'keys.signing',
      /another "alg" than RS256 or ES256/,
      { files: { s: jwks({ ...ecPrivate, alg: 'HS256' }) } },
    ],
    [
      'a signing key with somebody else’s public part',
      { top: 'keys: { signing: ▸{ file: s } }' },
      'keys.signing',
      /key 1 is not a readable private key/,
      { files: { s: jwks({ ...rsaPrivate, n: otherRsa.n }) } },
    ],
    [
      'another use',
      { top: 'keys: { signing: ▸{ file: s } }' },
      'keys.signing',
      /another "use" than "sig"/,
      { files: { s: jwks({ ...ecPrivate, use: 'enc' }) } },
    ],
    [
      'no key for a client',
      { top: 'keys: { signing: { file: s } }', client: 'signing_alg: ▸RS256' },
      'clients.cli.signing_alg',
      /RS256 has no key in keys\.signing/,
      { files: { s: jwks(ecPrivate) } },
    ],
    [
      'no RS256 for Keycloak’s clients',
      {
        top: 'keys: { signing: { file: s } }\ncompatibility: { keycloak: ▸{ realm: corp } }',
        client: 'signing_alg: ES256',
      },
      'compatibility.keycloak',
      /no RS256 key/,
      { files: { s: jwks(ecPrivate) } },
    ],
  ],
  upstreams: [
    [
      'a bad id',
      { upstreamId: '▸Corp' },
      'upstreams.Corp',
      /expected an id of up to 32 characters from a-z, 0-9 and -/,
    ],
    ['a long id', { upstreamId: `▸${'a'.repeat(33)}` }, `upstreams.${'a'.repeat(33)}`, /up to 32 characters/],
    ['http elsewhere', { issuer: '▸http://sso.example.com' }, 'upstreams.corp.issuer', /on loopback only/],
    ['an issuer with a query', { issuer: '▸https://sso.example.com/?a' }, 'upstreams.corp.issuer', /without a query/],
    [
      'the address of an issuer’s document',
      { issuer: '▸https://sso.example.com/realms/corp/.well-known/openid-configuration' },
      'upstreams.corp.issuer',
      /expected the issuer that this document names, most often https:\/\/sso\.example\.com\/realms\/corp$/,
    ],
    ['an issuer that is none', { issuer: '▸sso' }, 'upstreams.corp.issuer', /expected a URL/],
    [
      'a secret that is not used',
      { upstream: 'authentication: none\nclient_secret: ▸{ env: S }' },
      'upstreams.corp.client_secret',
      /not used with authentication none/,
      { environment: { S: 'x' } },
    ],
    [
      'a secret that is missing',
      { upstream: 'authentication: client_secret_post' },
      'upstreams.corp.client_secret',
      /is missing, expected it with authentication client_secret_post/,
    ],
    [
      'a key that is missing',
      { upstream: 'authentication: private_key_jwt' },
      'upstreams.corp.private_key',
      /is missing, expected it with authentication private_key_jwt/,
    ],
    [
      'a public key for private_key_jwt',
      { upstream: 'private_key: ▸{ file: k }' },
      'upstreams.corp.private_key',
      /is not a private key/,
      { files: { k: JSON.stringify(ecPublic) } },
    ],
    [
      'a private key for private_key_jwt with somebody else’s public part',
      { upstream: 'private_key: ▸{ file: k }' },
      'upstreams.corp.private_key',
      /is not a private key/,
      { files: { k: JSON.stringify({ ...ecPrivate, x: otherEc.x, y: otherEc.y }) } },
    ],
    [
      'a literal secret',
      { upstream: 'client_secret: ▸hunter2' },
      'upstreams.corp.client_secret',
      /literal value is refused/,
    ],
    ['prompt none', { upstream: 'prompt: ▸none' }, 'upstreams.corp.prompt', /prompt that shows a page/],
    [
      'a parameter of ours',
      { upstream: 'authorization_parameters: { ▸redirect_uri: https://evil.example }' },
      'upstreams.corp.authorization_parameters.redirect_uri',
      /set by Gatehouse/,
    ],
    [
      'a parameter with a key of its own',
      { upstream: 'authorization_parameters: { ▸prompt: login }' },
      'upstreams.corp.authorization_parameters.prompt',
      /key of its own/,
    ],
    ['an unknown claim', { upstream: 'claims: { ▸roles: a }' }, 'upstreams.corp.claims.roles', /unknown key/],
    [
      'an unknown form of groups',
      { upstream: 'claims: { groups: { from: a, ▸membr: name } }' },
      'upstreams.corp.claims.groups.membr',
      /unknown key, did you mean member\?/,
    ],
    [
      'a list of groups claims',
      { upstream: 'claims: { groups: ▸[a, b] }' },
      'upstreams.corp.claims.groups',
      /expected the name of a claim, or \{ from: CLAIM, keys, member, separator, only \}/,
    ],
    [
      'groups as keys and as members',
      { upstream: 'claims: { groups: { keys: true, member: ▸name } }' },
      'upstreams.corp.claims.groups.member',
      /found both keys: true and member/,
    ],
    [
      'another place for groups that are too many',
      { upstream: 'groups_overage: ▸ldap' },
      'upstreams.corp.groups_overage',
      /expected off or graph/,
    ],
    ['userinfo as a truth value', { upstream: 'userinfo: ▸true' }, 'upstreams.corp.userinfo', /auto, never or always/],
    [
      'offline_access as a truth value',
      { upstream: 'offline_access: ▸false' },
      'upstreams.corp.offline_access',
      /auto, always or never/,
    ],
    [
      'an unchecked session without end',
      { upstream: 'unchecked_session: ▸0s' },
      'upstreams.corp.unchecked_session',
      /from 1m to 400d/,
    ],
    ['a scope with a space', { upstream: 'scopes: [▸"openid email"]' }, 'upstreams.corp.scopes[0]', /without spaces/],
    ['a long tolerance', { upstream: 'tolerance: ▸365d' }, 'upstreams.corp.tolerance', /from 0s to 30d/],
  ],
  clients: [
    ['a bad id', { clientId: '▸_proto' }, 'clients._proto', /expected an id of up to 128 characters/],
    [
      'no such upstream',
      { client: 'upstreams: [▸corpo]' },
      'clients.cli.upstreams[0]',
      /"corpo" is no upstream, did you mean corp\?/,
    ],
    ['no upstream', { client: 'upstreams: ▸[]' }, 'clients.cli.upstreams', /expected at least one/],
    [
      'approvers from elsewhere',
      { client: 'approvers: { upstreams: [▸other] }' },
      'clients.cli.approvers.upstreams[0]',
      /"other" is no upstream of this client/,
    ],
    [
      'a condition of no kind',
      { client: 'approvers: { require: [▸{ claim: hd }] }' },
      'clients.cli.approvers.require[0]',
      /expected exactly one of any_of, is and matches_domain/,
    ],
    [
      'a condition of two kinds',
      { client: 'approvers: { require: [▸{ claim: hd, is: a, any_of: [b] }] }' },
      'clients.cli.approvers.require[0]',
      /expected exactly one of/,
    ],
    [
      'a condition without a claim',
      { client: 'approvers: { require: [▸{ is: a }] }' },
      'clients.cli.approvers.require[0].claim',
      /is missing, expected the name of a claim/,
    ],
    [
      'an unknown condition',
      { client: 'approvers: { require: [{ claim: hd, ▸equals: a }] }' },
      'clients.cli.approvers.require[0].equals',
      /unknown key/,
    ],
    [
      'a condition that nobody meets',
      { client: 'approvers: { require: [{ claim: hd, any_of: ▸[] }] }' },
      'clients.cli.approvers.require[0].any_of',
      /nobody could approve/,
    ],
    [
      'a condition on a section',
      { client: 'approvers: { require: [{ claim: hd, is: ▸{ a: b } }] }' },
      'clients.cli.approvers.require[0].is',
      /expected a text, a number, true or false/,
    ],
    [
      'a domain with its @',
      { client: 'approvers: { require: [{ claim: mail, matches_domain: [▸"@example.com"] }] }' },
      'clients.cli.approvers.require[0].matches_domain[0]',
      /expected a domain such as example\.com, without @ and \*/,
    ],
    [
      'a domain and all below it',
      { client: 'approvers: { require: [{ claim: mail, matches_domain: [▸"*.example.com"] }] }' },
      'clients.cli.approvers.require[0].matches_domain[0]',
      /without @ and \*/,
    ],
    [
      'one condition without its list',
      { client: 'approvers: { require: ▸{ claim: hd, is: a } }' },
      'clients.cli.approvers.require',
      /expected a list of conditions/,
    ],
    [
      'a default outside the allowed',
      { client: 'scopes: { allowed: [openid], default: [openid, ▸email] }' },
      'clients.cli.scopes.default[1]',
      /"email" is not in scopes\.allowed, expected one of openid/,
    ],
    [
      'relay_id_token with mint',
      { client: 'relay_id_token: ▸true' },
      'clients.cli.relay_id_token',
      /only with tokens: relay/,
    ],
    [
      'no device_code',
      { client: 'grant_types: ▸[refresh_token]' },
      'clients.cli.grant_types',
      /device_code is missing/,
    ],
    [
      'refresh tokens without the grant',
      { client: 'grant_types: [device_code]\nrefresh_tokens: ▸always' },
      'clients.cli.refresh_tokens',
      /without refresh_token in grant_types/,
    ],
    [
      'offline_access that nobody gets',
      { client: 'scopes: { allowed: [openid] }\nrefresh_tokens: ▸offline_access' },
      'clients.cli.refresh_tokens',
      /not in scopes\.allowed/,
    ],
    [
      'a secret that is missing',
      { client: 'authentication: client_secret_basic' },
      'clients.cli.client_secret',
      /is missing, expected it with authentication client_secret_basic/,
    ],
    [
      'a secret that is not used',
      { client: 'authentication: none\nclient_secret: ▸{ env: S }' },
      'clients.cli.client_secret',
      /not used with authentication none/,
      { environment: { S: 'x' } },
    ],
    [
      'jwks that is missing',
      { client: 'authentication: private_key_jwt' },
      'clients.cli.jwks',
      /is missing, expected it with authentication private_key_jwt/,
    ],
    [
      'a private key in jwks',
      { client: 'jwks: ▸{ file: k }' },
      'clients.cli.jwks',
      /key 1 has a private part \("d"\)/,
      { files: { k: jwks(ecPrivate) } },
    ],
    [
      'a shared secret in jwks',
      { client: 'jwks: { keys: [▸{ kty: oct, k: aHVudGVyMg }] }' },
      'clients.cli.jwks.keys[0]',
      /private part \("k"\)/,
    ],
    [
      'jwks that is none',
      { client: 'jwks: ▸{ file: k }' },
      'clients.cli.jwks',
      /is not a JWKS/,
      { files: { k: 'hunter2' } },
    ],
    [
      'two keys of one name',
      { client: 'jwks: ▸{ file: k }' },
      'clients.cli.jwks',
      /key 2 has the "kid" of another one/,
      { files: { k: jwks(ecPublic, ecPublic) } },
    ],
    ['file and keys', { client: 'jwks: ▸{ file: k, keys: [] }' }, 'clients.cli.jwks', /exactly one of file and keys/],
    [
      'a start without a secret that there is not',
      { client: 'start_without_secret: ▸true' },
      'clients.cli.start_without_secret',
      /expected a client with a client_secret/,
    ],
    [
      'a code that lives too long',
      { client: 'lifetimes: { code: ▸31m }' },
      'clients.cli.lifetimes.code',
      /found "31m", expected a duration from 5s to 30m/,
    ],
    [
      'a code that lives too short',
      { client: 'lifetimes: { code: ▸4s }' },
      'clients.cli.lifetimes.code',
      /from 5s to 30m/,
    ],
    [
      'idle longer than absolute',
      { client: 'lifetimes: { refresh_idle: ▸2d, refresh_absolute: 1d }' },
      'clients.cli.lifetimes.refresh_idle',
      /longer than refresh_absolute/,
    ],
    [
      'an endless session',
      { client: 'lifetimes: { refresh_absolute: ▸4000d }' },
      'clients.cli.lifetimes.refresh_absolute',
      /to 400d/,
    ],
    ['no interval', { client: 'interval: ▸0s' }, 'clients.cli.interval', /from 1s to 1m/],
    ['a long interval', { client: 'interval: ▸61s' }, 'clients.cli.interval', /from 1s to 1m/],
    ['a long redelivery', { client: 'redelivery: ▸31s' }, 'clients.cli.redelivery', /from 0s to 30s/],
    [
      'an origin with a path',
      { client: 'origins: [▸https://tv.example.com/]' },
      'clients.cli.origins[0]',
      /nothing after the port/,
    ],
    ['any origin', { client: "origins: [▸'*']" }, 'clients.cli.origins[0]', /expected an origin/],
    [
      'a resource with a fragment',
      { client: "resources: [▸'https://api.example.com#a']" },
      'clients.cli.resources[0]',
      /without a fragment/,
    ],
    ['a relative resource', { client: 'resources: [▸packages]' }, 'clients.cli.resources[0]', /absolute URI/],
    ['something unknown to require', { client: 'require: [▸mtls]' }, 'clients.cli.require[0]', /expected pkce or dpop/],
  ],
  safeguards: [
    [
      'an unknown profile',
      { client: 'safeguards: ▸strickt' },
      'clients.cli.safeguards',
      /expected open, standard or strict, .*; did you mean strict\?/,
    ],
    [
      'an unknown key',
      { client: 'safeguards: { ▸arival: warn }' },
      'clients.cli.safeguards.arival',
      /did you mean arrival\?/,
    ],
    [
      'a bad value',
      { client: 'safeguards: { complete: ▸type_some }' },
      'clients.cli.safeguards.complete',
      /expected off, compare, type_suffix or type_all/,
    ],
    [
      'a hold beyond the code',
      { client: 'safeguards: { hold: ▸20s }\nlifetimes: { code: 10s }' },
      'clients.cli.safeguards.hold',
      /as long as the code lives/,
    ],
    [
      'everybody by a network',
      { client: 'safeguards: { initiate_from: [▸0.0.0.0/0] }' },
      'clients.cli.safeguards.initiate_from[0]',
      /every address/,
    ],
    [
      'everybody in two networks',
      { client: 'safeguards: { approve_from: [0.0.0.0/2, ▸64.0.0.0/2] }' },
      'clients.cli.safeguards.approve_from[1]',
      /every address/,
    ],
    [
      'a number',
      { client: 'safeguards: ▸3' },
      'clients.cli.safeguards',
      /expected open, standard or strict, or a section/,
    ],
  ],
  'user codes': [
    [
      'numeric, six',
      { top: 'user_codes: { alphabet: numeric, length: ▸6 }' },
      'user_codes.length',
      /6 characters out of 10 are too few: 50 wrong tries .* 1 in 20000, .* length of 8 or more/,
    ],
    [
      'a character twice',
      { top: 'user_codes: { alphabet: ▸ABCDEFGHIJKA }' },
      'user_codes.alphabet',
      /"A" is there twice/,
    ],
    [
      'lower case',
      { top: 'user_codes: { alphabet: ▸abcdefghijklm }' },
      'user_codes.alphabet',
      /"a" is not an upper-case ASCII letter or digit/,
    ],
    ['few characters', { top: 'user_codes: { alphabet: ▸ABC, length: 16 }' }, 'user_codes.alphabet', /at least 10/],
    [
      'a number',
      { top: 'user_codes: { alphabet: ▸123456789 }' },
      'user_codes.alphabet',
      /found 123456789, expected base20, numeric/,
    ],
    ['no group', { top: 'user_codes: { group: ▸0 }' }, 'user_codes.group', /from 1 to 16/],
    [
      'a form without the code',
      { top: "user_codes: { verification_uri_complete: ▸'{verification_uri}' }" },
      'user_codes.verification_uri_complete',
      /query with \{user_code\} once/,
    ],
    [
      'a form that leads elsewhere',
      { top: "user_codes: { verification_uri_complete: ▸'https://go.example/{user_code}' }" },
      'user_codes.verification_uri_complete',
      /expected \{verification_uri\}/,
    ],
    [
      'a form that the page does not read',
      { top: "user_codes: { verification_uri_complete: ▸'{verification_uri}?c={user_code}' }" },
      'user_codes.verification_uri_complete',
      /as user_code or code/,
    ],
  ],
  'the other sections': [
    ['a scope without words', { top: 'scopes: { read: ▸{} }' }, 'scopes.read.description', /is missing/],
    [
      'a resource server of a client’s name',
      { top: 'resource_servers: { cli: ▸{ audience: https://a.example, client_secret: { env: S } } }' },
      'resource_servers.cli',
      /id of a client too/,
      { environment: { S: STRONG } },
    ],
    [
      'a resource server without a secret',
      { top: 'resource_servers: { api: ▸{ audience: https://a.example } }' },
      'resource_servers.api.client_secret',
      /is missing, expected \{ env: NAME \}/,
    ],
    [
      'a network without addresses',
      { top: 'networks: { oslo: { cidrs: ▸[] } }' },
      'networks.oslo.cidrs',
      /at least one network/,
    ],
    [
      'a network of all addresses',
      { top: "networks: { all: { cidrs: [▸'::/0'] } }" },
      'networks.all.cidrs[0]',
      /every address/,
    ],
    [
      'a network of all addresses that are given out',
      { top: "networks: { all: { cidrs: [10.0.0.0/8, ▸'2000::/4'] } }" },
      'networks.all.cidrs[1]',
      /every address/,
    ],
    [
      'half a factor',
      { top: 'networks: { oslo: { cidrs: [192.0.2.0/24], factor: ▸0.5 } }' },
      'networks.oslo.factor',
      /from 1 to 1000/,
    ],
    ['a negative limit', { top: 'limits: { pending_total: ▸-1 }' }, 'limits.pending_total', /whole number from 0/],
    [
      'a colour',
      { top: 'pages: { theme: { accent: ▸blue } }' },
      'pages.theme.accent',
      /expected a colour such as #0b5fff/,
    ],
    [
      'a language',
      { top: 'pages: { languages: [en, ▸xx] }' },
      'pages.languages[1]',
      /expected en, de, fr, es, ja or ar/,
    ],
    ['a logo from elsewhere', { top: 'pages: { logo: ▸https://cdn.example/logo.svg }' }, 'pages.logo', /is elsewhere/],
    ['a logo that is no image', { top: 'pages: { logo: ▸logo.txt }' }, 'pages.logo', /is no image/],
    ['views that are nowhere', { top: 'pages: { views: ▸no-such-folder }' }, 'pages.views', /is not a folder/],
    [
      'a webhook over http',
      { top: 'audit: { webhook: { url: ▸http://audit.example } }' },
      'audit.webhook.url',
      /expected https/,
    ],
    [
      'a secret in the standard’s form that is not',
      { top: 'audit: { webhook: { url: "https://audit.example", secret: ▸{ env: HOOK } } }' },
      'audit.webhook.secret',
      /begins with whsec_, expected the base64/,
      { environment: { HOOK: 'whsec_not-base64!' } },
    ],
    ['a webhook without address', { top: 'audit: { webhook: ▸{} }' }, 'audit.webhook.url', /is missing/],
    [
      'a prefix without slash',
      { top: 'compatibility: { keycloak: { realm: corp, prefix: ▸auth } }' },
      'compatibility.keycloak.prefix',
      /path such as \/auth/,
    ],
    [
      'a keycloak without realm',
      { top: 'compatibility: { keycloak: ▸{} }' },
      'compatibility.keycloak.realm',
      /is missing/,
    ],
    [
      'a path that leads to nothing that there is',
      { top: 'compatibility: { paths: { /oauth/token: ▸tokens } }' },
      'compatibility.paths./oauth/token',
      /expected device_authorization, token.*did you mean token\?/,
    ],
    [
      'a path of our own',
      { top: 'compatibility: { paths: { /token: ▸revoke } }' },
      'compatibility.paths./token',
      /is a path of Gatehouse itself/,
    ],
    [
      'a page of our own, with a slash behind it',
      { top: 'compatibility: { paths: { /sessions/end/: ▸token } }' },
      'compatibility.paths./sessions/end/',
      /is a path of Gatehouse itself/,
    ],
  ],
};

const REACH = 'upstreams.corp';
Object.assign(rules, {
  'how upstreams are reached': [
    [
      'a back channel with a path',
      { upstream: 'back_channel: ▸https://keycloak.svc:8443/auth' },
      `${REACH}.back_channel`,
      /an origin such as https:\/\/keycloak\.svc:8443: nothing after the port/,
    ],
    ['a back channel in clear', { upstream: 'back_channel: ▸http://keycloak.svc' }, `${REACH}.back_channel`, /https/],
    [
      'a back channel with credentials',
      { upstream: 'back_channel: ▸https://me:hunter2@keycloak.svc' },
      `${REACH}.back_channel`,
      /^found credentials in the URL/,
    ],
    [
      'an endpoint in clear',
      { upstream: 'endpoints: { token: ▸http://keycloak.svc/token }' },
      `${REACH}.endpoints.token`,
      /https/,
    ],
    [
      'an endpoint that is none of these',
      { upstream: 'endpoints: { ▸authorization: https://sso.example.com/a }' },
      `${REACH}.endpoints.authorization`,
      /unknown key, expected one of discovery, token, userinfo, jwks, revocation, end_session/,
    ],
    [
      'an authority that is no certificate',
      { upstream: 'ca: ▸{ file: ca.pem }' },
      `${REACH}.ca`,
      /is no certificate/,
      { files: { 'ca.pem': 'hunter2' } },
    ],
    [
      'an authority of which one cannot be read',
      { upstream: 'ca: ▸{ file: ca.pem }' },
      `${REACH}.ca`,
      /is no certificate/,
      { files: { 'ca.pem': `${certificate}-----BEGIN CERTIFICATE-----\nhunter2\n-----END CERTIFICATE-----\n` } },
    ],
    ['an authority in the YAML', { upstream: 'ca: ▸hunter2' }, `${REACH}.ca`, /write \{ env: NAME \}/],
    ['a timeout that is none', { upstream: 'timeout: ▸0s' }, `${REACH}.timeout`, /from 1s to 1m/],
    ['a tolerance of hours', { upstream: 'clock_tolerance: ▸1h' }, `${REACH}.clock_tolerance`, /from 0s to 5m/],
    ['a proxy that is none', { top: 'proxy: ▸proxy.example.com:3128' }, 'proxy', /http:\/\/host:port/],
    ['a proxy of another kind', { top: 'proxy: ▸socks5://proxy.example.com' }, 'proxy', /http:\/\/host:port/],
    ['a proxy with a path', { upstream: 'proxy: ▸http://proxy.example.com/a' }, `${REACH}.proxy`, /http:\/\/host:port/],
    [
      'a proxy with credentials in its address',
      { top: 'proxy: ▸http://me:hunter2@proxy.example.com:3128' },
      'proxy',
      /^found credentials in the URL, expected \{ url, username, password/,
    ],
    [
      'the same beside others',
      { top: 'proxy: { url: ▸http://hunter2@proxy.example.com:3128 }' },
      'proxy.url',
      /^found credentials in the URL/,
    ],
    [
      'a password of nobody',
      { top: 'proxy: ▸{ url: "http://proxy:3128", password: { env: P } }', upstream: '' },
      'proxy.username',
      /is missing, expected the user of this password/,
      { environment: { P: 'hunter2' } },
    ],
    [
      'a proxy that would look up what must not be private',
      { top: 'proxy: http://proxy:3128', upstream: 'allow_private_addresses: ▸false' },
      `${REACH}.allow_private_addresses`,
      /a proxy would look up the addresses; expected true, or proxy: none/,
    ],
    [
      'an issuer that is private where none may be',
      { issuer: '▸https://10.0.0.7', upstream: 'allow_private_addresses: false' },
      `${REACH}.issuer`,
      /is a private address, expected a public one, or allow_private_addresses: true/,
    ],
    [
      'an endpoint that is private where none may be',
      { upstream: 'allow_private_addresses: false\nendpoints: { jwks: "▸https://[fd00::1]/" }'.replace('"▸', '▸"') },
      `${REACH}.endpoints.jwks`,
      /is a private address/,
    ],
  ] satisfies Rule[],
});

const claims = 'iss sub aud exp iat nbf jti client_id scope azp nonce at_hash auth_time acr amr sid cnf'.split(' ');

describe.each(Object.entries(rules))('%s', (_, table) => {
  it.each(table)('%s', (_title, lines, key, words, around) => {
    const marked = leastFile(lines);
    const { text, line, column } = unmarked(marked);
    const problems = problemsOf(text, around);
    expect(problems.map(({ key: named }) => named)).toEqual([key]);
    expect(problems[0]?.text).toMatch(words);
    if (marked.includes(MARK)) expect(problems[0]).toMatchObject({ line, column });
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });
});

describe('claims', () => {
  it.each(claims)('refuses %s, which only the protocol may say', (claim) => {
    const { text, line, column } = unmarked(leastFile({ client: `claims: [email, ▸${claim}]` }));
    expect(problemsOf(text)).toMatchObject([{ line, column, key: 'clients.cli.claims[1]' }]);
    expect(problemsOf(leastFile({ client: `claims: { access_token: [${claim}] }` }))).toHaveLength(1);
  });
});

/**
 * What may stand where, key by key, and the words for what does not fit. What a value means together with others is in `read/`.
 */

import type { z } from 'zod';
import { MAX_REDIS_DATABASE } from '../../storage/storage.ts';
import { LOG_LEVELS } from '../../telemetry/log-event.ts';
import { networks, proxy, resource, webAddress } from './address-schemas.ts';
import { clientId, clientsSchema } from './client-schema.ts';
import { compatibilitySchema } from './compatibility-schema.ts';
import { host, operationsSchema, port } from './operations-schema.ts';
import { described, pagesSchema } from './pages-schema.ts';
import { secret } from './secret-schemas.ts';
import { upstreamsSchema } from './upstream-schema.ts';
import {
  duration,
  entries,
  expects,
  filePath,
  list,
  oneOf,
  pattern,
  scope,
  section,
  text,
  wholeNumber,
  wholeNumberOr,
  yesOrNo,
} from './value-schemas.ts';

const hostAndPort = () => pattern(/^(\[[0-9a-f:.]+\]|[^\s:/[\]]+):[0-9]{1,5}$/i, 'host:port');
const PROXIES = {
  everything: 'this would believe the forwarding header of everybody, expected the addresses of your proxies',
};

const redisSchema = section({
  url: pattern(/^rediss?:\/\/\S+$/, 'redis://host:port/db or rediss://host:port/db')
    .optional()
    .describe('redis:// or rediss://, without a password'),
  socket: filePath().optional().describe('In place of url: the path of a unix socket'),
  cluster: list(hostAndPort(), 'host:port').optional().describe('In place of url: some nodes of a Redis Cluster'),
  sentinel: section({
    name: text('the name of the master').describe('The name of the master'),
    nodes: list(hostAndPort(), 'host:port').describe('The sentinels'),
    password: secret().optional().describe('Of the sentinels'),
  })
    .optional()
    .describe('In place of url: a Redis behind Sentinel'),
  database: wholeNumber(0, MAX_REDIS_DATABASE)
    .optional()
    .describe('With socket and sentinel; a url says it itself; default: 0'),
  username: text('a user name').optional().describe('ACL user'),
  password: secret().optional().describe('Of the user; a file is read again at each connect'),
  tls: section({
    ca: secret().optional().describe('The CA that signed Redis’ certificate; default: the system’s'),
    cert: secret().optional().describe('Our certificate, where Redis wants one (PEM)'),
    key: secret().optional().describe('Its private key (PEM)'),
  })
    .optional()
    .describe('With cluster and sentinel: turns TLS on; with rediss:// it is on already'),
  key_prefix: pattern(/^[^\s{}]{0,64}$/, 'up to 64 characters without braces and spaces')
    .prefault('gatehouse:')
    .describe('Before every key'),
});

const limit = (fallback: number) => wholeNumber(0, 1_000_000_000).prefault(fallback);

function target(what: string) {
  return section({
    url: webAddress({ query: true }).describe('Where it is posted'),
    secret: secret().optional().describe('Signs what is sent; as it is, or whsec_ and base64'),
  })
    .optional()
    .describe(what);
}

const networkId = () => pattern(/^[a-z0-9][a-z0-9_-]{0,31}$/, 'an id of up to 32 characters from a-z, 0-9, _ and -');

export const fileSchema = section(
  {
    public_url: webAddress({ query: false }).describe(
      'Issuer and only source of every URL; https, except for loopback',
    ),
    listen: section({
      host: host().prefault('127.0.0.1').describe('GATEHOUSE_LISTEN_HOST wins'),
      port: port().prefault(8080).describe('0 takes any free port'),
      socket: filePath()
        .optional()
        .describe(
          'In place of host and port: the path of a unix socket, or systemd for the one that systemd hands over',
        ),
      tls: section({
        cert: secret().describe('The certificate and those between it and its CA (PEM)'),
        key: secret().describe('Its private key (PEM)'),
      })
        .optional()
        .describe('Where no proxy ends TLS; read again at each reload'),
    })
      .prefault({})
      .describe('Where devices and people come in'),
    operations: operationsSchema,
    trusted_proxies: networks(PROXIES)
      .optional()
      .describe(
        'Whose forwarding header is believed; must be stated when public_url is https; [] says none, on purpose',
      ),
    forwarded_header: oneOf(['x-forwarded-for', 'forwarded'])
      .prefault('x-forwarded-for')
      .describe('The one header that is read; the other never is'),
    drain: duration('0s', '10m')
      .optional()
      .describe('How long SIGTERM keeps answering; default: 10s, on a terminal 0s'),
    workers: wholeNumberOr('auto', 1, 256)
      .prefault(1)
      .describe('Processes that answer, on one port: driver redis only; auto takes one per core that it may use'),
    storage: section({
      driver: oneOf(['memory', 'redis'])
        .optional()
        .describe('Must be stated when public_url is https; default: redis with a redis section, else memory'),
      redis: redisSchema.optional().describe('With driver redis'),
    })
      .prefault({})
      .describe('Where grants and sessions are kept'),
    keys: section({
      sealing: list(secret(), '{ env: NAME } or { file: PATH }')
        .min(1, { error: expects('at least one key') })
        .optional()
        .describe('32 bytes base64url each; the first seals, all open; required unless driver is memory'),
      signing: secret()
        .optional()
        .describe('A private JWKS; the first key per alg signs; required unless driver is memory'),
    })
      .prefault({})
      .describe('What seals and signs'),
    proxy: proxy()
      .optional()
      .describe('The proxy that upstreams are reached over; none says that none is wanted, whatever HTTPS_PROXY says'),
    upstreams: upstreamsSchema,
    clients: clientsSchema,
    user_codes: section({
      alphabet: text('base20, numeric, or the characters themselves', { longest: 36 })
        .prefault('base20')
        .describe('base20, numeric, or the characters: upper-case letters and digits, each once'),
      length: wholeNumber(4, 16).prefault(8).describe('The least; checked against limits.wrong_codes_per_source'),
      group: wholeNumber(1, 16).prefault(4).describe('Characters between two dashes'),
      verification_uri_complete: text('a form such as "{verification_uri}?user_code={user_code}"')
        .prefault('{verification_uri}?user_code={user_code}')
        .describe('Its form: the address of the code page, then a query with the code as user_code or code'),
    })
      .prefault({})
      .describe('What people type'),
    scopes: entries(
      scope(),
      section({
        description: described('what this scope lets a device do').describe(
          'In words for people; in one language, or by language: { en: …, de: … }',
        ),
      }),
      'a section with one entry per scope',
    )
      .prefault({})
      .describe('What scopes mean, in words for people'),
    resource_servers: entries(
      clientId(),
      section({
        audience: resource().describe('Which tokens it may ask about'),
        client_secret: secret().describe('How it authenticates'),
      }),
      'a section with one entry per resource server',
    )
      .prefault({})
      .describe('Who may introspect tokens (RFC 7662), by client_id'),
    networks: entries(
      networkId(),
      section({
        name: text('a name').optional().describe('What people read; default: the id'),
        cidrs: networks({ everything: 'this is every address, expected a network of your own', least: 1 }).describe(
          'The addresses',
        ),
        factor: wholeNumber(1, 1000).prefault(1).describe('What limits per source are multiplied by'),
      }),
      'a section with one entry per network',
    )
      .prefault({})
      .describe('Networks that have a name, by id'),
    geo: section({
      file: filePath().describe('Countries and cities, such as GeoLite2-City.mmdb'),
      asn_file: filePath()
        .optional()
        .describe('Who runs networks, such as GeoLite2-ASN.mmdb; needless where file says that too'),
    })
      .optional()
      .describe('Where addresses are, by files in MaxMind’s format (MMDB); shown beside addresses'),
    limits: section({
      wrong_codes_per_source: limit(50).describe(
        'Per 10 minutes; a source is one IPv4 address or one IPv6 /64; a /24 and a /48 get ten times that',
      ),
      wrong_codes_total: limit(1000).describe('Per 10 minutes; beyond it the person signs in before typing a code'),
      wrong_codes_per_browser: limit(10).describe('Per 10 minutes'),
      wrong_codes_per_subject: limit(20).describe('Per 10 minutes'),
      failed_authentications_per_source: limit(20).describe(
        'Per 10 minutes and client or resource server: wrong secrets and forged assertions; a source as above',
      ),
      failed_authentications_per_client: limit(1000).describe(
        'The same from everywhere; beyond it a source is refused after one failure, and the others are served',
      ),
      approvals_per_subject: limit(20).describe('Per hour'),
      starts_per_source: limit(60).describe('Per minute'),
      pending_per_source: limit(1000).describe('Starts within one code lifetime, decided or not'),
      pending_per_client: limit(100_000).describe('As pending_per_source'),
      pending_total: limit(1_000_000).describe('As pending_per_source'),
    })
      .prefault({})
      .describe('0 switches one off'),
    pages: pagesSchema,
    audit: section({
      webhook: target('Every audit event'),
      on_approval: target('Only: a device now acts as somebody'),
      chain: yesOrNo()
        .prefault(false)
        .describe(
          'Each audit line of the log carries the hash of the one before; `gatehouse audit verify` checks them',
        ),
    })
      .prefault({})
      .describe('Where audit events go besides the log'),
    log: section({ level: oneOf(LOG_LEVELS).prefault('info').describe('GATEHOUSE_LOG_LEVEL wins') })
      .prefault({})
      .describe('JSON lines on stderr'),
    compatibility: compatibilitySchema.prefault({}).describe('Paths of other servers, as aliases of our own'),
    include: list(text('a file such as clients.d/*.yaml', { longest: 4096 }), 'files')
      .prefault([])
      .describe(
        'Further files with entries of upstreams, clients, scopes, resource_servers and networks; * and ? in their names',
      ),
  },
  'the keys public_url, upstreams, clients …',
);

export type ConfigFile = z.output<typeof fileSchema>;

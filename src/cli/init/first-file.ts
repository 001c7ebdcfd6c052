import { stringify } from 'yaml';
import { isLoopback } from '../../network/loopback.ts';

/** Everything that a first configuration says. Files are named relative to it. */
export interface FirstSettings {
  publicUrl: string;
  redisUrl: string | undefined;
  proxy: string | undefined;
  upstream: {
    id: string;
    displayName: string;
    issuer: string;
    clientId: string;
    secret: { env: string } | { file: string } | undefined;
    ca: string | undefined;
    /** What this provider needs besides, as lines of YAML. */
    lines: readonly string[];
  };
  client: { id: string; name: string };
}

export const SEALING_FILE = 'sealing.key';
export const SIGNING_FILE = 'signing-keys.json';
export const SCHEMA_FILE = 'gatehouse.schema.json';

/** A short configuration with a word on each part; what it does not say has its default. */
export function firstFile({ publicUrl, redisUrl, proxy, upstream, client }: FirstSettings): string {
  const { protocol, hostname, port } = new URL(publicUrl);
  const isHttps = protocol === 'https:';
  return [
    `# yaml-language-server: $schema=${SCHEMA_FILE}`,
    '# Secrets are { file: PATH } or { env: NAME }, durations have a unit. gatehouse check says what is wrong here.',
    '',
    '# Where people and devices reach Gatehouse, and the issuer of its tokens. People type their codes below it, at /device.',
    `public_url: ${scalar(publicUrl)}`,
    ...(isHttps
      ? [
          '# Gatehouse listens on 127.0.0.1:8080. The proxy before it ends TLS; its forwarding header is believed from here alone.',
          'trusted_proxies: [127.0.0.1/32]',
        ]
      : [`listen: { host: ${listenHost(hostname)}, port: ${port === '' ? 80 : port} }`]),
    '# Health and metrics, on a listener of their own:',
    '# operations: { host: 127.0.0.1, port: 9090 }',
    ...(proxy === undefined ? [] : [`proxy: ${scalar(proxy)}`]),
    '',
    ...storage(redisUrl),
    '',
    '# What seals the storage and signs the tokens. Without them nobody stays signed in: keep a copy, and let nobody read it.',
    'keys:',
    `  sealing: [{ file: ${SEALING_FILE} }]`,
    `  signing: { file: ${SIGNING_FILE} }`,
    '',
    '# Where people sign in.',
    'upstreams:',
    `  ${upstream.id}:`,
    `    display_name: ${scalar(upstream.displayName)}`,
    `    issuer: ${scalar(upstream.issuer)}`,
    `    client_id: ${scalar(upstream.clientId)}`,
    ...(upstream.secret === undefined
      ? ['    authentication: none']
      : [`    client_secret: ${reference(upstream.secret)}`]),
    ...(upstream.ca === undefined ? [] : [`    ca: ${reference({ file: upstream.ca })}`]),
    ...upstream.lines.map((line) => `    ${line}`),
    '',
    '# The programs that may ask for codes.',
    'clients:',
    `  ${scalar(client.id)}:`,
    `    name: ${scalar(client.name)} # what people read`,
    '    scopes: { allowed: [openid, profile, email], default: [openid, profile, email] }',
    '',
  ].join('\n');
}

function storage(redisUrl: string | undefined): string[] {
  if (redisUrl !== undefined) {
    return [
      '# Where grants and sessions are kept. A password: password: { file: PATH } beside the url.',
      'storage:',
      '  driver: redis',
      `  redis: { url: ${JSON.stringify(redisUrl)} }`,
    ];
  }
  return [
    '# In this process alone, and lost at a restart. To keep sessions, and for several processes:',
    '# storage: { driver: redis, redis: { url: "redis://127.0.0.1:6379/0" } }',
    'storage: { driver: memory }',
  ];
}

/** A name that resolves to loopback may do so in either family; people's browsers try both. */
function listenHost(hostname: string): string {
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return isLoopback(host) && /^[0-9.]+$|:/.test(host) ? JSON.stringify(host) : '127.0.0.1';
}

function reference(secret: { env: string } | { file: string }): string {
  const [[key, name] = ['file', '']] = Object.entries(secret);
  return `{ ${key}: ${JSON.stringify(name)} }`;
}

/** One line, quoted where YAML would read it otherwise. */
function scalar(text: string): string {
  return stringify(text, { lineWidth: 0 }).trim();
}

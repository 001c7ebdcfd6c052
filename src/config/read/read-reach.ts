import { X509Certificate } from 'node:crypto';
import { isPrivateHost } from '../../network/public-address.ts';
import type { ProxySettings, Reach } from '../../upstream/upstream-settings.ts';
import type { Environment } from '../environment.ts';
import type { ConfigFile } from '../schema/file-schema.ts';
import type { UpstreamSection } from '../schema/upstream-schema.ts';
import type { Reading } from './reading.ts';

type ProxySection = ConfigFile['proxy'];

/** How one upstream is reached. */
export function readReach(
  id: string,
  section: UpstreamSection,
  { file, environment }: { file: ConfigFile; environment: Environment },
  reading: Reading,
): Reach {
  const at = ['upstreams', id];
  const { back_channel: backChannel, endpoints, allow_private_addresses: allowsPrivateAddresses } = section;
  const isOwnProxy = section.proxy !== undefined;
  const proxyPath = isOwnProxy ? [...at, 'proxy'] : ['proxy'];
  const proxy = readProxy(proxyPath, isOwnProxy ? section.proxy : file.proxy, reading);
  const isSilent = !isOwnProxy && file.proxy === undefined;
  const unusedProxy = isSilent ? proxyVariable(environment) : undefined;
  const ca = readAuthorities([...at, 'ca'], section.ca, reading);
  if (!allowsPrivateAddresses) {
    const path = [...at, 'allow_private_addresses'];
    if (proxy !== undefined) {
      const text = 'is false, and a proxy would look up the addresses; expected true, or proxy: none for this upstream';
      reading.problem(path, text, proxyPath);
    }
    const stated: [string[], string | undefined][] = [
      [[...at, 'issuer'], section.issuer],
      [[...at, 'back_channel'], backChannel],
      ...Object.entries(endpoints).map(([key, address]): [string[], string | undefined] => [
        [...at, 'endpoints', key],
        address,
      ]),
    ];
    for (const [where, address] of stated) {
      if (address === undefined || !isPrivateHost(new URL(address).hostname)) continue;
      reading.problem(where, 'is a private address, expected a public one, or allow_private_addresses: true', path);
    }
  }
  return {
    timeoutSeconds: section.timeout,
    allowsPrivateAddresses,
    endpoints,
    ...(backChannel !== undefined && { backChannel: new URL(backChannel).origin }),
    ...(ca !== undefined && { ca }),
    ...(proxy !== undefined && { proxy }),
    ...(unusedProxy !== undefined && { unusedProxy }),
  };
}

function readProxy(path: string[], section: ProxySection, reading: Reading): ProxySettings | undefined {
  if (section === undefined || section === 'none') return undefined;
  if (typeof section === 'string') return { url: section };
  const { url, username } = section;
  const password = reading.secret([...path, 'password'], section.password);
  if (username === undefined && section.password !== undefined) {
    reading.problem([...path, 'username'], 'is missing, expected the user of this password');
  }
  return { url, ...(username !== undefined && { username }), ...(password !== undefined && { password }) };
}

/** The text of one certificate or several, each of which can be read. */
function readAuthorities(path: string[], ref: UpstreamSection['ca'], reading: Reading): string | undefined {
  const text = reading.publicText(path, ref);
  if (text === undefined) return undefined;
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  if (certificates.length > 0 && certificates.every(isCertificate)) return certificates.join('\n');
  reading.problem(path, 'is no certificate, expected one or more in PEM (-----BEGIN CERTIFICATE-----)');
  return undefined;
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

/** What other programs take for an order to use a proxy; here only the configuration says so. */
const PROXY_VARIABLES = ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];

function proxyVariable(environment: Environment): string | undefined {
  return PROXY_VARIABLES.find((variable) => (environment[variable] ?? '') !== '');
}

export function warnOfUnusedProxy(file: ConfigFile, environment: Environment, reading: Reading): void {
  const name = proxyVariable(environment);
  if (name === undefined || file.proxy !== undefined) return;
  const direct = Object.entries(file.upstreams).filter(([, { proxy }]) => proxy === undefined);
  if (direct.length === 0) return;
  const ids = direct.map(([id]) => id).join(', ');
  const text =
    `${name} is set and is not used: ${ids} would be called directly. Write proxy: with its address ` +
    'where they are to be reached over it, or proxy: none where not';
  reading.warning(['proxy'], text);
}

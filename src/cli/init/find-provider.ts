import { createBoundedFetch } from '../../upstream/requests/bounded-fetch.ts';
import { printable } from '../../upstream/requests/foreign-text.ts';
import type { ProviderMetadata } from '../../upstream/requests/upstream-requests.ts';
import { UpstreamError } from '../../upstream/upstream.ts';
import type { Reach } from '../../upstream/upstream-settings.ts';
import { readTypedIssuer, withoutSlash } from './issuer-candidates.ts';

export type ProviderSearch =
  | { outcome: 'found'; metadata: ProviderMetadata }
  /** It is not as it was typed; `issuer` is what was most likely meant, and has been read. */
  | { outcome: 'elsewhere'; problem: string; metadata: ProviderMetadata }
  | { outcome: 'nowhere'; problem: string };

export type ProviderRoute = Pick<Reach, 'ca' | 'proxy' | 'unusedProxy'>;

type Answer =
  | { is: 'good'; metadata: ProviderMetadata }
  /** A document that names another issuer than the one it was found at. */
  | { is: 'of another'; metadata: ProviderMetadata }
  | { is: 'none'; why: string }
  | { is: 'away'; why: string };

const SECONDS = 10;

const FORMS = `An issuer looks like one of these:
  https://HOST/realms/REALM                           Keycloak
  https://HOST/application/o/SLUG/                    authentik
  https://login.microsoftonline.com/TENANT-ID/v2.0    Entra ID
  https://ORG.okta.com                                Okta
  https://TENANT.eu.auth0.com/                        Auth0
Where PROVIDER/.well-known/openid-configuration shows a document, PROVIDER is the issuer.`;

/** Reads what a provider publishes, by the way that the broker will go; where nothing is there, looks for what was meant. */
export async function findProvider(typed: string, route: ProviderRoute = {}): Promise<ProviderSearch> {
  const read = readTypedIssuer(typed);
  if (read === undefined) {
    const problem = `${JSON.stringify(printable(typed))} is no address of a provider, such as https://sso.example.com/realms/corp`;
    return { outcome: 'nowhere', problem };
  }
  const failures: { at: string; answer: Exclude<Answer, { is: 'good' }> }[] = [];
  for (const at of read.candidates) {
    const isGone = failures.some((one) => one.answer.is === 'away' && sameOrigin(one.at, at));
    if (isGone) continue;
    const answer = await readMetadata(at, route);
    if (answer.is !== 'good') {
      failures.push({ at, answer });
      continue;
    }
    const { metadata } = answer;
    if (at === read.address) return { outcome: 'found', metadata };
    const problem = `${describe(read.address, failures)} ${metadata.issuer} is an issuer`;
    return { outcome: 'elsewhere', problem, metadata };
  }
  return (await followNamed(read.address, failures, route)) ?? nowhere(read.address, failures);
}

/** The issuer that a document names, where that one is there. */
async function followNamed(
  address: string,
  failures: readonly { at: string; answer: Answer }[],
  route: ProviderRoute,
): Promise<ProviderSearch | undefined> {
  for (const { at, answer } of failures) {
    if (answer.is !== 'of another') continue;
    const named = answer.metadata.issuer;
    if (named.includes('{')) {
      const problem = `${at} stands for any tenant: its metadata name the issuer ${printable(named)}. Name your own, by its id`;
      return { outcome: 'nowhere', problem };
    }
    const there = await readMetadata(named, route);
    const problem = `${at} has metadata that name another issuer, ${printable(named)}`;
    if (there.is === 'good') return { outcome: 'elsewhere', problem, metadata: there.metadata };
    if (at === address) {
      const hint = 'A broker that believed them could be led elsewhere: use the address that the provider itself names';
      return { outcome: 'nowhere', problem: `${problem}, and there is no such provider there. ${hint}` };
    }
  }
  return undefined;
}

function nowhere(address: string, failures: readonly { at: string; answer: Answer }[]): ProviderSearch {
  const [first] = failures;
  if (first?.answer.is === 'away') {
    const isUntrusted = first.answer.why.includes('NODE_EXTRA_CA_CERTS');
    const advice = isUntrusted ? 'Here: --ca FILE' : 'Is the address right, and can this machine reach it?';
    return { outcome: 'nowhere', problem: `cannot reach ${first.answer.why}. ${advice}` };
  }
  return { outcome: 'nowhere', problem: `${describe(address, failures)}\n${FORMS}` };
}

function describe(address: string, failures: readonly { answer: Answer }[]): string {
  const why = failures[0]?.answer;
  return `There is no OpenID provider at ${address}${why !== undefined && 'why' in why ? `: ${why.why}` : ''}.`;
}

async function readMetadata(issuer: string, route: ProviderRoute): Promise<Answer> {
  const fetch = createBoundedFetch({
    issuer,
    reach: { timeoutSeconds: SECONDS, allowsPrivateAddresses: true, endpoints: {}, ...route },
  });
  const address = `${withoutSlash(issuer)}/.well-known/openid-configuration`;
  try {
    const { status, headers, body } = await fetch.plain(address, {}, AbortSignal.timeout(SECONDS * 1000));
    const metadata = status === 200 ? documentIn(body) : undefined;
    if (metadata !== undefined && !isAddress(metadata.issuer)) {
      const named = JSON.stringify(printable(metadata.issuer));
      return { is: 'none', why: `${address} names the issuer ${named}, which is no http or https address` };
    }
    if (metadata === undefined) {
      const moved =
        status >= 300 && status < 400 ? `, a redirect to ${printable(String(headers['location'] ?? 'nowhere'))}` : '';
      const isPage = String(headers['content-type'] ?? '').startsWith('text/html');
      return {
        is: 'none',
        why: `${address} answers ${status}${moved}${isPage ? ', with a page and no metadata' : errorIn(body)}`,
      };
    }
    return { is: withoutSlash(metadata.issuer) === withoutSlash(issuer) ? 'good' : 'of another', metadata };
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    return { is: error.fault === 'unavailable' ? 'away' : 'none', why: error.detail.replaceAll(/\s+/g, ' ') };
  }
}

/** Keycloak says here that there is no such realm. */
function errorIn(body: Uint8Array): string {
  const [, words] = /^\s*\{\s*"error"\s*:\s*"([^"]+)"/.exec(Buffer.from(body).toString('utf8')) ?? [];
  return words === undefined ? '' : ` "${printable(words)}"`;
}

function documentIn(body: Uint8Array): ProviderMetadata | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'));
    const isOne = typeof value === 'object' && value !== null && 'issuer' in value && typeof value.issuer === 'string';
    return isOne ? (value as unknown as ProviderMetadata) : undefined;
  } catch {
    return undefined;
  }
}

/** In printable ASCII, as an address is written (RFC 3986 §2): it is shown, and becomes part of commands and of the file. */
function isAddress(issuer: string): boolean {
  return /^https?:\/\/[\x21-\x7e]+$/i.test(issuer) && URL.canParse(issuer);
}

function sameOrigin(a: string, b: string): boolean {
  return new URL(a).origin === new URL(b).origin;
}

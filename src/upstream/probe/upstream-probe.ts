import { randomBytes } from 'node:crypto';
import { callbackUri } from '../../oauth/routes.ts';
import { printable } from '../requests/foreign-text.ts';
import type { ProviderMetadata } from '../requests/upstream-requests.ts';
import type { Offered, ProbeReport, TripParameters } from '../upstream.ts';
import type { UpstreamSettings } from '../upstream-settings.ts';
import { failedFinding, reasonOf } from './failed-finding.ts';
import { type Finding, metadataFindings, strings } from './metadata-findings.ts';
import { type CredentialTools, probeCredentials } from './probe-credentials.ts';

export interface ProbeTools extends CredentialTools {
  discover: () => Promise<ProviderMetadata>;
  loadKeys: (metadata: ProviderMetadata) => Promise<unknown>;
  signInAddress: (trip: TripParameters) => Promise<URL>;
  visit: (address: URL) => Promise<{ status: number; location: string | undefined }>;
}

/**
 * Asks an upstream what it is, and tries, without a person, what can be tried: whether our credentials and our
 * redirect URI are known there. Nobody is signed in and nothing is changed.
 */
export async function probeUpstream(
  publicUrl: string,
  settings: UpstreamSettings,
  tools: ProbeTools,
): Promise<ProbeReport> {
  const redirectUri = callbackUri(publicUrl, settings.id);
  const findings: Finding[] = [];
  let offered: Offered | undefined;
  try {
    const metadata = await tools.discover();
    offered = { claims: strings(metadata['claims_supported']), scopes: strings(metadata['scopes_supported']) };
    findings.push({ level: 'ok', text: `its metadata names the issuer ${settings.issuer}` });
    findings.push(...metadataFindings(metadata, settings, publicUrl));
    findings.push(await tryKeys(metadata, tools));
    findings.push(await probeCredentials(redirectUri, settings, tools));
    findings.push(await tryRedirectUri(redirectUri, settings, tools));
  } catch (error) {
    findings.push(failedFinding(error));
  }
  findings.push({ level: 'ok', text: `the redirect URI to register is ${redirectUri}` });
  const ok = findings.every(({ level }) => level !== 'wrong' && level !== 'away');
  return { ok, findings, ...(offered !== undefined && { offered }) };
}

async function tryKeys(metadata: ProviderMetadata, tools: ProbeTools): Promise<Finding> {
  try {
    const { keys } = ((await tools.loadKeys(metadata)) ?? {}) as { keys?: unknown };
    const count = Array.isArray(keys) ? keys.length : 0;
    if (count > 0) return { level: 'ok', text: `${count} public ${count === 1 ? 'key is' : 'keys are'} published` };
    return { level: 'wrong', text: 'it publishes no key at jwks_uri: no ID token can be checked' };
  } catch (error) {
    return failedFinding(error, 'its keys cannot be had: ');
  }
}

const NOBODY_SIGNED_IN = ['login_required', 'interaction_required', 'consent_required', 'account_selection_required'];

/** Asks for a sign-in without a person (`prompt=none`): the refusal comes to a redirect URI that is known, only. */
async function tryRedirectUri(
  redirectUri: string,
  { responseMode }: UpstreamSettings,
  tools: ProbeTools,
): Promise<Finding> {
  const trip = {
    redirectUri,
    state: random(),
    nonce: random(),
    codeVerifier: random(),
    prompt: 'none',
    wantsRefreshToken: true,
  };
  try {
    const address = await tools.signInAddress(trip);
    const { status, location } = await tools.visit(address);
    const next = location === undefined ? undefined : new URL(location, address);
    if (next?.href.startsWith(redirectUri) === true) return judgeReturn(next);
    if (status === 404 || status === 405 || status === 410) {
      const where = `${address.origin}${address.pathname}`;
      const text = `nothing answers at its sign-in page ${where} (status ${status}): its metadata leads people nowhere`;
      return { level: 'wrong', text };
    }
    if (status >= 400 && status < 500) {
      const text = `it refuses our sign-in request (status ${status}), most likely for its redirect URI: register exactly ${redirectUri} for this client`;
      return { level: 'wrong', text };
    }
    const why = responseMode === 'form_post' ? ': the answer comes in a page (response_mode: form_post)' : '';
    return { level: 'missing', text: `whether the redirect URI is registered could not be seen${why}` };
  } catch (error) {
    return { level: 'missing', text: `whether the redirect URI is registered could not be seen: ${reasonOf(error)}` };
  }
}

function judgeReturn({ searchParams }: URL): Finding {
  const error = searchParams.get('error');
  if (error === null || NOBODY_SIGNED_IN.includes(error)) {
    return { level: 'ok', text: 'the redirect URI is registered' };
  }
  const description = searchParams.get('error_description') ?? '';
  return { level: 'wrong', text: `it refuses our sign-in request: ${printable(`${error} ${description}`.trim())}` };
}

function random(): string {
  return randomBytes(32).toString('base64url');
}

import { randomBytes } from 'node:crypto';
import { printable } from './foreign-text.ts';
import { type Finding, metadataFindings } from './metadata-findings.ts';
import { UnusableAddressError } from './request-failure.ts';
import { type ProbeReport, type TripParameters, UpstreamError } from './upstream.ts';
import type { ProviderMetadata } from './upstream-requests.ts';
import type { UpstreamSettings } from './upstream-settings.ts';

export interface ProbeTools {
  discover: () => Promise<ProviderMetadata>;
  loadKeys: (metadata: ProviderMetadata) => Promise<unknown>;
  signInAddress: (trip: TripParameters) => Promise<URL>;
  visit: (address: URL) => Promise<{ status: number; location: string | undefined }>;
  tryGrant: (grantType: string, parameters: Record<string, string>) => Promise<void>;
}

/**
 * Asks an upstream what it is, and tries, without a person, what can be tried: whether our credentials and our
 * redirect URI are known there. Nobody is signed in and nothing is changed.
 */
export async function probeUpstream(
  redirectUri: string,
  settings: UpstreamSettings,
  tools: ProbeTools,
): Promise<ProbeReport> {
  const findings: Finding[] = [];
  try {
    const metadata = await tools.discover();
    findings.push({ level: 'ok', text: `its metadata names the issuer ${settings.issuer}` });
    findings.push(...metadataFindings(metadata, settings, redirectUri));
    findings.push(await tryKeys(metadata, tools));
    findings.push(await tryCredentials(redirectUri, settings, tools));
    findings.push(await tryRedirectUri(redirectUri, settings, tools));
  } catch (error) {
    findings.push(failed(error));
  }
  findings.push({ level: 'ok', text: `the redirect URI to register is ${redirectUri}` });
  return { ok: findings.every(({ level }) => level !== 'wrong' && level !== 'away'), findings };
}

async function tryKeys(metadata: ProviderMetadata, tools: ProbeTools): Promise<Finding> {
  try {
    const { keys } = ((await tools.loadKeys(metadata)) ?? {}) as { keys?: unknown };
    const count = Array.isArray(keys) ? keys.length : 0;
    if (count > 0) return { level: 'ok', text: `${count} public ${count === 1 ? 'key is' : 'keys are'} published` };
    return { level: 'wrong', text: 'it publishes no key at jwks_uri: no ID token can be checked' };
  } catch (error) {
    return failed(error, 'its keys cannot be had: ');
  }
}

/**
 * Offers a code and a refresh token that cannot exist. Who looks at either has mostly accepted the client before; some
 * look at the code first, and at the client where it is about a refresh token.
 */
async function tryCredentials(redirectUri: string, settings: UpstreamSettings, tools: ProbeTools): Promise<Finding> {
  const code = { code: 'gatehouse-probe', redirect_uri: redirectUri, code_verifier: random() };
  const byCode = await judgeGrant(() => tools.tryGrant('authorization_code', code));
  if (byCode !== undefined) return byCode;
  const refreshToken = { refresh_token: 'gatehouse-probe' };
  const byRefresh = await judgeGrant(() => tools.tryGrant('refresh_token', refreshToken));
  // That this client may not refresh says nothing of its secret.
  const isAboutUs = byRefresh?.level === 'wrong' && /invalid_client|status 401/.test(byRefresh.text);
  if (byRefresh !== undefined && (isAboutUs || byRefresh.level === 'away')) return byRefresh;
  return { level: 'ok', text: `it accepts client_id ${settings.clientId} with its credentials` };
}

/** What is wrong, or `undefined` where the grant was looked at and refused as one that does not exist. */
async function judgeGrant(tryGrant: () => Promise<void>): Promise<Finding | undefined> {
  try {
    await tryGrant();
    return undefined;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.fault === 'invalid_grant') return undefined;
    if (error.fault === 'client_rejected') return { level: 'wrong', text: error.detail };
    if (error.fault === 'unavailable') return failed(error, 'tokens cannot be had: ');
    return { level: 'missing', text: `whether it accepts our credentials could not be seen: ${error.detail}` };
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
    return { level: 'missing', text: `whether the redirect URI is registered could not be seen: ${reason(error)}` };
  }
}

function judgeReturn({ searchParams }: URL): Finding {
  const error = searchParams.get('error');
  if (error === null || NOBODY_SIGNED_IN.includes(error))
    return { level: 'ok', text: 'the redirect URI is registered' };
  const description = searchParams.get('error_description') ?? '';
  return { level: 'wrong', text: `it refuses our sign-in request: ${printable(`${error} ${description}`.trim())}` };
}

function random(): string {
  return randomBytes(32).toString('base64url');
}

/** An upstream that does not answer now is not called wrong: nothing in the configuration would mend it. */
function failed(error: unknown, what = ''): Finding {
  const isUnanswered = error instanceof UpstreamError && error.fault === 'unavailable';
  const isAway = isUnanswered && !(error instanceof UnusableAddressError);
  return { level: isAway ? 'away' : 'wrong', text: `${what}${reason(error)}` };
}

function reason(error: unknown): string {
  if (error instanceof UpstreamError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

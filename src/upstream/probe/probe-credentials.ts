import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Secret } from '../../sealing/secret.ts';
import type { TriedClient } from '../requests/upstream-requests.ts';
import { UpstreamError } from '../upstream.ts';
import type { UpstreamSettings } from '../upstream-settings.ts';
import { failedFinding } from './failed-finding.ts';
import type { Finding } from './metadata-findings.ts';

export interface CredentialTools {
  tryGrant: (grantType: string, parameters: Record<string, string>, client: TriedClient) => Promise<void>;
  tryRevocation: (token: string, client: TriedClient) => Promise<void>;
}

/** What cannot exist there, so that nothing is changed by it. */
const NO_TOKEN = 'gatehouse-probe';

/**
 * Whether our credentials are accepted, and whether wrong ones are not: a client that was made public by accident
 * accepts any secret, and whoever knows its `client_id` can use what was meant to be guarded by one.
 */
export async function probeCredentials(
  redirectUri: string,
  settings: UpstreamSettings,
  tools: CredentialTools,
): Promise<Finding> {
  const { clientId } = settings;
  const ours = await judgeClient(redirectUri, {}, tools);
  if (ours !== undefined) return ours;
  const wrong = wrongCredentials(settings);
  if (wrong === undefined) return { level: 'ok', text: `it accepts client_id ${clientId} with its credentials` };
  const refusal = await judgeClient(redirectUri, wrong, tools);
  if (refusal?.level === 'wrong') return refusesWrongOnes(clientId);
  if (refusal !== undefined) return refusal;
  return judgeByRevocation(settings, wrong, tools);
}

/**
 * Offers a code and a refresh token that cannot exist. A server that looks at either has mostly accepted the client before; some
 * look at the code first, and at the client where it is about a refresh token.
 *
 * @returns what is wrong, or `undefined` where both were looked at and refused as ones that do not exist
 */
async function judgeClient(
  redirectUri: string,
  client: TriedClient,
  { tryGrant }: CredentialTools,
): Promise<Finding | undefined> {
  const code = { code: NO_TOKEN, redirect_uri: redirectUri, code_verifier: randomBytes(32).toString('base64url') };
  const byCode = await judgeAnswer(() => tryGrant('authorization_code', code, client));
  if (byCode !== undefined) return byCode;
  const byRefresh = await judgeAnswer(() => tryGrant('refresh_token', { refresh_token: NO_TOKEN }, client));
  // That this client may not refresh says nothing of its secret.
  const isAboutUs = byRefresh?.level === 'wrong' && /invalid_client|status 401/.test(byRefresh.text);
  return isAboutUs || byRefresh?.level === 'away' ? byRefresh : undefined;
}

/**
 * Wrong credentials came through at the token endpoint. That proves nothing where codes and tokens are looked at before
 * the client's secret. A revocation endpoint has to look at the client first (RFC 7009 §2.1); one that refuses a client
 * that does not exist, and accepts ours with a wrong secret, knows ours as public.
 */
async function judgeByRevocation(
  settings: UpstreamSettings,
  wrong: TriedClient,
  { tryRevocation }: CredentialTools,
): Promise<Finding> {
  const { clientId, authentication } = settings;
  const what = authentication === 'private_key_jwt' ? 'key' : 'secret';
  const levelFor = async (client: TriedClient) =>
    (await judgeAnswer(() => tryRevocation(NO_TOKEN, client)))?.level ?? 'ok';
  const level = await levelFor(wrong);
  if (level === 'wrong') return refusesWrongOnes(clientId);
  const nobody = { ...wrong, clientId: `${NO_TOKEN}-${randomBytes(8).toString('hex')}` };
  if (level === 'away' || (await levelFor(nobody)) !== 'wrong') {
    const text = `whether it looks at the ${what} of client_id ${clientId} could not be seen: it answers a wrong one alike`;
    return { level: 'missing', text };
  }
  const text =
    `client_id ${clientId}: this client is public at the provider, its ${what} protects nothing (a wrong one was accepted ` +
    'too): make it confidential there (Keycloak: Client authentication), or write authentication: none';
  return { level: 'wrong', text };
}

function refusesWrongOnes(clientId: string): Finding {
  return { level: 'ok', text: `it accepts client_id ${clientId} with its credentials, and refuses wrong ones` };
}

/** Of the kind that the upstream is used with; `undefined` where there are none. */
function wrongCredentials({ authentication, assertionKey }: UpstreamSettings): TriedClient | undefined {
  if (authentication === 'none') return undefined;
  if (assertionKey === undefined) return { clientSecret: new Secret(randomBytes(32).toString('base64url')) };
  const jwk = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { assertionKey: { ...assertionKey, jwk: new Secret(JSON.stringify(jwk)) } };
}

/** What is wrong, or `undefined` where the client was let through to what it asked for. */
async function judgeAnswer(ask: () => Promise<void>): Promise<Finding | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    if (error.fault === 'invalid_grant') return undefined;
    if (error.fault === 'client_rejected') return { level: 'wrong', text: error.detail };
    if (error.fault === 'unavailable') return failedFinding(error, 'tokens cannot be had: ');
    return { level: 'missing', text: `whether it accepts our credentials could not be seen: ${error.detail}` };
  }
}

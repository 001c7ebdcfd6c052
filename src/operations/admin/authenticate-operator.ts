import type { IncomingHttpHeaders } from 'node:http';
import { isSameSecret } from '../../clients/authenticate-client.ts';
import { isMarkedEnded } from '../../grants/revocation-marks.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import type { AuthenticationLimits } from '../../limits/authentication-limits.ts';
import { isEncrypted } from '../../oauth/encryption-algorithms.ts';
import { OAuthError, RETRY_LATER } from '../../oauth/oauth-error.ts';
import type { Sealing } from '../../sealing/sealing.ts';
import { Secret } from '../../sealing/secret.ts';
import { type OperatorSignIn, type Upstream, UpstreamError } from '../../upstream/upstream.ts';
import type { AdminSettings } from './admin-settings.ts';

export interface OperatorDeps {
  settings: AdminSettings;
  limits: Pick<AuthenticationLimits, 'admit'>;
  onLimited: (limit: string) => void;
  upstreams: ReadonlyMap<string, Pick<Upstream, 'verifyOperatorToken'>>;
  ledger: Ledger;
  sealing: Sealing;
}

export interface Operator {
  /** For the audit: `token`, or `upstream|subject`. */
  name: string;
}

/** Counts apart from those of clients: none of them can be called so. */
const COUNTED_AS = ' operations.admin';
const CHALLENGE = 'Bearer realm="gatehouse-admin"';

/**
 * Who asks, by the bearer token of the request's header (RFC 6750 §2.1). Wrong ones are counted before anybody hears that
 * they are wrong. A right one is let in whatever was counted: nobody guesses 64 random bits or a signature, and a stranger
 * who sends junk from the same address must not shut operators out. Encrypted tokens alone wait.
 *
 * @throws {OAuthError} `invalid_token`, `insufficient_scope`, or 429 where this source failed too often
 */
export async function authenticateOperator(
  deps: OperatorDeps,
  headers: IncomingHttpHeaders,
  source: string,
): Promise<Operator> {
  const token = bearerIn(headers.authorization);
  if (token === undefined) {
    const how = 'bring a token: Authorization: Bearer TOKEN';
    throw new OAuthError('invalid_token', how, { headers: { 'WWW-Authenticate': CHALLENGE }, detail: 'no token' });
  }
  const { settings } = deps;
  if (settings.by === 'token') {
    if (isSameSecret(new Secret(token), settings.token)) return { name: 'token' };
    await requireAdmitted(deps, source, true);
    throw wrongToken('it is not the token of the configuration');
  }
  // Everybody can encrypt for us, and to decrypt costs as much as a hundred polls: there the limit comes first.
  if (isEncrypted(token)) await requireAdmitted(deps, source, false);
  return byUpstream(deps, settings, token, source);
}

async function byUpstream(
  deps: OperatorDeps,
  { upstream: id, groups, audience }: AdminSettings & { by: 'upstream' },
  token: string,
  source: string,
): Promise<Operator> {
  const signIn = await verified(deps, id, token, { audience, source });
  const name = `${id}|${signIn.subject}`;
  const { subject, sub: upstreamSub, sid, signedInAtMs } = signIn;
  // Who was cut off as a person, or has signed out, is no operator either.
  const about = { upstream: id, subject, upstreamSub, sid, source, signedInAtMs, endsOnLogout: true };
  if (await isMarkedEnded(deps, about)) throw wrongToken(`${name} was ended by a kill mark or a logout: sign in again`);
  if (!Array.isArray(signIn.groups)) {
    throw notAllowed('the token does not say which groups you are in', `${name}: no groups in the token`);
  }
  if (!signIn.groups.some((group: string) => groups.includes(group))) {
    throw notAllowed('you are in none of the groups that may ask this', `${name}: in none of the groups`);
  }
  return { name };
}

async function verified(
  deps: OperatorDeps,
  id: string,
  token: string,
  { audience, source }: { audience: string; source: string },
): Promise<OperatorSignIn> {
  try {
    const upstream = deps.upstreams.get(id);
    if (upstream === undefined) throw new UpstreamError('unavailable', 'no such upstream');
    return await upstream.verifyOperatorToken(token, audience);
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error;
    const { detail } = error;
    if (error.fault === 'unavailable') {
      const words = `the upstream ${id} does not answer, so the token cannot be checked; try again in a moment`;
      throw new OAuthError('temporarily_unavailable', words, { headers: RETRY_LATER, detail });
    }
    await requireAdmitted(deps, source, true);
    throw wrongToken(detail);
  }
}

/** @throws {OAuthError} 429 where there were too many wrong ones */
async function requireAdmitted({ limits, onLimited }: OperatorDeps, source: string, hasFailed: boolean): Promise<void> {
  const admitted = await limits.admit({ name: COUNTED_AS, source, hasFailed });
  if (admitted.verdict === 'admitted') return;
  const { limit, retryAfterSeconds } = admitted;
  onLimited(limit);
  throw new OAuthError('temporarily_unavailable', 'too many wrong tokens from here; try again later', {
    status: 429,
    headers: { 'Retry-After': String(retryAfterSeconds) },
    detail: limit,
  });
}

function bearerIn(authorization: string | undefined): string | undefined {
  return /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization ?? '')?.[1];
}

function wrongToken(detail: string): OAuthError {
  const headers = { 'WWW-Authenticate': `${CHALLENGE}, error="invalid_token"` };
  return new OAuthError('invalid_token', 'the token is not good for this; the log says why', { headers, detail });
}

function notAllowed(description: string, detail: string): OAuthError {
  const headers = { 'WWW-Authenticate': `${CHALLENGE}, error="insufficient_scope"` };
  return new OAuthError('insufficient_scope', description, { headers, detail });
}

import { authenticateClient, type ClientRegistry } from '../clients/authenticate-client.ts';
import type { RegisteredClient } from '../clients/registered-client.ts';
import { missingProof } from '../grants/decide/policy.ts';
import { type GrantDeps, startGrant } from '../grants/start/start-grant.ts';
import { userCodeLength } from '../grants/start/user-code.ts';
import { isVisibleLine, MAX_LINE } from '../grants/start/visible-line.ts';
import type { Grant } from '../ledger/grant.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import { quotable } from '../oauth/quotable.ts';
import { configuredResources } from '../oauth/resource.ts';
import { formatScope, parseScope } from '../oauth/scope.ts';
import { confirmationAtStart } from '../safeguards/same-device.ts';
import type { DpopProof, DpopProofs } from './dpop-proofs.ts';
import { credentialsOf, type DeviceRequest, type Endpoint } from './http/endpoint.ts';
import type { Form } from './http/form.ts';
import type { Issuer } from './profiles/path-profile.ts';

export interface DeviceAuthorizationDeps {
  issuer: Issuer;
  grants: GrantDeps;
  registry: ClientRegistry;
  dpop: DpopProofs;
  /** Counts the start, and says whether there is room for it. */
  admitStart: (start: { source: string; client: RegisteredClient }) => Promise<StartAdmission>;
  /** Whether this address may start grants for this client (`initiate_from`). */
  mayInitiate: (client: RegisteredClient, source: string) => boolean;
  /** With `{verification_uri}` and `{user_code}` to be filled in. */
  verificationUriComplete: string;
  onStarted: (started: {
    requestId: string;
    grantId: string;
    client: RegisteredClient;
    userCode: string;
    source: string;
    scopes: readonly string[];
  }) => void;
}

export type StartAdmission =
  | { admitted: true; liveCodes: number; wrongEntries: number; nowMs: number }
  | { admitted: false; limit: string; retryAfterSeconds: number };

const MAX_USER_AGENT = 120;
const MISSING_PROOFS = {
  pkce: 'code_challenge is missing; this client must use PKCE',
  dpop: 'a DPoP proof or dpop_jkt is missing; this client must use DPoP',
} as const;
const S256_CHALLENGE = /^[A-Za-z0-9_-]{43}$/;
/** Below are the ports of services. */
const MIN_PORT = 1024;
const MAX_PORT = 65_535;
/** 128 bits in base64url. */
const LOOPBACK_PATH = /^[A-Za-z0-9_-]{22}$/;

/** RFC 8628 §3.1 and §3.2. */
export function createDeviceAuthorization(deps: DeviceAuthorizationDeps): Endpoint {
  return async (request) => {
    const { form } = request;
    const asked = readRequest(form);
    const client = await authenticateClient(deps.registry, credentialsOf(request), request.source(), {
      withoutSecret: true,
    });
    request.clientId = client.id;
    if (!client.grantTypes.includes('device_code')) {
      throw new OAuthError('unauthorized_client', 'this client may not use the device grant');
    }
    const scopes = grantedScopes(client, form);
    const resources = grantedResources(client, form);
    const { jkt, spend } = await bindingProof(deps.dpop, request, asked.jkt);
    const missing = missingProof(client, { challenge: asked.challenge, jkt });
    if (missing !== undefined) throw new OAuthError('invalid_request', MISSING_PROOFS[missing]);
    const confirmation = confirmationAtStart(client.safeguards, asked.confirmation);
    if (confirmation === 'refuse') {
      throw new OAuthError('invalid_request', 'confirmation is missing; this client must send confirmation_code');
    }
    const source = request.source();
    if (!deps.mayInitiate(client, source)) {
      throw new OAuthError('access_denied', 'sign-ins for this client may not start from this address');
    }

    const admission = await deps.admitStart({ source, client });
    if (!admission.admitted) {
      throw new OAuthError('temporarily_unavailable', 'too many sign-ins were started; try again later', {
        status: 429,
        headers: { 'Retry-After': String(admission.retryAfterSeconds) },
        detail: admission.limit,
      });
    }
    await spend(undefined);
    const started = await startGrant(deps.grants, {
      ...asked,
      clientId: client.id,
      jkt,
      scopes,
      resources,
      source,
      userAgent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT),
      issuer: deps.issuer.name,
      lifetimeSeconds: client.lifetimes.codeSeconds,
      intervalSeconds: client.intervalSeconds,
      userCodeLength: userCodeLength(deps.grants.userCodes, admission.liveCodes, admission.wrongEntries),
      startedAtMs: admission.nowMs,
    });
    const { id: grantId, userCode } = started;
    deps.onStarted({ requestId: request.requestId, grantId, client, userCode, source, scopes });
    const body = answer(deps, client, started.deviceCode.reveal(), started.userCode);
    // So that the device listens, and asks its person for the digits, only where that will be wanted.
    switch (confirmation) {
      case 'none':
        return { status: 200, body };
      case 'digits':
        return { status: 200, body: { ...body, confirmation: 'required' } };
      case 'loopback':
        return { status: 200, body: { ...body, confirmation } };
    }
  };
}

function answer(deps: DeviceAuthorizationDeps, client: RegisteredClient, deviceCode: string, userCode: string) {
  const verificationUri = deps.issuer.addresses.verification;
  const complete = deps.verificationUriComplete
    .replaceAll('{verification_uri}', verificationUri)
    .replaceAll('{user_code}', encodeURIComponent(userCode));
  return {
    device_code: deviceCode,
    user_code: userCode,
    verification_uri: verificationUri,
    ...(client.safeguards.complete === 'off' ? {} : { verification_uri_complete: complete }),
    expires_in: client.lifetimes.codeSeconds,
    interval: client.intervalSeconds,
  };
}

/** What the request asks for besides scopes, resources and credentials. @throws {OAuthError} `invalid_request` */
function readRequest(form: Form) {
  const challenge = form.get('code_challenge') ?? '';
  const method = form.get('code_challenge_method');
  if (method !== undefined && method !== 'S256') {
    throw new OAuthError('invalid_request', 'code_challenge_method must be S256');
  }
  if (challenge !== '' && (method === undefined || !S256_CHALLENGE.test(challenge))) {
    throw new OAuthError(
      'invalid_request',
      'code_challenge must be an S256 challenge, with code_challenge_method=S256',
    );
  }
  if (challenge === '' && method !== undefined) throw new OAuthError('invalid_request', 'code_challenge is missing');
  const jkt = form.get('dpop_jkt') ?? '';
  if (jkt !== '' && !S256_CHALLENGE.test(jkt)) {
    throw new OAuthError('invalid_request', 'dpop_jkt must be a SHA-256 thumbprint');
  }
  const deviceLabel = form.get('device_label');
  if (deviceLabel !== undefined && !isVisibleLine(deviceLabel)) {
    throw new OAuthError(
      'invalid_request',
      `device_label must be one line of at most ${MAX_LINE} characters that can be seen, with at most two marks on a letter`,
    );
  }
  return { challenge, jkt, deviceLabel, ...readConfirmation(form) };
}

/** docs/protocol/same-device-proof.md. @throws {OAuthError} `invalid_request` */
function readConfirmation(form: Form): Pick<Grant, 'confirmation' | 'loopback'> {
  const confirmation = form.get('confirmation');
  switch (confirmation) {
    case undefined:
    case 'supported':
    case 'required':
      return { confirmation };
    case 'loopback':
      return { confirmation, loopback: readLoopback(form) };
    default:
      throw new OAuthError('invalid_request', 'confirmation must be supported, required or loopback');
  }
}

/** The host is not asked for: a browser is sent to its own machine and nowhere else. */
function readLoopback(form: Form): { port: number; path: string } {
  const [port, path] = [form.get('loopback_port') ?? '', form.get('loopback_path') ?? ''];
  if (!/^[1-9][0-9]{3,4}$/.test(port) || Number(port) < MIN_PORT || Number(port) > MAX_PORT) {
    throw new OAuthError('invalid_request', `loopback_port must be a port from ${MIN_PORT} to ${MAX_PORT}`);
  }
  if (!LOOPBACK_PATH.test(path)) {
    throw new OAuthError('invalid_request', 'loopback_path must be 128 random bits in base64url, 22 characters');
  }
  return { port: Number(port), path };
}

/** I5: asked ∩ allowed, resolved now. @throws {OAuthError} `invalid_scope` */
function grantedScopes(client: RegisteredClient, form: Form): readonly string[] {
  const parameter = form.get('scope');
  if (parameter === undefined) return client.scopes.default;
  const scopes = parseScope(parameter);
  const beyond = scopes.filter((scope) => !client.scopes.allowed.includes(scope));
  if (beyond.length > 0) {
    throw new OAuthError('invalid_scope', `not allowed for this client: ${quotable(formatScope(beyond))}`);
  }
  return scopes;
}

/** As they are configured, whatever spelling was asked for. @throws {OAuthError} `invalid_target` (RFC 8707 §2) */
function grantedResources(client: RegisteredClient, { resources }: Form): readonly string[] {
  const configured = configuredResources(resources, client.resources);
  const unknown = resources.find((_, index) => configured[index] === undefined);
  if (unknown !== undefined) {
    throw new OAuthError('invalid_target', `the resource ${quotable(unknown)} is not allowed for this client`);
  }
  return [...new Set(configured.filter((resource) => resource !== undefined))];
}

/** The key that the grant is bound to from the start, by a proof or by name; both must mean the same key. */
async function bindingProof(dpop: DpopProofs, request: DeviceRequest, named: string): Promise<DpopProof> {
  const proof = await dpop.proofOf(request);
  if (proof.jkt !== '' && named !== '' && proof.jkt !== named) {
    throw new OAuthError('invalid_dpop_proof', 'dpop_jkt is not the key of the proof');
  }
  return proof.jkt === '' ? { ...proof, jkt: named } : proof;
}

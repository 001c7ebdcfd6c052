import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { isDeepStrictEqual } from 'node:util';
import { createLocalJWKSet, type JWK, jwtVerify } from 'jose';
import { Secret } from '../../../src/sealing/secret.ts';
import type { Reach, UpstreamSettings } from '../../../src/upstream/upstream-settings.ts';
import { changed } from './changed.ts';
import { type FakeReply, json, orTrouble, page, redirect, refusal } from './fake-upstream-answers.ts';
import type { Behaviour, SeenRequest } from './fake-upstream-behaviour.ts';
import { type Encryption, encrypted } from './fake-upstream-encryption.ts';
import { TOKEN_REFUSALS, withHabit } from './fake-upstream-habits.ts';
import { type BadSignature, FakeKeys } from './fake-upstream-keys.ts';

/**
 * An OpenID provider that does wrong whatever a test asks it to. Left alone it is right, and strict: it checks client
 * authentication, PKCE and redirect URI, spends codes and rotates refresh tokens. It signs in without a person.
 */
export interface FakeUpstream {
  readonly issuer: string;
  /** Where it listens. */
  readonly origin: string;
  /** Replaced at any time by a test; `{}` is right in everything. */
  behaviour: Behaviour;
  /** Who signs in: the claims of this person. */
  person: Record<string, unknown> & { sub: string };
  /** Whether the account stands; a refresh of one that does not is `invalid_grant`. */
  isAccountEnabled: boolean;
  /** Everything that was asked, in order. */
  readonly requests: SeenRequest[];
  /** Tokens that were revoked (RFC 7009). */
  readonly revoked: string[];
  readonly clientSecret: string;
  /** Ours, as the YAML would have them. */
  settings(changes?: Partial<UpstreamSettings>): UpstreamSettings;
  /** @param kid for who gives every new key the same name */
  rotateKeys(kid?: string): Promise<void>;
  /** A logout token: a good one, with changes. */
  logoutToken(changes?: LogoutTokenChanges): Promise<string>;
  requestsTo(path: string): SeenRequest[];
  close(): Promise<void>;
}

export interface LogoutTokenChanges {
  claims?: Record<string, unknown>;
  /** Claims that are sent as they are, `null` and `""` too. */
  raw?: Record<string, unknown>;
  header?: Record<string, unknown>;
  signature?: BadSignature;
  encrypted?: Encryption;
}

export interface FakeUpstreamOptions {
  /** 0 takes a free one; a number lets one come back where another was. */
  port?: number;
  clientId?: string;
  clientSecret?: string;
  authentication?: UpstreamSettings['authentication'];
  /** With `private_key_jwt`: the client's public key. */
  clientKey?: JWK;
  /** Where it says that it is; what it answers at is `origin` all the same. */
  issuer?: string;
  /** Answers over TLS with this certificate. */
  tls?: { key: string; cert: string };
  /** Other than ES256, which is the quickest to make keys for. */
  signingAlgorithm?: string;
  /** Milliseconds since the epoch; what tokens say about time. */
  clock?: () => number;
}

interface IssuedCode {
  redirectUri: string;
  challenge: string;
  nonce: string | null;
  scope: string;
  maxAge: string | null;
  acr: string | undefined;
}

/** How an upstream is reached whose settings say nothing of it. */
export const REACH: Reach = { timeoutSeconds: 10, allowsPrivateAddresses: true, endpoints: {} };

export const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';

export async function startFakeUpstream(options: FakeUpstreamOptions = {}): Promise<FakeUpstream> {
  const {
    clientId = 'gatehouse',
    clientSecret = 'fake-upstream-client-secret',
    authentication = 'client_secret_basic',
    clock = Date.now,
  } = options;
  const keys = await FakeKeys.make(options.signingAlgorithm ?? 'ES256');
  const codes = new Map<string, IssuedCode>();
  const accessTokens = new Set<string>();
  const refreshTokens = new Map<string, string>();
  const { tls } = options;
  const server = tls === undefined ? createServer(replyWith(serve)) : createTlsServer(tls, replyWith(serve));
  const thirdOrigin = createServer(
    replyWith(async (request) => {
      const { searchParams } = new URL(request.url ?? '/', issuer);
      const to = new URL(searchParams.get('to') ?? issuer);
      return searchParams.has('form') ? formPage(to.origin + to.pathname, to.searchParams) : redirect(to.href);
    }),
  );
  const { port } = await listen(server, options.port ?? 0);
  // Another host name, so that it is another site too, not just another port.
  const thirdPort = (await listen(thirdOrigin, 0)).port;
  const origin = `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const issuer = options.issuer ?? origin;
  const nowSeconds = () => Math.floor(clock() / 1000);

  const fake: FakeUpstream = {
    issuer,
    origin,
    behaviour: {},
    person: { sub: 'alice', name: 'Alice Adams', email: 'alice@example.com', groups: ['engineering'] },
    isAccountEnabled: true,
    requests: [],
    revoked: [],
    clientSecret,
    settings: (changes = {}) => ({
      id: 'corp',
      displayName: 'Example Corp',
      issuer,
      clientId,
      authentication,
      ...(authentication.startsWith('client_secret') && { clientSecret: new Secret(clientSecret) }),
      scopes: ['openid', 'profile', 'email'],
      claims: { subject: 'sub', name: 'name', email: 'email', groups: { from: 'groups', keys: false } },
      groupsOverage: 'off',
      responseMode: 'query',
      frontChannelLogout: false,
      authorizationParameters: {},
      toleranceSeconds: 3600,
      clockToleranceSeconds: 30,
      reach: REACH,
      userinfo: 'auto',
      offlineAccess: 'auto',
      uncheckedSessionSeconds: 43_200,
      recheckSeconds: 0,
      ...changes,
    }),
    rotateKeys: (kid) => keys.rotate(kid),
    logoutToken: async ({ claims, raw, header, signature, encrypted: how } = {}) => {
      const usual = { iss: issuer, aud: clientId, sub: fake.person.sub, sid: 'upstream-session-1' };
      const times = { iat: nowSeconds(), exp: nowSeconds() + 120, jti: randomBytes(12).toString('base64url') };
      const signed = await keys.sign(
        { ...changed({ ...usual, ...times, events: { [LOGOUT_EVENT]: {} } }, claims), ...raw },
        {
          header: { typ: 'logout+jwt', ...header },
          signature,
          secret: clientSecret,
        },
      );
      return how === undefined ? signed : encrypted(signed, how);
    },
    requestsTo: (path) => fake.requests.filter((request) => request.path === path),
    close: async () => {
      await Promise.all([stop(server), stop(thirdOrigin)]);
    },
  };
  return fake;

  async function serve(request: IncomingMessage): Promise<FakeReply> {
    const url = new URL(request.url ?? '/', issuer);
    const form = new URLSearchParams(request.method === 'POST' ? await text(request) : '');
    const { method = 'GET', headers } = request;
    fake.requests.push({ method, path: url.pathname, query: url.searchParams, form, headers });
    const { behaviour } = fake;
    const context = { address: url.href, slowMs: behaviour.slowMs ?? 100 };
    switch (url.pathname) {
      case behaviour.discovery?.path ?? '/.well-known/openid-configuration':
        return orTrouble(behaviour.discovery?.trouble, context, () => json(200, metadata()));
      case '/jwks':
        return orTrouble(behaviour.jwks?.trouble, context, () => json(200, keys.published(behaviour.jwks?.keys)));
      case '/authorize':
        return authorize(url);
      case '/token': {
        const isRefresh = form.get('grant_type') === 'refresh_token';
        const wrong = { ...behaviour.token, ...(isRefresh && behaviour.refresh) };
        return orTrouble(wrong.trouble, context, () => token(request, form, wrong));
      }
      case '/logout':
        return signOutPage(behaviour.signOut?.frames ?? []);
      case '/userinfo':
        return orTrouble(behaviour.userinfo?.trouble, context, () => userinfo(request));
      case '/v1.0/me/getMemberGroups':
        return orTrouble(behaviour.graph?.trouble, context, () => graphGroups(request));
      case '/revoke':
        return orTrouble(behaviour.revocation?.trouble, context, () => revoke(request, form));
      default:
        return json(404, { error: 'not_found' });
    }
  }

  function metadata(): Record<string, unknown> {
    const usual = {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      userinfo_endpoint: `${issuer}/userinfo`,
      revocation_endpoint: `${issuer}/revoke`,
      response_types_supported: ['code'],
      grant_types_supported: ['authorization_code', 'refresh_token'],
      subject_types_supported: ['public'],
      scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
      id_token_signing_alg_values_supported: [options.signingAlgorithm ?? 'ES256'],
      token_endpoint_auth_methods_supported: [authentication],
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
    };
    return changed(usual, fake.behaviour.discovery?.metadata);
  }

  function authorize(url: URL): FakeReply {
    const wrong = fake.behaviour.authorize ?? {};
    const ask = url.searchParams;
    if (wrong.status !== undefined) return json(wrong.status, {});
    if (wrong.elsewhere !== undefined) return redirect(wrong.elsewhere(url).href);
    const choice = ask.get('choice');
    const isByForm = ask.get('response_mode') === 'form_post';
    if (wrong.insistsOnFormPost === true && !isByForm) return page('<h1>response_mode must be form_post</h1>', 400);
    if (wrong.asksPerson === true && choice === null) return choicePage(url);
    const redirectUri = ask.get('redirect_uri') ?? '';
    const back = new URL(redirectUri);
    const code = randomBytes(24).toString('base64url');
    const error = choice === 'deny' ? 'access_denied' : wrong.error;
    const answer: Record<string, string | null> = { state: ask.get('state'), iss: issuer };
    if (error === undefined) answer['code'] = code;
    else Object.assign(answer, { error, error_description: wrong.description ?? null });
    for (const name of ['iss', 'state', 'code'] as const) {
      const replaced = wrong[name];
      if (replaced !== undefined) answer[name] = replaced;
    }
    for (const [name, value] of Object.entries({ ...answer, ...wrong.extra })) {
      if (value !== null) back.searchParams.set(name, value);
    }
    codes.set(code, {
      redirectUri,
      challenge: ask.get('code_challenge_method') === 'S256' ? (ask.get('code_challenge') ?? '') : '',
      nonce: ask.get('nonce'),
      scope: ask.get('scope') ?? '',
      maxAge: ask.get('max_age'),
      acr: ask.get('acr_values')?.split(' ')[0],
    });
    const hop = `http://localhost:${thirdPort}/?to=${encodeURIComponent(back.href)}`;
    if (wrong.overThirdOrigin === true) return redirect(isByForm ? `${hop}&form` : hop);
    return isByForm ? formPage(redirectUri, back.searchParams) : redirect(back.href);
  }

  async function token(
    request: IncomingMessage,
    form: URLSearchParams,
    wrong: NonNullable<Behaviour['token']>,
  ): Promise<FakeReply> {
    if (wrong.fault !== undefined) return refusal(wrong.fault);
    if (wrong.refuses !== undefined) return TOKEN_REFUSALS[wrong.refuses]();
    const isRefresh = form.get('grant_type') === 'refresh_token';
    const isCodeUnknown = !isRefresh && !codes.has(form.get('code') ?? '');
    if (wrong.looksAtCodeFirst === true && isCodeUnknown) return refusal({ error: 'invalid_grant' });
    if (!(await isClient(request, form))) return refusal({ error: 'invalid_client', status: 401 });
    const code = isRefresh ? undefined : spend(codes, form.get('code') ?? '');
    const refreshToken = form.get('refresh_token') ?? '';
    const isOnePerPerson = wrong.oneRefreshTokenPerPerson === true;
    if (isRefresh && isOnePerPerson && !refreshTokens.has(refreshToken)) return TOKEN_REFUSALS.dex_claimed_token();
    if (isRefresh && (!refreshTokens.has(refreshToken) || !fake.isAccountEnabled)) {
      return refusal({ error: 'invalid_grant', description: 'The account or its session has ended' });
    }
    if (!isRefresh && !isRightCode(code, form)) return refusal({ error: 'invalid_grant' });
    const accessToken = randomBytes(24).toString('base64url');
    accessTokens.add(accessToken);
    const scope = code?.scope ?? refreshTokens.get(refreshToken) ?? '';
    const next = wrong.keepsRefreshToken === true && isRefresh ? undefined : randomBytes(24).toString('base64url');
    if (isOnePerPerson) refreshTokens.clear();
    if (next !== undefined) {
      refreshTokens.delete(refreshToken);
      refreshTokens.set(next, scope);
    }
    const usual = {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: 300,
      scope,
      ...(next !== undefined && { refresh_token: next }),
      id_token: await idToken(code),
    };
    return json(200, withHabit(changed(usual, wrong.members), wrong.answers));
  }

  async function idToken(code: IssuedCode | undefined): Promise<string> {
    const { idToken: wrong = {} } = fake.behaviour;
    const usual = {
      iss: issuer,
      aud: clientId,
      iat: nowSeconds(),
      exp: nowSeconds() + 300,
      sid: 'upstream-session-1',
      ...fake.person,
      ...(code?.nonce !== null && code !== undefined && { nonce: code.nonce }),
      ...(code?.maxAge !== null && code !== undefined && { auth_time: nowSeconds() }),
      ...(code?.acr !== undefined && { acr: code.acr }),
    };
    const { header, signature, raw } = wrong;
    const claims = { ...changed(usual, wrong.claims), ...raw };
    const signed = await keys.sign(claims, { header, signature, secret: clientSecret });
    return wrong.encrypted === undefined ? signed : encrypted(signed, wrong.encrypted);
  }

  async function userinfo(request: IncomingMessage): Promise<FakeReply> {
    const { userinfo: wrong = {} } = fake.behaviour;
    if (wrong.fault !== undefined) return refusal(wrong.fault);
    const [, bearer = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (!accessTokens.has(bearer)) return refusal({ error: 'invalid_token', status: 401, challenge: true });
    const claims = changed(fake.person, wrong.claims);
    const { signed: isSigned, encrypted: how } = wrong;
    if (isSigned === undefined && how === undefined) return json(200, claims);
    const signature = isSigned === 'broken' ? 'broken' : undefined;
    const signed = await keys.sign({ iss: issuer, aud: clientId, ...claims }, { signature });
    const told = isSigned === undefined ? JSON.stringify(claims) : signed;
    const body = how === undefined ? told : await encrypted(told, how);
    return { status: 200, headers: { 'content-type': 'application/jwt' }, body };
  }

  function graphGroups(request: IncomingMessage): FakeReply {
    const { graph: wrong = {} } = fake.behaviour;
    const [, bearer = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    if (request.method !== 'POST' || !accessTokens.has(bearer)) return json(401, {});
    return wrong.fault === undefined
      ? json(200, { value: wrong.groups ?? [], ...wrong.members })
      : refusal(wrong.fault);
  }

  async function revoke(request: IncomingMessage, form: URLSearchParams): Promise<FakeReply> {
    const { revocation: wrong = {} } = fake.behaviour;
    if (wrong.fault !== undefined) return refusal(wrong.fault);
    if (!(await isClient(request, form))) return refusal({ error: 'invalid_client', status: 401 });
    fake.revoked.push(form.get('token') ?? '');
    refreshTokens.delete(form.get('token') ?? '');
    return json(200, {});
  }

  async function isClient(request: IncomingMessage, form: URLSearchParams): Promise<boolean> {
    if (fake.behaviour.isClientPublic === true) {
      return [form.get('client_id'), basicPair(request.headers.authorization)[0]].includes(clientId);
    }
    switch (authentication) {
      case 'none':
        return form.get('client_id') === clientId && !form.has('client_secret');
      case 'client_secret_post':
        return form.get('client_id') === clientId && form.get('client_secret') === clientSecret;
      case 'client_secret_basic':
        return isDeepStrictEqual(basicPair(request.headers.authorization), [clientId, clientSecret]);
      case 'private_key_jwt':
        return isOwnAssertion(form.get('client_assertion') ?? '');
    }
  }

  /** RFC 7523 with the bis rules, unless told: the issuer is the only audience, and the assertion says what it is. */
  async function isOwnAssertion(assertion: string): Promise<boolean> {
    const { audience, typ = 'client-authentication+jwt', x5t } = fake.behaviour.assertion ?? {};
    const find = createLocalJWKSet({ keys: options.clientKey === undefined ? [] : [options.clientKey] });
    const rule = { issuer: clientId, subject: clientId, typ, currentDate: new Date(clock()) };
    const checked = await jwtVerify(assertion, find, rule).catch(() => undefined);
    const expected = audience === 'token_endpoint' ? metadata()['token_endpoint'] : issuer;
    return (
      checked?.payload.aud === expected &&
      typeof checked?.payload.jti === 'string' &&
      (x5t === undefined || checked.protectedHeader['x5t'] === x5t)
    );
  }
}

function spend(codes: Map<string, IssuedCode>, code: string): IssuedCode | undefined {
  const issued = codes.get(code);
  codes.delete(code);
  return issued;
}

function isRightCode(code: IssuedCode | undefined, form: URLSearchParams): boolean {
  const verifier = form.get('code_verifier') ?? '';
  return (
    code !== undefined &&
    code.redirectUri === form.get('redirect_uri') &&
    code.challenge === createHash('sha256').update(verifier).digest('base64url')
  );
}

/** RFC 6749 §2.3.1: both were form-encoded before they were joined. */
function basicPair(header = ''): string[] {
  const joined = Buffer.from(header.replace(/^Basic /, ''), 'base64').toString();
  return joined.split(':').map((word) => new URLSearchParams(`=${word}`).get('') ?? '');
}

function choicePage(url: URL): FakeReply {
  const link = (choice: string) => {
    const query = new URLSearchParams([...url.searchParams, ['choice', choice]]).toString();
    return `${url.pathname}?${query}`.replaceAll('&', '&amp;');
  };
  return page(`<!doctype html><html lang="en"><title>Fake upstream</title><h1>Fake upstream</h1>
    <p><a id="approve" href="${link('approve')}">Sign in</a>
    <p><a id="deny" href="${link('deny')}">Cancel</a></html>`);
}

function signOutPage(frames: readonly string[]): FakeReply {
  const shown = frames.map((frame) => `<iframe src="${frame.replaceAll('&', '&amp;')}"></iframe>`);
  return page(`<!doctype html><html lang="en"><title>Fake upstream</title><h1>Signed out</h1>${shown.join('')}</html>`);
}

/** OAuth 2.0 Form Post Response Mode, with a button for who has no script. */
function formPage(action: string, answer: URLSearchParams): FakeReply {
  const escaped = (value: string) => value.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
  const fields = [...answer].map(([name, value]) => `<input type="hidden" name="${name}" value="${escaped(value)}">`);
  return page(`<!doctype html><html lang="en"><title>Fake upstream</title><h1>Submit this form</h1>
    <form method="post" action="${escaped(action)}">${fields.join('')}<button>Continue</button></form>
    <script>document.forms[0].submit()</script></html>`);
}

function replyWith(serve: (request: IncomingMessage) => Promise<FakeReply>): RequestListener {
  const reply = async (request: IncomingMessage, response: ServerResponse) => {
    const answer = await serve(request);
    if (answer === 'close') response.destroy();
    else if (answer !== 'hang') response.writeHead(answer.status, answer.headers).end(answer.body);
  };
  return (request, response) =>
    void reply(request, response).catch((error: unknown) => response.destroy(error as Error));
}

function listen(server: Server, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server.address() as AddressInfo));
  });
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

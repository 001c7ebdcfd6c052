import { generateKeyPair, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import type { Configuration, KoaContextWithOIDC, Provider as OidcProvider } from 'oidc-provider';
import { choicePage, messagePage } from './embedded-upstream-pages.ts';
import { type EmbeddedStore, MemoryAdapter, sessionsOf } from './embedded-upstream-store.ts';
import type { EmbeddedUser } from './embedded-user.ts';

/**
 * A real OpenID provider in this process (oidc-provider), for the demo and for tests: two people, no passwords.
 * Everything is in memory and gone when it closes. It is no example of how to run one.
 */
export interface EmbeddedUpstream {
  issuer: string;
  port: number;
  /** From now on the account cannot sign in, and its refresh tokens are refused with `invalid_grant`. */
  disable(subject: string): void;
  enable(subject: string): void;
  /** Ends the account's browser sessions here, and sends a back-channel logout token about each to its clients. */
  logOut(subject: string): Promise<void>;
  close(): Promise<void>;
}

export interface EmbeddedClient {
  clientId: string;
  /** Left out: a public client. */
  secret?: string;
  /** With `private_key_jwt`: the client's public keys. */
  jwks?: { keys: object[] };
  authentication?: 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt' | 'none';
  redirectUris: readonly string[];
  backchannelLogoutUri?: string;
}

export interface EmbeddedUpstreamOptions {
  /** 0 takes a free one. */
  port?: number;
  host?: string;
  displayName?: string;
  clients: readonly EmbeddedClient[];
  users?: readonly EmbeddedUser[];
  /** As some providers do: every claim in the ID token, so that nobody needs userinfo. */
  claimsInIdToken?: boolean;
}

export const EMBEDDED_USERS: readonly EmbeddedUser[] = [
  { subject: 'alice', name: 'Alice Adams', email: 'alice@example.com', groups: ['engineering', 'on-call'] },
  { subject: 'bob', name: 'Bob Brown', email: 'bob@example.com', groups: ['sales'] },
];

/** What oidc-provider's clients have, and its types do not. */
interface LogOutClient {
  backchannelLogoutUri?: string;
  backchannelLogout(subject: string, sid: string): Promise<void>;
}

export async function startEmbeddedUpstream(options: EmbeddedUpstreamOptions): Promise<EmbeddedUpstream> {
  const { port = 0, host = '127.0.0.1', users = EMBEDDED_USERS, displayName = 'Example Corp' } = options;
  const disabled = new Set<string>();
  const store: EmbeddedStore = new Map();
  const { Provider, interactionPolicy } = await quietly(() => import('oidc-provider'));
  let handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else sendPage(response, 400, messagePage(displayName, 'That did not work', String(error)));
    });
  });
  const address = await listen(server, port, host);
  const issuer = `http://${host}:${address.port}`;

  const policy = interactionPolicy.base();
  policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);
  const person = (subject: string) => users.find((user) => user.subject === subject && !disabled.has(subject));
  const provider: OidcProvider = new Provider(issuer, {
    ...(await configurationFor(options, { port: address.port, store, person })),
    interactions: { policy, url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
  });
  const answer = provider.callback();
  handle = async (request, response) => {
    if (/^\/interaction\/[\w-]+$/.test(new URL(request.url ?? '/', issuer).pathname)) {
      await serveInteraction(provider, {
        request,
        response,
        users: users.filter((user) => person(user.subject)),
        displayName,
      });
      return;
    }
    await answer(request, response);
  };

  return {
    issuer,
    port: address.port,
    disable: (subject) => void disabled.add(subject),
    enable: (subject) => void disabled.delete(subject),
    logOut: async (subject) => {
      for (const { key, payload } of sessionsOf(store, subject)) {
        store.delete(key);
        for (const [clientId, authorization] of Object.entries(payload.authorizations ?? {})) {
          const client = (await provider.Client.find(clientId)) as LogOutClient | undefined;
          if (client?.backchannelLogoutUri === undefined) continue;
          await client.backchannelLogout(subject, authorization.sid ?? '');
        }
      }
    },
    close: async () => {
      server.closeAllConnections();
      await promisify(server.close.bind(server))();
    },
  };
}

async function configurationFor(
  { clients, claimsInIdToken = false }: EmbeddedUpstreamOptions,
  {
    port,
    store,
    person,
  }: { port: number; store: EmbeddedStore; person: (subject: string) => EmbeddedUser | undefined },
): Promise<Configuration> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return {
    adapter: (model: string) => new MemoryAdapter(model, store),
    jwks: {
      keys: [
        { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES256', kid: randomBytes(6).toString('hex') },
      ],
    },
    // Cookies do not know ports: two of these on one machine would otherwise overwrite each other's.
    cookies: {
      keys: [randomBytes(32).toString('base64url')],
      names: { session: `op_session_${port}`, interaction: `op_interaction_${port}`, resume: `op_resume_${port}` },
    },
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    clients: clients.map((client) => ({
      client_id: client.clientId,
      ...(client.secret !== undefined && { client_secret: client.secret }),
      ...(client.jwks !== undefined && { jwks: client.jwks }),
      token_endpoint_auth_method:
        client.authentication ?? (client.secret === undefined ? 'none' : 'client_secret_basic'),
      redirect_uris: [...client.redirectUris],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      ...(client.backchannelLogoutUri !== undefined && {
        backchannel_logout_uri: client.backchannelLogoutUri,
        backchannel_logout_session_required: true,
      }),
    })) as NonNullable<Configuration['clients']>,
    claims: {
      openid: ['sub'],
      profile: ['name', 'preferred_username', 'groups'],
      email: ['email', 'email_verified'],
      groups: ['groups'],
    },
    scopes: ['openid', 'offline_access', 'profile', 'email', 'groups'],
    conformIdTokenClaims: !claimsInIdToken,
    pkce: { required: () => true },
    findAccount: (_ctx, subject) => {
      const user = person(subject);
      if (user === undefined) return undefined;
      const { name, email, groups } = user;
      return {
        accountId: subject,
        claims: () => ({ sub: subject, name, preferred_username: subject, email, email_verified: true, groups }),
      };
    },
    // Whoever signs in has agreed; the one question that is asked is who it is.
    loadExistingGrant: agreeToAll,
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed('refresh_token'),
    expiresWithSession: () => false,
    rotateRefreshToken: () => true,
    ttl: {
      AccessToken: 600,
      IdToken: 600,
      AuthorizationCode: 60,
      Interaction: 900,
      Session: 3600,
      Grant: 90 * 86_400,
      RefreshToken: 30 * 86_400,
    },
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true, allowedPolicy: isOwn },
      introspection: { enabled: true, allowedPolicy: isOwn },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (ctx, form) => {
          ctx.body = messagePage(
            'Sign out',
            'Sign out here too?',
            '',
            `${form}<button form="op.logoutForm" name="logout" value="yes">Sign out</button>`,
          );
        },
        postLogoutSuccessSource: (ctx) => {
          ctx.body = messagePage('Sign out', 'You are signed out', '');
        },
      },
    },
    renderError: (ctx, out) => {
      ctx.type = 'html';
      ctx.body = messagePage('Sign in', out.error, out.error_description ?? '');
    },
    // Its own guard refuses loopback addresses, and back-channel logout has no others here.
    fetch: (url, init) => fetch(url, withoutGuard(init)),
  };
}

async function isOwn(_ctx: unknown, client: { clientId: string }, token: object): Promise<boolean> {
  return 'clientId' in token && token.clientId === client.clientId;
}

function withoutGuard(init: RequestInit = {}): RequestInit {
  const plain = { ...init };
  Reflect.deleteProperty(plain, 'dispatcher');
  return plain;
}

async function agreeToAll(ctx: KoaContextWithOIDC) {
  const { client, session, provider, params } = ctx.oidc;
  if (client === undefined || session?.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  const scope = params?.['scope'];
  grant.addOIDCScope(typeof scope === 'string' ? scope : 'openid');
  await grant.save();
  return grant;
}

interface InteractionVisit {
  request: IncomingMessage;
  response: ServerResponse;
  users: readonly EmbeddedUser[];
  displayName: string;
}

/** The one page of this provider: who are you? GET shows it, POST carries the answer. */
async function serveInteraction(provider: OidcProvider, visit: InteractionVisit): Promise<void> {
  const { request, response, users, displayName } = visit;
  const { prompt, session } = await provider.interactionDetails(request, response);
  if (request.method !== 'POST') {
    sendPage(response, 200, choicePage({ displayName, users, signedIn: session?.accountId, prompt: prompt.name }));
    return;
  }
  const form = new URLSearchParams(await text(request));
  const subject = form.get('user') ?? '';
  if (form.get('decision') === 'deny') {
    const refusal = { error: 'access_denied', error_description: 'The person said no.' };
    await provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
    return;
  }
  if (!users.some((user) => user.subject === subject)) {
    sendPage(response, 400, messagePage(displayName, 'Nobody here has that name', ''));
    return;
  }
  const result = { login: { accountId: subject, remember: true }, consent: {}, select_account: {} };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

function sendPage(response: ServerResponse, status: number, html: string): void {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(html);
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server.address() as AddressInfo));
  });
}

/** oidc-provider warns about every Node that is not the newest while it is imported. */
async function quietly<T>(work: () => Promise<T>): Promise<T> {
  const { warn } = console;
  console.warn = () => undefined;
  try {
    return await work();
  } finally {
    console.warn = warn;
  }
}

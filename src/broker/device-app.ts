import type { IncomingMessage } from 'node:http';
import type { ClientRegistry } from '../clients/authenticate-client.ts';
import { createAssertionVerifier } from '../clients/client-assertion.ts';
import type { SessionsDeps } from '../device-sessions/active-session.ts';
import { createBeginSession } from '../device-sessions/begin-session.ts';
import { createAccessTokens } from '../endpoints/access-tokens.ts';
import { createBackchannelLogout } from '../endpoints/backchannel-logout.ts';
import { createDeviceAuthorization } from '../endpoints/device-authorization.ts';
import {
  createJwks,
  createOAuthMetadata,
  createOpenidMetadata,
  createPublishedClients,
} from '../endpoints/documents.ts';
import { createDpopProofs } from '../endpoints/dpop-proofs.ts';
import { createFrontchannelLogout } from '../endpoints/frontchannel-logout.ts';
import { createCors } from '../endpoints/http/cors.ts';
import type { Endpoint } from '../endpoints/http/endpoint.ts';
import { createForeignRequest } from '../endpoints/http/foreign-requests.ts';
import { createNodeAdapter, type DeviceRoute } from '../endpoints/http/node-adapter.ts';
import { createIntrospection } from '../endpoints/introspection.ts';
import {
  createKeycloakLogout,
  createKeycloakRealm,
  withKeycloakMembers,
} from '../endpoints/profiles/keycloak-answers.ts';
import { withMicrosoftHabits } from '../endpoints/profiles/microsoft-answers.ts';
import type { EndpointName, PathProfile } from '../endpoints/profiles/path-profile.ts';
import { pathProfiles } from '../endpoints/profiles/path-profiles.ts';
import { createRefresh } from '../endpoints/refresh.ts';
import { createRevocation } from '../endpoints/revocation.ts';
import { createToken } from '../endpoints/token.ts';
import { createUserinfo } from '../endpoints/userinfo.ts';
import type { RedeemDeps } from '../grants/redeem/redeem-deps.ts';
import { longestRetentionMs } from '../grants/retention.ts';
import { createUsedOnce } from '../ledger/once.ts';
import { createAuthenticationLimits } from '../limits/authentication-limits.ts';
import { createDecryptionLimits } from '../limits/decryption-limits.ts';
import { createOverload } from '../limits/overload.ts';
import { createStartLimits } from '../limits/start-limits.ts';
import { createSourceAddress, peerOf } from '../network/source-address.ts';
import { OAuthError } from '../oauth/oauth-error.ts';
import { isSameNetwork } from '../safeguards/same-network.ts';
import { areSafeguardsStillMet, mayInitiateFrom } from '../safeguards/still-met.ts';
import { createIssueTokens } from '../tokens/issue-tokens.ts';
import { abilitiesOf } from './abilities.ts';
import type { ConfigContext, ProcessContext } from './context.ts';
import { watchDevices } from './device-instrumentation.ts';

const OVERLOAD_RETRY_SECONDS = 10;

/** The endpoints of one issuer, by what they do; `broker.ts` says at which paths they are. */
export type IssuerEndpoints = Readonly<Partial<Record<EndpointName, Endpoint>>>;

/** Builds the device door: what machines call. */
export function createDeviceApp(
  processContext: ProcessContext,
  configContext: ConfigContext,
  newRequestId: () => string,
) {
  const { storage, sealing, logger, randomBytes } = processContext;
  const { config, clients, grants, signingKeys } = configContext;
  const { ledger } = storage;
  const now = () => ledger.now();
  const watch = watchDevices(processContext);
  const profiles = pathProfiles(config.publicUrl, config.compatibility);
  const { issueTokens, issueRefreshed } = createIssueTokens(signingKeys, {
    publicUrl: config.publicUrl,
    keycloakIssuer: profiles.find(({ profile }) => profile === 'keycloak')?.issuer.name,
  });
  const startLimits = createStartLimits({
    counters: storage.counters,
    ledger,
    networks: configContext.networks,
    limits: config.limits,
    codeLifetimesSeconds: config.clients.map((client) => client.lifetimes.codeSeconds),
  });
  const overload = createOverload();
  const redeem: RedeemDeps = {
    ...grants,
    beginSession: createBeginSession(sealing, (id) => configContext.upstreams.get(id)?.uncheckedSessionSeconds ?? 0),
    issueTokens,
    areSafeguardsStillMet: (client, grant, approval) =>
      areSafeguardsStillMet(client, grant, approval, configContext.clockToleranceSeconds),
    onReplayed: watch.replayed,
    onRefused: watch.refused,
    onUnconfirmed: watch.unconfirmed,
    onForgery: watch.forgery,
  };
  const sourceOf = createSourceAddress(config.source);

  const used = createUsedOnce(ledger, randomBytes);
  const { useOnce } = used;
  const sessions: SessionsDeps = { ledger, sealing, clients, onUnreadable: watch.unreadable };
  // Tokens of one issuer are known at every other one of ours: a resource server need not know of path profiles.
  const issuers = [...new Set([config.publicUrl, ...profiles.map((profile) => profile.issuer.addresses.issuer)])];
  const accessTokens = createAccessTokens({ signingKeys, issuers, now });
  const resourceServers = new Map(config.resourceServers.map((server) => [server.id, server]));

  const authenticationLimits = createAuthenticationLimits({
    ...{ counters: storage.counters, networks: configContext.networks, limits: config.limits },
    isKnown: (name) => clients.has(name) || resourceServers.has(name),
    clock: processContext.clock,
  });
  const { hasFailedLately } = authenticationLimits;
  const admit: ClientRegistry['admit'] = async (attempt) => {
    const admitted = await authenticationLimits.admit(attempt);
    if (admitted.verdict === 'admitted') return undefined;
    processContext.metrics.limitReached(admitted.limit);
    return admitted;
  };

  // All profiles say the same of it. It goes through every client, while no request is answered.
  const abilities = abilitiesOf(configContext);

  function endpointsOf({ issuer, profile }: PathProfile): IssuerEndpoints {
    const verifyAssertion = createAssertionVerifier({ clients, issuer: issuer.addresses.issuer, now, useOnce });
    const registry: ClientRegistry = { clients, verifyAssertion, admit, hasFailedLately };
    const dpopAt = (address: string) =>
      createDpopProofs({ address, sealing, ledger, counters: storage.counters, useOnce });
    const dpop = dpopAt(issuer.addresses.token);
    const token = createToken({
      issuer,
      redeem,
      registry,
      dpop,
      refresh: createRefresh({
        issuer,
        dpop,
        refresh: {
          ...grants,
          upstreams: configContext.recheckUpstream,
          issueTokens: issueRefreshed,
          sleep: processContext.sleep,
          isSameNetwork: (left, right) => isSameNetwork(left, right, configContext.networks),
          onEnded: watch.ended,
          onShared: watch.shared,
        },
        onRefreshed: watch.refreshed,
      }),
      onPolled: watch.polled,
      onRefused: watch.tokenRefused,
    });
    const revocation = createRevocation({
      registry,
      sessions,
      end: { ledger, sealing, randomBytes, upstreams: configContext.recheckUpstream },
      accessTokens,
      onRevoked: watch.revoked,
    });
    return {
      revocation,
      keycloakLogout: createKeycloakLogout(revocation),
      introspection: createIntrospection({
        ...{ registry, resourceServers, sessions, accessTokens },
        issuer: config.publicUrl,
      }),
      ...(issuer.addresses.userinfo !== undefined && {
        userinfo: createUserinfo({ clients, sessions, accessTokens, dpop: dpopAt(issuer.addresses.userinfo) }),
      }),
      deviceAuthorization: watch.starts(
        createDeviceAuthorization({
          issuer,
          grants,
          registry,
          dpop: dpopAt(issuer.addresses.deviceAuthorization),
          verificationUriComplete: config.verificationUriComplete,
          mayInitiate: ({ safeguards }, source) => mayInitiateFrom(safeguards, source),
          async admitStart({ source, client }) {
            if (await overload.isLasting()) {
              watch.limited('overload', source, client.id);
              return { admitted: false, limit: 'overload', retryAfterSeconds: OVERLOAD_RETRY_SECONDS };
            }
            const start = { source, clientId: client.id, codeLifetimeSeconds: client.lifetimes.codeSeconds };
            const { campaign } = client.safeguards;
            const nowMs = await now();
            const verdict = await startLimits.admitStart({ ...start, campaign, nowMs });
            if (verdict.verdict === 'refused') watch.limited(verdict.limit, source, client.id);
            return verdict.verdict === 'admitted'
              ? { ...verdict, admitted: true, nowMs }
              : { ...verdict, admitted: false };
          },
          onStarted: watch.started,
        }),
      ),
      token: inProfile(token, { issuer, profile }),
      keycloakRealm: createKeycloakRealm(signingKeys, issuer.addresses.issuer),
      jwks: createJwks(signingKeys),
      oauthMetadata: createOAuthMetadata(issuer, abilities),
      openidMetadata: createOpenidMetadata(issuer, abilities),
      publishedClients: createPublishedClients(issuer, clients.values()),
    };
  }

  /** As clients of the server that a path was taken from want their tokens answered. */
  function inProfile(token: Endpoint, { issuer, profile }: Pick<PathProfile, 'issuer' | 'profile'>): Endpoint {
    if (profile === 'keycloak') return withKeycloakMembers(token, clients);
    const isOwn = issuer.name === undefined;
    return isOwn && config.compatibility.microsoft ? withMicrosoftHabits(token, new URL(config.publicUrl).host) : token;
  }

  const decryptionLimits = createDecryptionLimits({
    ...{ counters: storage.counters, networks: configContext.networks },
    onReached: () => processContext.metrics.limitReached('encrypted_logout_tokens'),
  });
  const longestMs = longestRetentionMs(clients.values());
  /** One path per upstream; an upstream that we do not have is told so in JSON too. */
  function logoutRoute(upstreamId: string): DeviceRoute {
    const upstream = configContext.upstreams.get(upstreamId);
    const POST: Endpoint =
      upstream === undefined
        ? () => Promise.reject(new OAuthError('invalid_request', 'there is no such upstream', { status: 404 }))
        : createBackchannelLogout({
            ...{ ledger, sealing, used, upstream, decryptionLimits },
            longestRetentionMs: longestMs,
            onLogout: watch.loggedOut,
          });
    return { path: '/backchannel-logout/{upstream}', POST };
  }

  /** Of an upstream that it is switched on for; for all others there is nothing here. */
  function frontLogoutRoute(upstreamId: string): DeviceRoute | undefined {
    const upstream = configContext.upstreams.get(upstreamId);
    if (upstream === undefined || upstream.frontChannelLogout === false) return undefined;
    const deps = { ledger, sealing, upstream, longestRetentionMs: longestMs };
    const GET = createFrontchannelLogout({ ...deps, onLogout: watch.toldOfLogout });
    return { path: '/frontchannel-logout/{upstream}', GET };
  }

  const sourceAddress = (message: IncomingMessage) => sourceOf(peerOf(message.socket), message.headers);
  const foreignRequest = createForeignRequest(config.publicUrl, clients);
  const isHttps = config.publicUrl.startsWith('https:');
  const door = { sourceAddress, newRequestId, cors: createCors(clients), foreignRequest, isHttps, logger };
  return {
    endpointsOf,
    logoutRoute,
    frontLogoutRoute,
    sourceAddress,
    answer: createNodeAdapter(door),
    countPending: async () => startLimits.countPending(await now()),
  };
}

import type { IncomingMessage } from 'node:http';
import type { ClientRegistry } from './clients/authenticate-client.ts';
import { ASSERTION_ALGS, createAssertionVerifier } from './clients/client-assertion.ts';
import { createBeginSession } from './device-sessions/begin-session.ts';
import { createCors } from './endpoints/cors.ts';
import { createDeviceAuthorization } from './endpoints/device-authorization.ts';
import { createJwks, createOAuthMetadata, createOpenidMetadata } from './endpoints/documents.ts';
import { createDpopProofs, DPOP_ALGS } from './endpoints/dpop-proofs.ts';
import type { Endpoint } from './endpoints/endpoint.ts';
import { createKeycloakRealm, withKeycloakMembers } from './endpoints/keycloak-answers.ts';
import { createNodeDoor } from './endpoints/node-door.ts';
import type { EndpointName, PathProfile } from './endpoints/path-profiles.ts';
import { createRefresh } from './endpoints/refresh.ts';
import { createSourceAddress } from './endpoints/source-address.ts';
import { createToken } from './endpoints/token.ts';
import { newAttempt } from './grants/device-code.ts';
import type { RedeemGround } from './grants/redeem-grant.ts';
import type { Foundation, House } from './house.ts';
import { createStartLimits } from './limits/start-limits.ts';
import type { Abilities } from './oauth/metadata.ts';
import { mayInitiateFrom } from './safeguards/approval-network.ts';
import { createIssueTokens } from './tokens/issue-tokens.ts';
import { watchDevices } from './watch-devices.ts';

/** The endpoints of one issuer, by what they do; `broker.ts` says at which paths they are. */
export type IssuerEndpoints = Readonly<Partial<Record<EndpointName, Endpoint>>>;

/** Builds the device door: what machines call. */
export function buildDeviceDoor(foundation: Foundation, house: House, newRequestId: () => string) {
  const { storage, sealing, logger, randomBytes } = foundation;
  const { config, clients, grants, signingKeys, sourcePrefixes } = house;
  const { ledger } = storage;
  const now = () => ledger.now();
  const watch = watchDevices(foundation);
  const { issueTokens, issueRefreshed } = createIssueTokens(signingKeys, config.publicUrl);
  const startLimits = createStartLimits({
    counters: storage.counters,
    ledger,
    networks: house.networks,
    limits: config.limits,
    codeLifetimesSeconds: config.clients.map((client) => client.lifetimes.codeSeconds),
  });
  const redeem: RedeemGround = {
    ...grants,
    sourcePrefixes,
    beginSession: createBeginSession(sealing),
    issueTokens,
    onForgery: watch.forgery,
  };
  const sourceOf = createSourceAddress(config.source);

  /** Entries that are written for their name alone: whoever comes second was replayed. */
  async function useOnce(name: string, untilMs: number): Promise<boolean> {
    const attempt = newAttempt(randomBytes);
    const entry = { key: `once:${name}`, value: `${attempt}|`, expiresAtMs: untilMs };
    return (await ledger.commit({ attempt, writes: [entry] })).outcome === 'won';
  }

  function endpointsOf({ issuer, profile }: PathProfile): IssuerEndpoints {
    const verifyAssertion = createAssertionVerifier({ clients, issuer: issuer.addresses.issuer, now, useOnce });
    const registry: ClientRegistry = { clients, verifyAssertion };
    const dpopAt = (address: string) => createDpopProofs({ address, sealing, now, useOnce });
    const dpop = dpopAt(issuer.addresses.token);
    const abilities = abilitiesOf(house);
    const token = watch.polls(
      createToken({
        issuer,
        redeem,
        registry,
        dpop,
        refresh: createRefresh({
          issuer,
          dpop,
          refresh: {
            ...grants,
            sourcePrefixes,
            upstreams: house.askUpstream,
            issueTokens: issueRefreshed,
            sleep: foundation.sleep,
            onReuse: watch.reused,
          },
          onRefreshed: watch.refreshed,
        }),
        onPolled: watch.polled,
      }),
    );
    return {
      deviceAuthorization: watch.starts(
        createDeviceAuthorization({
          issuer,
          grants,
          registry,
          dpop: dpopAt(issuer.addresses.deviceAuthorization),
          verificationUriComplete: config.verificationUriComplete,
          mayInitiate: ({ safeguards }, source) => mayInitiateFrom(safeguards, source),
          async admitStart({ source, client }) {
            const start = { source, clientId: client.id, codeLifetimeSeconds: client.lifetimes.codeSeconds };
            const { campaign } = client.safeguards;
            const verdict = await startLimits.admitStart({ ...start, campaign, nowMs: await now() });
            if (verdict.verdict === 'refused') watch.limited(verdict.limit, source, client.id);
            return verdict.verdict === 'admitted' ? { ...verdict, admitted: true } : { ...verdict, admitted: false };
          },
          onStarted: watch.started,
        }),
      ),
      token: profile === 'keycloak' ? withKeycloakMembers(token, clients) : token,
      keycloakRealm: createKeycloakRealm(signingKeys, issuer.addresses.issuer),
      jwks: createJwks(signingKeys),
      oauthMetadata: createOAuthMetadata(issuer, abilities),
      openidMetadata: createOpenidMetadata(issuer, abilities),
    };
  }

  const sourceAddress = (message: IncomingMessage) => sourceOf(message.socket.remoteAddress, message.headers);
  const isHttps = config.publicUrl.startsWith('https:');
  const door = { sourceAddress, newRequestId, cors: createCors(clients), isHttps, logger };
  return {
    endpointsOf,
    sourceAddress,
    answer: createNodeDoor(door),
    countPending: async () => startLimits.countPending(await now()),
  };
}

/** What the metadata documents say, from what the clients of this configuration may do. */
function abilitiesOf({ config }: House): Abilities {
  const { clients } = config;
  const methods = new Set(
    clients.flatMap(({ authentication }) =>
      authentication === 'client_secret' ? (['client_secret_basic', 'client_secret_post'] as const) : [authentication],
    ),
  );
  return {
    grantTypes: ['device_code', 'refresh_token'],
    clientAuthentication: [...methods],
    introspectionAuthentication: ['client_secret_basic', 'client_secret_post'],
    assertionAlgs: ASSERTION_ALGS,
    dpopAlgs: DPOP_ALGS,
    idTokenAlgs: [...new Set(clients.map((client) => client.signingAlg))],
    pkce: true,
    scopes: [...new Set(clients.flatMap((client) => client.scopes.allowed))],
    claims: [...new Set(clients.flatMap((client) => [...client.claims.idToken, ...client.claims.accessToken]))],
    languages: config.pages.languages,
  };
}

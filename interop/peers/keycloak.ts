import { setTimeout as delay } from 'node:timers/promises';
import { composeParts } from '../compose-parts.ts';
import { conformanceScenario } from '../conformance-scenario.ts';
import { type Keycloak, keycloakVersion, startKeycloak } from '../keycloak/keycloak.ts';
import {
  CONFORMANCE_CLIENT,
  CONSENT_CLIENT,
  DEVICE_CLIENT,
  KEYCLOAK_CLIENT,
  KEYCLOAK_YAML,
  PUBLIC_CLIENT,
} from '../keycloak/realm.ts';
import { loginScenarios } from '../login-scenarios.ts';
import { check, type OpenPeer, type Peer, type Scenario } from '../peer.ts';
import { approve } from '../person.ts';
import { readmeSteps } from '../readme-steps.ts';
import { upstreamScenarios } from '../upstream-scenarios.ts';
import { expectRefused, refreshed, signInAt } from '../upstream-sign-in.ts';
import { gatehouseBefore, type UpstreamUnderTest } from '../upstream-under-test.ts';
import { expectAllSteps, MDS_CLIENT, PROGRAM as MDS_PROGRAM, MDS_REALM, mdsEnvironment, mdsRun } from './mds.ts';

export const keycloak: Peer = {
  name: 'keycloak',
  kind: 'upstream',
  from: 'Maven Central',
  limitSeconds: 600,
  async open(): Promise<OpenPeer> {
    const server = await startKeycloak();
    const upstream = underTest(server);
    const gatehouse = await gatehouseBefore(upstream);
    const visit = { user: 'bob' };
    const login = { issuer: server.issuer, clientId: DEVICE_CLIENT, scopes: ['openid', 'profile'], visit };
    return {
      version: await keycloakVersion(),
      scenarios: [
        ...upstreamScenarios(upstream, gatehouse),
        mdsThrough(upstream),
        publicClient(upstream),
        ...logoutsUntold(upstream, server),
        composeParts(server),
        readmeSteps(server),
        ...loginScenarios(login),
        conformanceScenario('Keycloak', await keycloakVersion(), {
          ...{ issuer: server.issuer, clientId: CONFORMANCE_CLIENT, scopes: ['openid'] },
          args: ['--other-client-id', DEVICE_CLIENT],
        }),
      ],
      keeps: () => [server.program()],
      close: async () => {
        await gatehouse.close();
        await server.stop();
      },
    };
  },
};

export function underTest(server: Keycloak): UpstreamUnderTest {
  return {
    issuer: server.issuer,
    clientId: KEYCLOAK_CLIENT.clientId,
    clientSecret: KEYCLOAK_CLIENT.secret,
    consent: { clientId: CONSENT_CLIENT, clientSecret: KEYCLOAK_CLIENT.secret },
    user: 'alice',
    canDeny: true,
    yaml: KEYCLOAK_YAML,
    register: (publicUrl, callbacks) => server.register(publicUrl, callbacks),
    disable: (user) => server.enable(user, false),
    enable: (user) => server.enable(user, true),
    logOut: (user) => server.logOut(user),
    signOut: { sessionThen: 'is ended by its logout token' },
    rotateKeys: () => server.rotateKeys(),
    stop: () => server.stop(),
    start: () => server.start(),
  };
}

/** A device client that was made for Keycloak, Gatehouse between, and a real Keycloak behind. */
function mdsThrough(upstream: UpstreamUnderTest) {
  return {
    name: 'mds in front',
    limitSeconds: 240,
    async run() {
      const environment = await mdsEnvironment();
      const gatehouse = await gatehouseBefore(upstream, {
        compatibility: { keycloak: { realm: MDS_REALM } },
        clients: { 'client-tools': { ...MDS_CLIENT, upstreams: ['corp'] } },
      });
      try {
        const events = await mdsRun(
          gatehouse,
          { command: [environment.python, MDS_PROGRAM] },
          {
            steps: 'auth,implicit-refresh,refresh,reuse,reset,again',
            visit: ({ user_code: userCode, verification_uri: verificationUri }) =>
              approve({ verificationUri, userCode, user: 'alice' }),
          },
        );
        expectAllSteps(events);
      } finally {
        await gatehouse.close();
      }
    },
  };
}

/** A switch in the console that makes the secret worthless: nothing but a wrong secret shows it. */
function publicClient(upstream: UpstreamUnderTest): Scenario {
  return {
    name: 'public by a slip',
    limitSeconds: 60,
    async run() {
      const gatehouse = await gatehouseBefore({ ...upstream, clientId: PUBLIC_CLIENT });
      try {
        const { exitCode, output } = await gatehouse.probe();
        const words = `client_id ${PUBLIC_CLIENT}: this client is public at the provider, its secret protects nothing`;
        check(output.includes(`upstream corp: wrong: ${words}`), `the right secret: ${output}`);
        check(output.includes(`upstream wrong: wrong: ${words}`), `a wrong one: ${output}`);
        check(/upstream asks: ok: it accepts .* and refuses wrong ones/.test(output), `confidential: ${output}`);
        check(exitCode === 69, `exit ${exitCode}`);
      } finally {
        await gatehouse.close();
      }
    },
  };
}

/** The rows of the guide's table in which a logout comes late: what the recommended YAML and steps avoid. */
function logoutsUntold(upstream: UpstreamUnderTest, server: Keycloak): Scenario[] {
  const logOut = async (yaml: Record<string, unknown>) => {
    // Of sessions that earlier scenarios left, logout tokens would come.
    await server.logOut(upstream.user);
    const gatehouse = await gatehouseBefore({ ...upstream, yaml });
    try {
      const began = await signInAt(upstream, gatehouse);
      // Keycloak holds a token against a logout by whole seconds: one of the same second would go on.
      await delay(1050 - (Date.now() % 1000));
      await server.logOut(upstream.user);
      const answer = await refreshed(began);
      check(!(await gatehouse.event('logout.received')), 'a logout token came');
      expectRefused(answer);
    } finally {
      await gatehouse.close();
    }
  };
  return [
    {
      name: 'logout with offline_access',
      limitSeconds: 60,
      run: () => logOut({ ...KEYCLOAK_YAML, offline_access: 'always' }),
    },
    {
      name: 'logout with front channel on',
      limitSeconds: 60,
      async run() {
        await server.frontChannelLogout(true);
        try {
          await logOut(KEYCLOAK_YAML);
        } finally {
          await server.frontChannelLogout(false);
        }
      },
    },
  ];
}

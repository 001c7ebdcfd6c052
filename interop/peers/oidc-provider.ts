import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { type EmbeddedUpstream, startEmbeddedUpstream } from '../../demo/embedded-upstream.ts';
import { VERSION } from '../../src/cli/version.ts';
import { conformanceScenario } from '../conformance-scenario.ts';
import { loginScenarios } from '../login-scenarios.ts';
import { freePort } from '../obtain/free-port.ts';
import { startOidcDeviceProvider } from '../oidc-device-provider.ts';
import type { Peer } from '../peer.ts';
import { upstreamScenarios } from '../upstream-scenarios.ts';
import { gatehouseBefore, type UpstreamUnderTest } from '../upstream-under-test.ts';

const SECRET = 'secret-of-oidc-provider';

export const oidcProvider: Peer = {
  name: 'oidc-provider',
  kind: 'upstream',
  from: 'npm',
  limitSeconds: 60,
  async open() {
    const port = await freePort();
    let running: EmbeddedUpstream | undefined;
    let begin = async (): Promise<void> => {};
    const upstream: UpstreamUnderTest = {
      issuer: `http://127.0.0.1:${port}`,
      clientId: 'gatehouse',
      clientSecret: SECRET,
      user: 'alice',
      canDeny: true,
      async register(publicUrl, redirectUris) {
        const backchannelLogoutUri = `${publicUrl}/backchannel-logout/corp`;
        const client = { clientId: 'gatehouse', secret: SECRET, redirectUris, backchannelLogoutUri };
        begin = async () => {
          running = await startEmbeddedUpstream({ port, clients: [client] });
        };
        await begin();
      },
      disable: async (user) => running?.disable(user),
      enable: async (user) => running?.enable(user),
      logOut: async (user) => running?.logOut(user),
      signOut: { sessionThen: 'is ended by its logout token' },
      stop: async () => running?.close(),
      // It keeps everything in memory, keys too, so that each start is with new ones.
      start: () => begin(),
      async rotateKeys() {
        // Gatehouse looks for new keys once in 30 seconds, whatever comes; the restart before this one was with new ones.
        await delay(31_000);
        await running?.close();
        await begin();
      },
    };
    const gatehouse = await gatehouseBefore(upstream);
    const devices = await startOidcDeviceProvider();
    const login = { issuer: devices.issuer, clientId: 'device-cli', scopes: ['openid'], visit: { user: 'bob' } };
    const manifest = new URL('../../node_modules/oidc-provider/package.json', import.meta.url);
    const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
    const args = ['--other-client-id', 'other-cli'];
    return {
      version,
      scenarios: [
        ...upstreamScenarios(upstream, gatehouse),
        ...loginScenarios(login),
        conformanceScenario('oidc-provider', version, { ...login, args }),
        conformanceScenario(
          'Gatehouse',
          VERSION,
          {
            issuer: gatehouse.publicUrl,
            clientId: 'judged',
            scopes: ['openid'],
            args: ['--other-client-id', 'tv', '--wait', '155'],
          },
          ' of Gatehouse in front',
        ),
      ],
      close: async () => {
        await gatehouse.close();
        await running?.close();
        await devices.close();
      },
    };
  },
};

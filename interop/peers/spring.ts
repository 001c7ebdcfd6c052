import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { conformanceScenario } from '../conformance-scenario.ts';
import { loginScenarios } from '../login-scenarios.ts';
import { freePort } from '../obtain/free-port.ts';
import { javaProgram } from '../obtain/java.ts';
import type { Peer } from '../peer.ts';
import { type Program, startProgram, untilAnswers } from '../program.ts';
import { upstreamScenarios } from '../upstream-scenarios.ts';
import { gatehouseBefore, type UpstreamUnderTest } from '../upstream-under-test.ts';

const SECRET = 'secret-of-spring';
/** Its store in memory refuses two clients with one secret. */
const [CONSENT_SECRET, DEVICE_SECRET] = ['another-secret-of-spring', 'secret-of-a-device'];

export const spring: Peer = {
  name: 'spring',
  kind: 'upstream',
  from: 'Maven Central spring-security-oauth2-authorization-server',
  limitSeconds: 300,
  async open() {
    const java = await javaProgram('spring', 'Server');
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-spring-'));
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const keyFile = join(folder, 'key.json');
    const secretFile = join(folder, 'device-secret');
    const environment = {
      ...{ ISSUER: issuer, PORT: String(port), KEY_FILE: keyFile, REDIRECT_URIS: '', JAVA_TOOL_OPTIONS: '-Xmx256m' },
      ...{ CLIENT_SECRET: SECRET, CONSENT_SECRET, DEVICE_SECRET },
    };
    const newKey = async () => {
      const { privateKey } = await generateKeyPair('RS256', { extractable: true });
      await writeFile(keyFile, JSON.stringify({ ...(await exportJWK(privateKey)), kid: `key-${Date.now()}` }));
    };
    let program: Program | undefined;
    const start = async () => {
      program = startProgram(java.command, { environment, cwd: folder });
      await untilAnswers(`${issuer}/.well-known/openid-configuration`, program);
    };
    const stop = async () => program?.stop();
    const control = async (what: string, user: string) =>
      void (await fetch(`${issuer}/control/${what}/${user}`, { method: 'POST' }));
    await Promise.all([newKey(), writeFile(secretFile, DEVICE_SECRET)]);
    const upstream: UpstreamUnderTest = {
      ...{ issuer, clientId: 'gatehouse', clientSecret: SECRET, user: 'alice', canDeny: true },
      consent: { clientId: 'gatehouse-consent', clientSecret: CONSENT_SECRET },
      async register(_publicUrl, callbacks) {
        environment.REDIRECT_URIS = callbacks.join(',');
        await start();
      },
      disable: (user) => control('disable', user),
      enable: (user) => control('enable', user),
      signOut: { sessionThen: 'goes on', needsIdToken: true },
      stop,
      start,
      async rotateKeys() {
        await stop();
        await newKey();
        await start();
      },
    };
    const gatehouse = await gatehouseBefore(upstream);
    const login = {
      // It refuses openid in the device flow, and public clients.
      ...{ issuer, clientId: 'device-cli', scopes: ['profile'], visit: { user: 'bob' } },
      args: ['--client-secret-file', secretFile],
    };
    const version = await java.version('spring-security-oauth2-authorization-server');
    return {
      version,
      scenarios: [
        ...upstreamScenarios(upstream, gatehouse),
        ...loginScenarios(login),
        conformanceScenario('Spring Authorization Server', version, login),
      ],
      keeps: () => (program === undefined ? [] : [program]),
      close: async () => {
        await gatehouse.close();
        await stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { conformanceScenario } from '../conformance-scenario.ts';
import { loginScenarios } from '../login-scenarios.ts';
import { freePort } from '../obtain/free-port.ts';
import { pythonEnvironment } from '../obtain/python.ts';
import type { Peer } from '../peer.ts';
import { type Program, startProgram, untilAnswers } from '../program.ts';
import { upstreamScenarios } from '../upstream-scenarios.ts';
import { gatehouseBefore, type UpstreamUnderTest } from '../upstream-under-test.ts';

const SECRET = 'secret-of-authlib';
const PROGRAMS = new URL('../programs/', import.meta.url).pathname;

export const authlibServer: Peer = {
  name: 'authlib-server',
  kind: 'upstream',
  from: 'PyPI authlib',
  limitSeconds: 240,
  async open() {
    const python = await pythonEnvironment('authlib-server', ['authlib', 'flask', 'gunicorn']);
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-authlib-'));
    const port = await freePort();
    const issuer = `http://127.0.0.1:${port}`;
    const keyFile = join(folder, 'key.json');
    const environment = {
      ...{ ISSUER: issuer, KEY_FILE: keyFile, CLIENT_SECRET: SECRET, AUTHLIB_INSECURE_TRANSPORT: '1' },
      ...{ PYTHONPATH: PROGRAMS, PYTHONDONTWRITEBYTECODE: '1', REDIRECT_URIS: '' },
    };
    const newKey = async () => {
      const { privateKey } = await generateKeyPair('RS256', { extractable: true });
      await writeFile(keyFile, JSON.stringify({ ...(await exportJWK(privateKey)), kid: `key-${Date.now()}` }));
    };
    let program: Program | undefined;
    const start = async () => {
      const command = [python.bin('gunicorn'), '--bind', `127.0.0.1:${port}`, '--workers', '1', 'authlib_server:app'];
      program = startProgram(command, { environment, cwd: folder });
      await untilAnswers(`${issuer}/.well-known/openid-configuration`, program);
    };
    const stop = async () => program?.stop();
    const control = async (what: string, user: string) =>
      void (await fetch(`${issuer}/control/${what}/${user}`, { method: 'POST' }));
    await newKey();
    const upstream: UpstreamUnderTest = {
      ...{ issuer, clientId: 'gatehouse', clientSecret: SECRET, user: 'alice', canDeny: true },
      async register(_publicUrl, callbacks) {
        environment.REDIRECT_URIS = callbacks.join(' ');
        await start();
      },
      disable: (user) => control('disable', user),
      enable: (user) => control('enable', user),
      stop,
      start,
      async rotateKeys() {
        await stop();
        await newKey();
        await start();
      },
    };
    const gatehouse = await gatehouseBefore(upstream);
    const login = { issuer, clientId: 'device-cli', scopes: ['profile'], visit: { user: 'bob' } };
    const version = await python.version('authlib');
    const args = ['--other-client-id', 'other-cli'];
    return {
      version,
      scenarios: [
        ...upstreamScenarios(upstream, gatehouse),
        ...loginScenarios(login),
        conformanceScenario('Authlib', version, { ...login, args }),
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

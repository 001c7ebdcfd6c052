import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { conformanceScenario } from '../conformance-scenario.ts';
import { loginScenarios } from '../login-scenarios.ts';
import { freePort } from '../obtain/free-port.ts';
import { pythonEnvironment } from '../obtain/python.ts';
import type { Peer } from '../peer.ts';
import { type Program, runProgram, startProgram, untilAnswers } from '../program.ts';
import { upstreamScenarios } from '../upstream-scenarios.ts';
import { gatehouseBefore, type UpstreamUnderTest } from '../upstream-under-test.ts';

const SECRET = 'secret-of-django-oauth-toolkit';
const PROGRAMS = new URL('../programs/', import.meta.url).pathname;

export const djangoOAuthToolkit: Peer = {
  name: 'django-oauth-toolkit',
  kind: 'upstream',
  from: 'PyPI',
  limitSeconds: 240,
  async open() {
    // With oauthlib 4 its device flow answers 500.
    const requirements = ['django-oauth-toolkit', 'oauthlib<4', 'gunicorn'];
    const python = await pythonEnvironment('django-oauth-toolkit', requirements);
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-dot-'));
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const issuer = `${origin}/o`;
    const environment = {
      ...{ ISSUER: issuer, DATABASE: join(folder, 'db.sqlite3'), KEY_FILE: join(folder, 'key.pem') },
      ...{ CLIENT_SECRET: SECRET, PYTHONPATH: PROGRAMS, PYTHONDONTWRITEBYTECODE: '1' },
    };
    const newKey = () => {
      const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
      return writeFile(environment.KEY_FILE, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    };
    const manage = (...args: string[]) =>
      runProgram([python.python, join(PROGRAMS, 'dot_server.py'), ...args], { environment });
    let program: Program | undefined;
    const start = async () => {
      const command = [
        python.bin('gunicorn'),
        '--bind',
        `127.0.0.1:${port}`,
        '--workers',
        '1',
        'dot_server:application',
      ];
      program = startProgram(command, { environment, cwd: folder });
      await untilAnswers(`${issuer}/.well-known/openid-configuration`, program);
    };
    await newKey();
    await manage('setup');
    await start();
    const upstream: UpstreamUnderTest = {
      ...{ issuer, clientId: 'gatehouse', clientSecret: SECRET, user: 'alice', canDeny: true },
      register: async (_publicUrl, callbacks) => void (await manage('setup', ...callbacks)),
      disable: async (user) => void (await manage('disable', user)),
      enable: async (user) => void (await manage('enable', user)),
      signOut: { sessionThen: 'is ended at the next refresh' },
      stop: async () => program?.stop(),
      start,
      async rotateKeys() {
        await program?.stop();
        await newKey();
        await start();
      },
    };
    const gatehouse = await gatehouseBefore(upstream);
    const login = {
      ...{ issuer, clientId: 'device-cli', scopes: ['openid', 'profile'], visit: { user: 'bob' } },
      // Its metadata does not name it.
      args: ['--device-authorization-endpoint', `${issuer}/device-authorization/`],
    };
    const version = await python.version('django-oauth-toolkit');
    return {
      version,
      scenarios: [
        ...upstreamScenarios(upstream, gatehouse),
        ...loginScenarios(login),
        conformanceScenario('django-oauth-toolkit', version, {
          ...login,
          args: [...login.args, '--other-client-id', 'other-cli'],
        }),
      ],
      keeps: () => (program === undefined ? [] : [program]),
      close: async () => {
        await gatehouse.close();
        await program?.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  },
};

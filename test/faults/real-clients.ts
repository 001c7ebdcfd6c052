import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeviceProgram, runDevice } from '../../interop/device-program.ts';
import { goProgram } from '../../interop/obtain/go.ts';
import { pythonEnvironment } from '../../interop/obtain/python.ts';
import { MDS_CLIENT, PROGRAM as MDS_PROGRAM, MDS_REALM, mdsEnvironment } from '../../interop/peers/mds.ts';
import { lastLines } from '../../interop/program.ts';
import type { RollingDevice } from '../support/broker/rolling-restart.ts';

/** What the configuration has to have for them. */
export const REAL_CLIENTS_YAML = {
  compatibility: { keycloak: { realm: MDS_REALM } },
  clients: {
    'build-cli': {
      name: 'Build CLI',
      signing_alg: 'ES256',
      interval: '1s',
      scopes: { allowed: ['openid', 'profile', 'offline_access', 'packages:read'], default: ['openid'] },
    },
    'client-tools': MDS_CLIENT,
  },
};

export interface RealClient {
  /** With its version. */
  name: string;
  device(origin: string): RollingDevice;
}

/**
 * golang.org/x/oauth2, requests-oauth2client and mdsisclienttools as their registries have them, in the programs that
 * `npm run interop` drives them with.
 *
 * @throws {NotObtainedError}
 */
export async function obtainRealClients(): Promise<RealClient[]> {
  const go = await goProgram('xoauth2');
  const python = await pythonEnvironment('requests-oauth2client', ['requests-oauth2client']);
  const mds = await mdsEnvironment();
  const requests = new URL('../../interop/programs/requests_oauth2client_device.py', import.meta.url).pathname;
  const usual = (origin: string) => ({
    ...{ ISSUER: origin, DEVICE_ENDPOINT: `${origin}/device_authorization`, TOKEN_ENDPOINT: `${origin}/token` },
    ...{ CLIENT_ID: 'build-cli', SCOPE: 'openid profile' },
  });
  return [
    {
      name: `golang.org/x/oauth2 ${await go.module('golang.org/x/oauth2')}`,
      device: (origin) => rolling('x/oauth2', { command: [go.file] }, { ...usual(origin), AUTH_STYLE: '0' }),
    },
    {
      name: `requests-oauth2client ${await python.version('requests-oauth2client')}`,
      device: (origin) => rolling('requests-oauth2client', { command: [python.python, requests] }, usual(origin)),
    },
    {
      name: `mdsisclienttools ${await mds.version('mdsisclienttools')}`,
      device: (origin) =>
        rolling(
          'mdsisclienttools',
          { command: [mds.python, MDS_PROGRAM] },
          {
            ISSUER: `${origin}/realms/${MDS_REALM}`,
            CLIENT_ID: 'client-tools',
          },
        ),
    },
  ];
}

function rolling(name: string, program: DeviceProgram, told: Record<string, string>): RollingDevice {
  return {
    async start(until) {
      const folder = await mkdtemp(join(tmpdir(), 'gatehouse-real-client-'));
      let shown: (userCode: string) => void = () => undefined;
      const code = new Promise<string>((resolve) => {
        shown = resolve;
      });
      const life = runDevice(
        program,
        { ...told, STORAGE: join(folder, 'tokens.json') },
        async ({ user_code: userCode }) => shown(userCode),
      );
      const over = new Promise<undefined>((resolve) => until.addEventListener('abort', () => resolve(undefined)));
      const story = Promise.race([life, over]).then(async (events) => {
        await rm(folder, { recursive: true, force: true });
        const tokens = events?.tokens[0]?.access_token;
        const isFine = events?.exitCode === 0 && tokens !== undefined;
        const said = events === undefined ? 'it never ended' : (events.refused ?? lastLines(events.output, 4));
        return { tokens, polls: 0, troubles: isFine ? [] : [`${name}: ${said}`] };
      });
      const userCode = await Promise.race([
        code,
        story.then(({ troubles }) => Promise.reject(new Error(`it shows no code: ${troubles.join()}`))),
      ]);
      return { userCode, story };
    },
  };
}

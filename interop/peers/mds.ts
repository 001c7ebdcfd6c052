import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DeviceEvents, type DeviceProgram, expectDevice, runDevice } from '../device-program.ts';
import { decideAs, deviceDeps } from '../device-run.ts';
import type { Gatehouse } from '../gatehouse.ts';
import { pythonEnvironment } from '../obtain/python.ts';
import type { Peer, Scenario } from '../peer.ts';

export const PROGRAM = new URL('../programs/mds_device.py', import.meta.url).pathname;
/** What it sets out with, and all of it. */
const ALL_STEPS = 'auth,implicit-refresh,refresh,reuse,reset,again';

/** The YAML that it wants: Keycloak's paths, RS256 and a refresh token are there by default. */
export const MDS_CLIENT = { name: 'Client tools', interval: '1s', refresh_tokens: 'always', signing_alg: 'RS256' };
export const MDS_REALM = 'rrap';

// Without a boto3 of botocore's age pip tries a hundred of them.
export const mdsEnvironment = () => pythonEnvironment('mds', ['mdsisclienttools==1.5.7', 'boto3==1.27.1']);

export const mds: Peer = {
  name: 'mds',
  kind: 'client',
  from: 'PyPI mdsisclienttools',
  limitSeconds: 300,
  async open() {
    const environment = await mdsEnvironment();
    const deps = await deviceDeps({
      compatibility: { keycloak: { realm: MDS_REALM } },
      clients: { 'client-tools': MDS_CLIENT, 'short-tools': { ...MDS_CLIENT, lifetimes: { code: '5s' } } },
    });
    const program = { command: [environment.python, PROGRAM] };
    return {
      version: await environment.version('mdsisclienttools'),
      scenarios: mdsScenarios(deps.gatehouse, program),
      close: () => deps.close(),
    };
  },
};

export interface MdsTold {
  steps?: string;
  clientId?: string;
  answer?: 'approve' | 'deny' | 'nobody';
  visit?: (code: { user_code: string; verification_uri: string }) => Promise<unknown>;
}

/** One life of the program, with storage of its own. */
export async function mdsRun(
  { publicUrl }: Gatehouse,
  program: DeviceProgram,
  { steps = '', clientId = 'client-tools', answer = 'approve', visit }: MdsTold,
): Promise<DeviceEvents> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-mds-'));
  try {
    const told = {
      ISSUER: `${publicUrl}/realms/${MDS_REALM}`,
      ...{ CLIENT_ID: clientId, STEPS: steps, STORAGE: join(folder, 'tokens.json') },
    };
    return await runDevice(program, told, async (code) => {
      if (visit !== undefined) await visit(code);
      else if (answer !== 'nobody') await decideAs(code, answer);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

export function expectAllSteps(events: DeviceEvents): void {
  expectDevice(events, events.exitCode === 0, 'a step failed');
  expectDevice(events, events.tokens.length === 2 && events.refreshed.length === 2, 'a step brought no tokens');
  const all = [...events.tokens, ...events.refreshed].map((answer) => answer.access_token);
  expectDevice(events, new Set(all).size === all.length, 'two steps brought the same token');
}

export function mdsScenarios(gatehouse: Gatehouse, program: DeviceProgram): Scenario[] {
  return [
    {
      name: 'sign in',
      limitSeconds: 40,
      async run() {
        const events = await mdsRun(gatehouse, program, { steps: 'auth,reuse' });
        expectDevice(events, events.exitCode === 0 && events.tokens.length === 1, 'no tokens came');
      },
    },
    {
      name: 'refresh',
      limitSeconds: 40,
      async run() {
        const events = await mdsRun(gatehouse, program, { steps: 'implicit-refresh,refresh' });
        expectDevice(events, events.exitCode === 0 && events.refreshed.length === 2, 'it was not refreshed twice');
      },
    },
    {
      name: 'all its steps',
      limitSeconds: 60,
      run: async () => expectAllSteps(await mdsRun(gatehouse, program, { steps: ALL_STEPS })),
    },
    {
      name: 'denial',
      limitSeconds: 40,
      async run() {
        const events = await mdsRun(gatehouse, program, { answer: 'deny' });
        expectDevice(events, events.tokens.length === 0, 'tokens came');
        expectDevice(events, events.refused?.includes('access_denied'), 'it does not say that it was denied');
      },
    },
    {
      name: 'expiry',
      limitSeconds: 40,
      async run() {
        const events = await mdsRun(gatehouse, program, { answer: 'nobody', clientId: 'short-tools' });
        expectDevice(events, events.tokens.length === 0, 'tokens came');
        expectDevice(events, events.refused?.includes('expired'), 'it does not say that the code ran out');
      },
    },
    {
      name: 'slow network',
      limitSeconds: 90,
      async run() {
        gatehouse.network.delayMs = 300;
        try {
          expectAllSteps(await mdsRun(gatehouse, program, { steps: ALL_STEPS }));
        } finally {
          gatehouse.network.delayMs = 0;
        }
      },
    },
  ];
}

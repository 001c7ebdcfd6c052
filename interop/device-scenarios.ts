import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { type DeviceEvents, type DeviceProgram, expectDevice } from './device-program.ts';
import { type DeviceDeps, type DeviceTold, deviceRun } from './device-run.ts';
import type { Gatehouse } from './gatehouse.ts';
import type { Scenario } from './peer.ts';

/** What every client library goes through. */
export function deviceScenarios(deps: DeviceDeps, program: DeviceProgram, told: DeviceTold = {}): Scenario[] {
  const { gatehouse } = deps;
  return [
    {
      name: 'sign in',
      limitSeconds: 40,
      async run() {
        const { events } = await deviceRun(deps, program, 'approve', told);
        expectDevice(events, events.exitCode === 0 && events.tokens.length === 1, 'no tokens came');
        await verify(gatehouse, events);
      },
    },
    {
      name: 'refresh',
      limitSeconds: 40,
      async run() {
        const more = { ...told.more, STEPS: 'refresh' };
        const { events } = await deviceRun(deps, program, 'approve', { ...told, more });
        const [first] = events.tokens;
        const [second] = events.refreshed;
        expectDevice(events, events.exitCode === 0 && second !== undefined, 'no refreshed tokens came');
        expectDevice(events, first?.access_token !== second?.access_token, 'the access token is the same');
      },
    },
    {
      name: 'denial',
      limitSeconds: 40,
      async run() {
        const { events } = await deviceRun(deps, program, 'deny', told);
        expectDevice(events, events.tokens.length === 0, 'tokens came');
        expectDevice(
          events,
          /access_?denied|sign-in was refused/i.test(events.refused ?? ''),
          'it does not say that it was denied',
        );
      },
    },
    {
      name: 'expiry',
      limitSeconds: 40,
      async run() {
        const { events } = await deviceRun(deps, program, 'nobody', { ...told, clientId: 'short-tv' });
        expectDevice(events, events.tokens.length === 0, 'tokens came');
        const words = /expired|expire|timed? ?out|deadline|not valid any more/i;
        expectDevice(events, words.test(events.refused ?? ''), 'it does not say that the code ran out');
      },
    },
    {
      name: 'slow network',
      limitSeconds: 60,
      async run() {
        gatehouse.network.delayMs = 300;
        try {
          const { events } = await deviceRun(deps, program, 'approve', told);
          expectDevice(events, events.exitCode === 0 && events.tokens.length === 1, 'no tokens came');
        } finally {
          gatehouse.network.delayMs = 0;
        }
      },
    },
  ];
}

/** As an API would: by the published keys. */
async function verify({ publicUrl: issuer, fetch: by }: Gatehouse, { tokens: [answer] }: DeviceEvents): Promise<void> {
  const keys = createLocalJWKSet((await (await by(`${issuer}/jwks`)).json()) as JSONWebKeySet);
  await jwtVerify(answer?.access_token ?? '', keys, { issuer, typ: 'at+jwt' });
  if (answer?.id_token !== undefined) await jwtVerify(answer.id_token, keys, { issuer });
}

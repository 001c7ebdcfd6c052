import { expectDevice } from '../device-program.ts';
import { deviceDeps, deviceRun, SECRET } from '../device-run.ts';
import { deviceScenarios } from '../device-scenarios.ts';
import { goProgram } from '../obtain/go.ts';
import type { Peer, Scenario } from '../peer.ts';

/** Its three styles of client authentication; the first finds out, by two polls at each tick. */
const STYLES = { 'probing style': '0', 'in the body': '1', 'by Basic': '2' };

/** The whole second that an interval is, and what building a request may take. */
const ONE_TICK_MS = 1500;

export const xoauth2: Peer = {
  name: 'x/oauth2',
  kind: 'client',
  from: 'Go proxy golang.org/x/oauth2',
  // With a cold cache the whole of Go is brought and built.
  limitSeconds: 480,
  async open() {
    const built = await goProgram('xoauth2');
    const program = { command: [built.file] };
    const deps = await deviceDeps();
    const inStyle = (style: string, who: string, told: { clientId: string; clientSecret?: string }): Scenario => ({
      name: `${style}, ${who}`,
      limitSeconds: 40,
      async run() {
        const more = { AUTH_STYLE: STYLES[style as keyof typeof STYLES], STEPS: 'refresh' };
        const { events, decidedAtMs } = await deviceRun(deps, program, 'approve', { ...told, more });
        expectDevice(events, events.exitCode === 0 && events.refreshed.length === 1, 'no tokens came');
        const lateMs = events.tokensAtMs - decidedAtMs;
        expectDevice(
          events,
          lateMs < ONE_TICK_MS,
          `its token came ${lateMs} ms after the approval: not at the first tick`,
        );
      },
    });
    return {
      version: await built.module('golang.org/x/oauth2'),
      scenarios: [
        ...deviceScenarios(deps, program),
        ...Object.keys(STYLES).flatMap((style) => [
          inStyle(style, 'public', { clientId: 'tv' }),
          inStyle(style, 'secret', { clientId: 'robot', clientSecret: SECRET }),
        ]),
      ],
      close: () => deps.close(),
    };
  },
};

import { expectDevice } from '../device-program.ts';
import { deviceDeps, deviceRun } from '../device-run.ts';
import { debianFiles } from '../obtain/debian.ts';
import { pythonProgram } from '../obtain/python.ts';
import type { Peer } from '../peer.ts';

const PACKAGES = [
  'sssd-idp',
  'sssd-common',
  'libjose0',
  'libkrad0',
  'libjansson4',
  'libpopt0',
  'libtalloc2',
  'libcurl4',
];

/** It keeps no token: it asks userinfo who signed in, and says that. */
export const oidcChild: Peer = {
  name: 'oidc_child',
  kind: 'client',
  from: 'Debian sssd-idp',
  limitSeconds: 180,
  async open() {
    const sssd = await debianFiles('sssd-idp', PACKAGES);
    const python = await pythonProgram();
    const deps = await deviceDeps({}, true);
    const program = {
      command: [python, new URL('../programs/oidc_child_device.py', import.meta.url).pathname],
      environment: {
        OIDC_CHILD: sssd.file('usr/libexec/sssd/oidc_child'),
        CA_FILE: deps.gatehouse.caFile,
        LD_LIBRARY_PATH: `${sssd.libraries}:${sssd.libraries}/sssd`,
      },
    };
    return {
      version: await sssd.version('sssd-idp'),
      scenarios: [
        {
          name: 'sign in',
          limitSeconds: 40,
          async run() {
            const { events } = await deviceRun(deps, program, 'approve');
            const user = events.said.find((said) => said['user'] !== undefined)?.['user'];
            expectDevice(events, user === 'corp|alice', 'it does not know who signed in');
          },
        },
        {
          name: 'denial',
          limitSeconds: 40,
          async run() {
            const { events } = await deviceRun(deps, program, 'deny');
            expectDevice(events, events.exitCode !== 0 && events.refused !== undefined, 'it does not hear the denial');
          },
        },
      ],
      close: () => deps.close(),
    };
  },
};

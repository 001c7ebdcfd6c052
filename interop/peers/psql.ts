import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { type DeviceEvents, expectDevice } from '../device-program.ts';
import { type DeviceDeps, type DeviceTold, deviceDeps, deviceRun, SECRET } from '../device-run.ts';
import { debianFiles } from '../obtain/debian.ts';
import { pythonProgram } from '../obtain/python.ts';
import { check, type Peer, type Scenario } from '../peer.ts';
import { startPostgresServer } from '../postgres-server.ts';

/** The first suite of Debian's that has PostgreSQL 18. */
const SUITE = 'forky';
const PACKAGES = [
  ...['postgresql-client-18', 'libpq-oauth', 'libpq5', 'libc6', 'libgcc-s1', 'libcurl4t64', 'libssl3t64'],
  ...[
    'libreadline8t64',
    'libtinfo6',
    'libgssapi-krb5-2',
    'libk5crypto3',
    'libkrb5-3',
    'libkrb5support0',
    'libcom-err2',
  ],
  ...['libkeyutils1', 'libldap2', 'libsasl2-2', 'liblz4-1', 'libzstd1', 'zlib1g', 'libbrotli1', 'libidn2-0'],
  ...[
    'libunistring5',
    'libnghttp2-14',
    'libnghttp3-9',
    'libngtcp2-16',
    'libngtcp2-crypto-ossl0',
    'libpsl5t64',
    'libssh2-1t64',
  ],
];
const SLUG = 'corp';

/** It keeps no token: the server at which it signs in looks at it, and says who came. */
export const psql: Peer = {
  name: 'psql',
  kind: 'client',
  from: `Debian ${SUITE} postgresql-client-18, libpq-oauth`,
  limitSeconds: 240,
  async open() {
    const postgres = await debianFiles('psql', PACKAGES, SUITE);
    const python = await pythonProgram();
    const deps = await deviceDeps({ compatibility: { authentik: { slug: SLUG } } }, true, '');
    const program = [python, new URL('../programs/psql_device.py', import.meta.url).pathname];
    const connect: Connect = async (answer, issuer = deps.gatehouse.publicUrl, told = {}) => {
      const server = await startPostgresServer({
        issuer,
        scope: 'openid profile',
        validate: validator(deps, issuer),
      });
      const environment = {
        PSQL: JSON.stringify(postgres.run('usr/lib/postgresql/18/bin/psql')),
        CA_FILE: deps.gatehouse.caFile,
        PG_PORT: String(server.port),
      };
      try {
        const more = { ISSUER: issuer };
        const { events } = await deviceRun(deps, { command: program, environment }, answer, { ...told, more });
        return { events, refusals: server.refusals };
      } finally {
        await server.close();
      }
    };
    return {
      version: await postgres.version('postgresql-client-18'),
      scenarios: scenarios(deps, connect),
      close: () => deps.close(),
    };
  },
};

interface Connection {
  events: DeviceEvents;
  refusals: readonly string[];
}

type Connect = (answer: 'approve' | 'deny' | 'nobody', issuer?: string, told?: DeviceTold) => Promise<Connection>;

function scenarios({ gatehouse }: DeviceDeps, connect: Connect): Scenario[] {
  return [
    {
      name: 'sign in',
      limitSeconds: 60,
      run: async () => expectAlice(await connect('approve')),
    },
    {
      // It appends `/.well-known/openid-configuration` byte by byte.
      name: 'issuer with a slash',
      limitSeconds: 60,
      run: async () => expectAlice(await connect('approve', `${gatehouse.publicUrl}/application/o/${SLUG}/`)),
    },
    {
      name: 'client_secret_basic',
      limitSeconds: 60,
      run: async () => {
        const told = { clientId: 'client_secret_basic', clientSecret: SECRET };
        expectAlice(await connect('approve', undefined, told));
      },
    },
    {
      name: 'denial',
      limitSeconds: 60,
      async run() {
        const { events } = await connect('deny');
        expectDevice(events, events.exitCode !== 0, 'it is connected');
        expectDevice(events, /access_denied/.test(events.refused ?? ''), 'it does not say that it was denied');
      },
    },
    {
      name: 'expiry',
      limitSeconds: 60,
      async run() {
        const { events } = await connect('nobody', undefined, { clientId: 'short-tv' });
        expectDevice(events, events.exitCode !== 0, 'it is connected');
        expectDevice(events, /expired/.test(events.refused ?? ''), 'it does not say that the code ran out');
      },
    },
    {
      name: 'slow network',
      limitSeconds: 60,
      async run() {
        gatehouse.network.delayMs = 300;
        try {
          expectAlice(await connect('approve'));
        } finally {
          gatehouse.network.delayMs = 0;
        }
      },
    },
  ];
}

function expectAlice({ events, refusals }: Connection): void {
  const user = events.said.find((said) => said['user'] !== undefined)?.['user'];
  expectDevice(events, user === 'corp|alice', `the server does not know who signed in ${refusals.join('; ')}`);
}

/** As a validator module would: told the issuer, it finds our keys and looks at nothing but the token. */
function validator({ gatehouse }: DeviceDeps, issuer: string): (token: string) => Promise<string> {
  return async (token) => {
    const published = await gatehouse.fetch(`${issuer}/.well-known/openid-configuration`);
    const { jwks_uri: keysAt } = (await published.json()) as { jwks_uri: string };
    const keys = createRemoteJWKSet(new URL(keysAt), { [customFetch]: gatehouse.fetch });
    const { payload } = await jwtVerify(token, keys, { issuer, typ: 'at+jwt' });
    check(payload.sub, 'the token is for nobody');
    return payload.sub;
  };
}

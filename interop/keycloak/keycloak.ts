import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheFolder, once } from '../obtain/cache.ts';
import { freePort } from '../obtain/free-port.ts';
import { mavenFile } from '../obtain/maven.ts';
import { pythonProgram } from '../obtain/python.ts';
import { systemProgram } from '../obtain/system-program.ts';
import { obtainBy, type Program, startProgram, untilAnswers } from '../program.ts';
import { CONSENT_CLIENT, KEYCLOAK_CLIENT, PUBLIC_CLIENT, realm } from './realm.ts';

export const KEYCLOAK_VERSION = '26.7.3';
const ADMIN = { username: 'admin', password: 'admin-password' };

/** Keycloak as it is run, but for http: built once, a database in files, the realm imported into an empty one. */
export interface Keycloak {
  origin: string;
  issuer: string;
  program(): Program;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Sets redirect URIs and the address for back-channel logout of all three. */
  register(publicUrl: string, callbacks: readonly string[]): Promise<void>;
  enable(user: string, enabled: boolean): Promise<void>;
  logOut(user: string): Promise<void>;
  /** The switch of that name in the client's settings. */
  frontChannelLogout(on: boolean): Promise<void>;
  /** A realm more, in place of one of that name. */
  importRealm(realm: { realm: string }): Promise<void>;
  /** A new RSA key signs from now on, and the old one is gone. */
  rotateKeys(): Promise<void>;
}

export async function startKeycloak(): Promise<Keycloak> {
  await systemProgram('java', 'default-jre-headless');
  const home = await obtainKeycloak();
  await rm(join(home, 'data'), { recursive: true, force: true });
  await mkdir(join(home, 'data', 'import'), { recursive: true });
  await writeFile(join(home, 'data', 'import', 'corp-realm.json'), JSON.stringify(realm()));
  const [port, managementPort] = [await freePort(), await freePort()];
  const origin = `http://127.0.0.1:${port}`;
  const issuer = `${origin}/realms/corp`;
  let program: Program | undefined;

  const start = async () => {
    program = startProgram(
      [
        ...[join(home, 'bin', 'kc.sh'), 'start', '--optimized', '--import-realm'],
        // Without it, it opens cluster ports on the outer address.
        '--cache=local',
        ...['--http-enabled=true', '--http-host=127.0.0.1', `--http-port=${port}`],
        ...[`--http-management-port=${managementPort}`, `--hostname=${origin}`],
      ],
      {
        environment: {
          KC_BOOTSTRAP_ADMIN_USERNAME: ADMIN.username,
          KC_BOOTSTRAP_ADMIN_PASSWORD: ADMIN.password,
          JAVA_OPTS_KC_HEAP: '-Xms256m -Xmx768m',
        },
      },
    );
    await untilAnswers(`${issuer}/.well-known/openid-configuration`, program, 240);
  };
  const stop = async () => program?.stop();

  const admin = async (method: string, path: string, body?: unknown, realmPath = '/corp'): Promise<unknown> => {
    const response = await fetch(`${origin}/admin/realms${realmPath}${path}`, {
      method,
      headers: { authorization: `Bearer ${await adminToken(origin)}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`Keycloak’s administration: ${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  };
  const userId = async (user: string) => {
    const [found] = (await admin('GET', `/users?exact=true&username=${user}`)) as { id: string }[];
    return found?.id ?? '';
  };

  await start();
  return {
    origin,
    issuer,
    program: () => program as Program,
    start,
    stop,
    async register(publicUrl, callbacks) {
      for (const clientId of [KEYCLOAK_CLIENT.clientId, CONSENT_CLIENT, PUBLIC_CLIENT]) {
        const [client] = (await admin('GET', `/clients?clientId=${clientId}`)) as { id: string; attributes?: object }[];
        const attributes = {
          ...client?.attributes,
          'backchannel.logout.url': `${publicUrl}/backchannel-logout/corp`,
          'backchannel.logout.session.required': 'true',
        };
        await admin('PUT', `/clients/${client?.id}`, { ...client, redirectUris: callbacks, attributes });
      }
    },
    async frontChannelLogout(on) {
      const [client] = (await admin('GET', `/clients?clientId=${KEYCLOAK_CLIENT.clientId}`)) as { id: string }[];
      await admin('PUT', `/clients/${client?.id}`, { ...client, frontchannelLogout: on });
    },
    enable: async (user, enabled) => void (await admin('PUT', `/users/${await userId(user)}`, { enabled })),
    logOut: async (user) => void (await admin('POST', `/users/${await userId(user)}/logout`)),
    async importRealm(imported) {
      await admin('DELETE', '', undefined, `/${imported.realm}`).catch(() => undefined);
      await admin('POST', '', imported, '');
    },
    async rotateKeys() {
      const { id } = (await admin('GET', '')) as { id: string };
      const type = 'org.keycloak.keys.KeyProvider';
      const old = (await admin('GET', `/components?parent=${id}&type=${type}`)) as { id: string; providerId: string }[];
      const config = {
        priority: ['200'],
        keySize: ['2048'],
        algorithm: ['RS256'],
        active: ['true'],
        enabled: ['true'],
      };
      const key = { name: 'rotated', providerId: 'rsa-generated', providerType: type, parentId: id, config };
      await admin('POST', '/components', key);
      for (const component of old.filter(({ providerId }) => providerId === 'rsa-generated')) {
        await admin('DELETE', `/components/${component.id}`);
      }
    },
  };
}

async function adminToken(origin: string): Promise<string> {
  const response = await fetch(`${origin}/realms/master/protocol/openid-connect/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'password', client_id: 'admin-cli', ...ADMIN }),
  });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`Keycloak gives its administrator no token: ${response.status} ${text.slice(0, 200)}`);
  }
  return (JSON.parse(text) as { access_token: string }).access_token;
}

async function obtainKeycloak(): Promise<string> {
  const name = `keycloak-${KEYCLOAK_VERSION}`;
  const folder = await once(cacheFolder('keycloak', KEYCLOAK_VERSION), async (empty) => {
    const zip = await mavenFile('org.keycloak', 'keycloak-quarkus-dist', KEYCLOAK_VERSION, 'zip');
    await obtainBy([await pythonProgram(), '-m', 'zipfile', '-e', zip, empty]);
    const bin = join(empty, name, 'bin');
    // zipfile forgets who may run what.
    for (const file of await readdir(bin)) if (file.endsWith('.sh')) await chmod(join(bin, file), 0o755);
    await obtainBy([join(bin, 'kc.sh'), 'build', '--db=dev-file', '--health-enabled=false', '--metrics-enabled=false']);
  });
  return join(folder, name);
}

/** The version that it says it is, which the file name alone would not prove. */
export async function keycloakVersion(): Promise<string> {
  const home = await obtainKeycloak();
  const text = await readFile(join(home, 'version.txt'), 'utf8').catch(() => KEYCLOAK_VERSION);
  return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? dirname(home);
}

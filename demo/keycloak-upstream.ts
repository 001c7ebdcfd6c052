import { readFile } from 'node:fs/promises';
import { startKeycloak } from '../interop/keycloak/keycloak.ts';
import type { OpenDemoUpstream } from './demo-upstream.ts';

const REALM = new URL('../deploy/compose/realm.json', import.meta.url);

interface Realm {
  realm: string;
  displayName: string;
  clients: { secret: string }[];
  users: { username: string; firstName: string; lastName: string }[];
}

/** A real Keycloak as a process, with the realm of deploy/compose; brought from Maven Central, once. */
export const keycloakDemoUpstream: OpenDemoUpstream = async ({ publicUrl, upstreamId }) => {
  const server = await startKeycloak();
  try {
    const text = await readFile(REALM, 'utf8');
    const here = text
      .replaceAll('http://localhost:8080', publicUrl)
      .replaceAll(/(callback|logout)\/corp/g, `$1/${upstreamId}`);
    const realm = JSON.parse(here) as Realm;
    await server.importRealm(realm);
    return {
      issuer: `${server.origin}/realms/${realm.realm}`,
      yaml: {
        display_name: realm.displayName,
        authentication: 'client_secret_basic',
        client_secret: { env: 'DEMO_CLIENT_SECRET' },
        claims: { groups: 'groups' },
      },
      environment: { DEMO_CLIENT_SECRET: realm.clients[0]?.secret ?? '' },
      users: realm.users.map(({ username, firstName, lastName }) => ({
        subject: username,
        name: `${firstName} ${lastName} (${username})`,
      })),
      signIn: 'with the password NAME-password',
      close: () => server.stop(),
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
};

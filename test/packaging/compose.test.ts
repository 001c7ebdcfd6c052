import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/config/load-config.ts';
import { formatSigningKeySet, makeSigningKey } from '../../src/tokens/signing-key-set.ts';
import { onPath } from '../support/programs.ts';

const FOLDER = join(import.meta.dirname, '../../deploy/compose');
const read = (file: string) => readFileSync(join(FOLDER, file), 'utf8');

interface Service {
  image: string;
  build?: { context: string };
  command?: string[];
  entrypoint?: string[];
  ports?: string[];
  volumes?: string[];
  environment?: Record<string, string>;
  healthcheck?: object;
  network_mode?: string;
  depends_on?: Record<string, { condition: string }>;
}
interface Compose {
  services: Record<string, Service>;
  volumes: Record<string, unknown>;
}

/** Of the Compose specification, what we use: a misspelt key would be one that is not here. */
const SERVICE_KEYS = [
  ...['image', 'build', 'command', 'entrypoint', 'environment', 'ports', 'volumes', 'user', 'read_only', 'cap_drop'],
  ...['security_opt', 'network_mode', 'depends_on', 'healthcheck'],
];

/** What a container engine would not take, or take in another sense; nothing but the text is looked at. */
function problemsOf(text: string): string[] {
  const compose = parse(text, { merge: true }) as Compose;
  return Object.entries(compose.services).flatMap(([name, service]) => {
    const unknown = Object.keys(service).filter((key) => !SERVICE_KEYS.includes(key));
    const open = (service.ports ?? []).filter((port) => !/^127\.0\.0\.1:\d+:\d+$/.test(port));
    const lost = (service.volumes ?? [])
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((from) =>
        from.startsWith('.') ? !existsSync(join(FOLDER, from)) : !Object.hasOwn(compose.volumes, from),
      );
    const awaited = Object.entries(service.depends_on ?? {}).filter(([other, { condition }]) => {
      const needs = compose.services[other];
      return needs === undefined || (condition === 'service_healthy' && needs.healthcheck === undefined);
    });
    const [, joined] = /^service:(.*)$/.exec(service.network_mode ?? '') ?? [];
    const isNowhere = joined !== undefined && (compose.services[joined] === undefined || service.ports !== undefined);
    const isUnpinned = service.build === undefined && !/:\d+(\.\d+)+[\w.-]*$/.test(service.image);
    const hasContext = service.build === undefined || existsSync(join(FOLDER, service.build.context, 'Dockerfile'));
    return [
      ...unknown.map((key) => `${name}: unknown key ${key}`),
      ...open.map((port) => `${name}: ${port} is open to others`),
      ...lost.map((from) => `${name}: ${from} is not there`),
      ...awaited.map(([other]) => `${name}: waits in vain for ${other}`),
      ...(isNowhere ? [`${name}: joins a network that is not there, or publishes ports in another’s`] : []),
      ...(isUnpinned ? [`${name}: ${service.image} is no version`] : []),
      ...(hasContext ? [] : [`${name}: nothing to build there`]),
    ];
  });
}

describe('deploy/compose', () => {
  const text = read('compose.yaml');
  const { services } = parse(text, { merge: true }) as Compose;

  it('is what Compose takes, and open to this machine only', () => expect(problemsOf(text)).toEqual([]));

  it.each([
    ['cap_drop: [ALL]', 'capdrop: [ALL]', 'gatehouse: unknown key capdrop'],
    ['127.0.0.1:8080:8080', '8080:8080', 'keycloak: 8080:8080 is open to others'],
    ['./realm.json:', './realms.json:', 'keycloak: ./realms.json is not there'],
    ['redis: { condition', 'cache: { condition', 'gatehouse: waits in vain for cache'],
    [
      'service:keycloak',
      'service:keykloak',
      'gatehouse: joins a network that is not there, or publishes ports in another’s',
    ],
    ['redis:7.4-alpine', 'redis:latest', 'redis: redis:latest is no version'],
    ['context: ../..', 'context: ..', 'gatehouse: nothing to build there'],
  ])('would not be, with %s as %s', (was, is, problem) => {
    expect(text).toContain(was);
    expect(problemsOf(text.replace(was, is))).toContain(problem);
  });

  it('is found right by `docker compose config`, where that is', { timeout: 60_000 }, () => {
    const command = composeCommand();
    if (command === undefined) return;
    const [program = '', ...args] = command;
    const said = execFileSync(program, [...args, '-f', join(FOLDER, 'compose.yaml'), 'config'], { encoding: 'utf8' });
    expect(Object.keys((parse(said) as Compose).services).sort()).toEqual(Object.keys(services).sort());
  });

  it('has a configuration that Gatehouse takes without a warning, and the secret that the realm has', async () => {
    const { GATEHOUSE_CONFIG, ...environment } = services['gatehouse']?.environment ?? {};
    expect(services['gatehouse']?.volumes).toContain(`./gatehouse.yaml:${GATEHOUSE_CONFIG}:ro`);
    const yaml = read('gatehouse.yaml');
    const keys = await mkdtemp(join(tmpdir(), 'gatehouse-compose-'));
    const signing = [await makeSigningKey('RS256', 1), await makeSigningKey('ES256', 1)];
    await writeFile(join(keys, 'signing-keys.json'), formatSigningKeySet(signing), { mode: 0o600 });
    await writeFile(join(keys, 'sealing.key'), 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8', { mode: 0o600 });
    const here = yaml.replaceAll('/run/secrets/gatehouse', keys);
    const config = readConfig('gatehouse.yaml', here, { ...environment, GATEHOUSE_LISTEN_HOST: '0.0.0.0' });
    await rm(keys, { recursive: true });
    expect(config.warnings).toEqual([]);
    for (const file of ['sealing.key', 'signing-keys.json']) {
      expect([yaml, services['keys']?.command?.[0]]).toEqual([
        expect.stringContaining(file),
        expect.stringContaining(file),
      ]);
    }
    const realm = JSON.parse(read('realm.json')) as {
      realm: string;
      clients: { clientId: string; secret: string; redirectUris: string[]; attributes: Record<string, string> }[];
    };
    const [client] = realm.clients;
    const [upstream] = config.upstreams;
    expect(upstream?.issuer).toBe(`http://localhost:8081/realms/${realm.realm}`);
    expect(client).toMatchObject({
      clientId: upstream?.clientId,
      secret: environment['CORP_CLIENT_SECRET'],
      redirectUris: [`${config.publicUrl}/callback/corp`],
      attributes: { 'backchannel.logout.url': `${config.publicUrl}/backchannel-logout/corp` },
    });
    expect(text).toContain(`/realms/${realm.realm}/.well-known`);
  });
});

/** The plugin of today, or the program of old. */
function composeCommand(): string[] | undefined {
  const docker = onPath('docker');
  if (docker !== undefined) {
    try {
      execFileSync(docker, ['compose', 'version'], { stdio: 'ignore' });
      return [docker, 'compose'];
    } catch {
      // The client without the plugin.
    }
  }
  const old = onPath('docker-compose');
  return old === undefined ? undefined : [old];
}

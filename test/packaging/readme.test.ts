import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse as parseYaml } from 'yaml';
import { type EmbeddedUpstream, startEmbeddedUpstream } from '../../demo/embedded-upstream.ts';
import { approve } from '../../demo/scripted-person.ts';
import { KEYCLOAK_YAML } from '../../interop/keycloak/realm.ts';
import { createBroker } from '../../src/broker/broker.ts';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { COMMANDS } from '../../src/cli/run-command.ts';
import type { Config } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import * as library from '../../src/index.ts';
import { OAUTH_ERRORS } from '../../src/oauth/oauth-error.ts';
import { memoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { formatSigningKeySet, makeSigningKey } from '../../src/tokens/signing-key-set.ts';

const ROOT = join(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const PROTOCOL = read('docs/protocol.md');
const PAGES = ['README.md', ...markdownIn('docs'), ...markdownIn('test/conformance')];

function markdownIn(folder: string): string[] {
  const files = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.md')).map((file) => join(folder, file));
}

/** The fenced blocks of a language, without the indentation that a list gives them. */
function blocksOf(text: string, language: string): string[] {
  const fenced = new RegExp(`^( *)\`\`\`${language}\\n(.*?)^ *\`\`\`$`, 'gms');
  return [...text.matchAll(fenced)].map(([, indent = '', body = '']) => body.replaceAll(`\n${indent}`, '\n').trim());
}

/** What stands below a heading, to the next one of its level. */
function sectionOf(text: string, heading: string): string {
  const [, rest = ''] = text.split(`\n## ${heading}\n`);
  return rest.split('\n## ')[0] ?? '';
}

/** The cells of a section's table, without its head. */
function rowsOf(section: string): string[][] {
  const lines = section.split('\n').filter((line) => line.startsWith('| '));
  const cells = lines.map((line) => line.slice(2, -2).split(' | '));
  return cells.slice(2);
}

const codesIn = (text: string) => [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-readme-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Loads a configuration as an administrator who did what the text says: the files are there, the variables set. */
async function load(yaml: string): Promise<Config> {
  const environment: Record<string, string> = {};
  for (const [, name = ''] of yaml.matchAll(/env: (\w+)/g)) environment[name] = randomBytes(24).toString('base64url');
  for (const [, path = ''] of yaml.matchAll(/file: ([^\s}]+)/g)) {
    await writeFile(join(folder, basename(path)), await contentOf(path), { mode: 0o600 });
  }
  const file = join(folder, 'gatehouse.yaml');
  await writeFile(
    file,
    yaml.replaceAll(/file: ([^\s}]+)/g, (_all, path: string) => `file: ${basename(path)}`),
  );
  return loadConfig(file, environment);
}

async function contentOf(path: string): Promise<string> {
  if (path.includes('sealing')) return randomBytes(32).toString('base64url');
  if (!path.includes('signing')) return 'a secret of the upstream';
  return formatSigningKeySet([await makeSigningKey('RS256', Date.now()), await makeSigningKey('ES256', Date.now())]);
}

describe('configurations that the pages show', () => {
  const whole = PAGES.flatMap((page) => blocksOf(read(page), 'yaml').map((yaml) => ({ page, yaml }))).filter(
    ({ yaml }) => /^public_url:/m.test(yaml),
  );

  it('are those of the README, and of the pages that begin there, at least', () => {
    const from = whole.map(({ page }) => page);
    expect(from).toEqual(
      expect.arrayContaining(['README.md', 'docs/quick-start.md', 'docs/protocol.md', 'docs/configuration.md']),
    );
  });

  it.each(whole)('in $page loads: $yaml', async ({ yaml }) => {
    await expect(load(yaml)).resolves.toMatchObject({
      publicUrl: (parseYaml(yaml) as Record<string, unknown>)['public_url'],
    });
  });
});

describe('the upstream Keycloak', () => {
  const PLACE = ['display_name', 'issuer', 'client_id', 'client_secret'];
  const shown = ['README.md', 'docs/quick-start.md', 'docs/upstreams/keycloak.md'].flatMap((page) =>
    blocksOf(read(page), 'yaml')
      .filter((yaml) => yaml.includes('/realms/'))
      .map((yaml) => ({ page, section: corpIn(yaml) })),
  );

  it('is recommended as `npm run interop` runs it: nothing beside that decides what a logout there ends', () => {
    expect(shown.map(({ page }) => page)).toEqual(['README.md', 'docs/quick-start.md', 'docs/upstreams/keycloak.md']);
    for (const { page, section } of shown) {
      const more = Object.entries(section).filter(([key]) => !PLACE.includes(key));
      expect(Object.entries(KEYCLOAK_YAML), page).toEqual(expect.arrayContaining(more));
    }
    expect(shown.at(-1)?.section).toMatchObject(KEYCLOAK_YAML);
  });

  function corpIn(yaml: string): Record<string, unknown> {
    const { upstreams } = parseYaml(yaml) as { upstreams: Record<string, Record<string, unknown>> };
    return upstreams['corp'] ?? {};
  }
});

describe('the protocol, by curl', () => {
  const section = sectionOf(PROTOCOL, 'By curl');
  const [least = ''] = blocksOf(section, 'yaml');
  const [startCommand = '', pollCommand = ''] = blocksOf(section, 'sh');
  const shown = blocksOf(section, 'json').map((json) => JSON.parse(json) as Record<string, string>);
  let upstream: EmbeddedUpstream;
  let close: () => Promise<void>;
  let origin: string;
  beforeAll(async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    upstream = await startEmbeddedUpstream({
      clients: [{ clientId: 'gatehouse', redirectUris: [`${origin}/callback/corp`] }],
    });
    const issuer = `http://127.0.0.1:${upstream.port}`;
    const yaml = least.replace('http://127.0.0.1:8080', origin).replace('http://127.0.0.1:8090', issuer);
    const broker = await createBroker({ config: await load(yaml), storage: memoryStorage() });
    server.on('request', (request, response) => broker.handle(request, response));
    close = async () => {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
      await upstream.close();
    };
  });
  afterAll(() => close());

  /** What curl would send: `-d` are the fields of a form, the last word is the address. */
  async function curl(command: string, deviceCode = '') {
    const fields = [...command.matchAll(/-d ([^\s=]+)=(\S+)/g)].map(([, name = '', value = '']): [string, string] => [
      name,
      name === 'device_code' ? deviceCode : value,
    ]);
    const address = /http:\/\/127\.0\.0\.1:8080(\S+)$/.exec(command)?.[1] ?? '';
    const response = await fetch(origin + address, { method: 'POST', body: new URLSearchParams(fields) });
    return { status: response.status, body: (await response.json()) as Record<string, string> };
  }
  const shapeOf = (body: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(body).map(([name, value]) => [name, typeof value]));

  it('codes, waiting and tokens come as they are shown, member by member', async () => {
    const [codes = {}, pending = {}, tokens = {}] = shown;
    const started = await curl(startCommand);
    expect(started.status).toBe(200);
    expect(shapeOf(started.body)).toEqual(shapeOf(codes));
    const { device_code: deviceCode = '', user_code: userCode = '', interval, expires_in: lifetime } = started.body;
    expect({ interval, lifetime }).toEqual({ interval: codes['interval'], lifetime: codes['expires_in'] });
    expect(deviceCode).toHaveLength(codes['device_code']?.length ?? 0);
    expect(userCode).toMatch(/^[A-Z]{4}-[A-Z]{4}$/);

    expect(await curl(pollCommand, deviceCode)).toEqual({ status: 400, body: pending });

    expect((await approve(`${origin}/device`, userCode, 'alice')).status).toBe(200);
    const polled = await curl(pollCommand, deviceCode);
    expect(polled.status).toBe(200);
    expect(shapeOf(polled.body)).toEqual(shapeOf(tokens));
    const { token_type: type, scope, expires_in: seconds, access_token: accessToken = '' } = polled.body;
    expect({ type, scope, seconds }).toEqual({ type: 'Bearer', scope: tokens['scope'], seconds: tokens['expires_in'] });
    expect(accessToken.slice(0, 40)).toBe(tokens['access_token']?.slice(0, 40));
  });
});

describe('tables that are the code’s', () => {
  it('errors: code, status and source as the code has them', () => {
    const rows = rowsOf(sectionOf(PROTOCOL, 'Errors of the device door'));
    expect(rows).toEqual(
      Object.entries(OAUTH_ERRORS).map(([code, { status, source }]) => [`\`${code}\``, String(status), source]),
    );
  });

  it('commands: those that there are; and every exit code is named', () => {
    const section = read('docs/commands.md');
    const names = rowsOf(section).flatMap(([command = '']) => /^\[`gatehouse (\w+)/.exec(command)?.[1] ?? []);
    expect(names).toEqual(Object.keys(COMMANDS));
    const [, codes = ''] = /^Exit codes: (.*?);/ms.exec(section) ?? [];
    expect([...codes.matchAll(/\b(\d+)\b/g)].map(([code]) => Number(code))).toEqual(Object.values(EXIT));
  });

  it('routes: those of the device door, of the pages and of the operations listener, with their methods', () => {
    const listed = rowsOf(sectionOf(PROTOCOL, 'Routes')).flatMap(([routes = '']) => routesIn(routes));
    expect(listed.toSorted()).toEqual([...deviceRoutes(), ...pageRoutes(), ...operationsRoutes()].toSorted());
  });

  /** "`GET, POST /device`", "`GET /sessions`, `POST /sessions/end`"; a path without a method is read with GET. */
  function routesIn(cell: string): string[] {
    return codesIn(cell).flatMap((route) => {
      const [, methods = 'GET', path = ''] = /^(?:([A-Z, ]+) )?(\/.*)$/.exec(route) ?? [];
      return methods.split(', ').map((method) => `${method} ${path}`);
    });
  }

  /** The lists are private to their modules, and their handlers are of no interest here: so they are read as text. */
  function listIn(file: string, name: string): [string, string][] {
    const [, body = ''] = new RegExp(`^const ${name}[^\\n]* = \\{\\n(.*?)^\\};`, 'ms').exec(read(file)) ?? [];
    return [...body.matchAll(/^ {2}'?([^':\s]+(?::\w+)?)'?: (.*),$/gm)].map(([, key = '', value = '']) => [key, value]);
  }
  const methodsIn = (text: string) => [...text.matchAll(/\b(GET|POST)\b/g)].map(([method]) => method);

  function deviceRoutes(): string[] {
    const methods = new Map(listIn('src/broker/routes.ts', 'METHODS'));
    const own = listIn('src/broker/routes.ts', 'ROUTES').flatMap(([path, endpoint]) =>
      methodsIn(methods.get(endpoint.slice(1, -1)) ?? '').map((method) => `${method} ${path}`),
    );
    return [...own, 'POST /backchannel-logout/{upstream}', 'GET /frontchannel-logout/{upstream}'];
  }

  function pageRoutes(): string[] {
    return listIn('src/pages/pages.ts', 'ROUTES').flatMap(([path, methods]) =>
      methodsIn(methods).map((method) => `${method} ${path.replace(':upstream', '{upstream}')}`),
    );
  }

  function operationsRoutes(): string[] {
    const files = ['src/telemetry/operations-listener.ts', 'src/broker/operations-app.ts'];
    const paths = files.flatMap((file) => [...read(file).matchAll(/^ +\[?'(\/\w+)',/gm)]);
    return paths.map(([, path]) => `GET ${path}`);
  }
});

describe('the example of the library', () => {
  it('imports what the package exports', () => {
    const [example = ''] = blocksOf(read('docs/library.md'), 'ts');
    const [, names = ''] = /import \{ (.*) \} from 'gatehouse-broker'/.exec(example) ?? [];
    const exported = Object.keys(library);
    expect(names.split(', ').length).toBeGreaterThan(3);
    expect(names.split(', ').filter((name) => !exported.includes(name))).toEqual([]);
  });
});

describe('what the pages point to', () => {
  const linksOf = (page: string) => [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  const anchorsOf = (page: string) =>
    [...page.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );

  it.each(PAGES)('%s: every link within the project leads to a file, and to a heading in it', (page) => {
    const broken = linksOf(page)
      .filter((target) => !/^\w+:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? page : relative(ROOT, resolve(ROOT, dirname(page), path));
        if (file.startsWith('..') || !existsSync(join(ROOT, file))) return true;
        return anchor !== undefined && !anchorsOf(read(file)).includes(anchor);
      });
    expect(broken).toEqual([]);
  });

  it('`npm run …` names a script that there is', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = PAGES.flatMap((page) =>
      [...read(page).matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => ({ page, script })),
    );
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ script }) => scripts[script] === undefined)).toEqual([]);
  });
});

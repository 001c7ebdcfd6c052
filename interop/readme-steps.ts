import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import type { Keycloak } from './keycloak/keycloak.ts';
import { freePort } from './obtain/free-port.ts';
import { packGatehouse } from './pack-gatehouse.ts';
import { check, type Scenario } from './peer.ts';
import { approve } from './person.ts';
import { lastLines, runProgram, startProgram } from './program.ts';

const ROOT = new URL('..', import.meta.url);
/** From “With a Keycloak of yours” to what `init` has written. */
const README_STEP_LIST =
  /^With a Keycloak of yours.*?^What `init`/ms.exec(readFileSync(new URL('README.md', ROOT), 'utf8'))?.[0] ?? '';
const CLI = new URL('src/cli/gatehouse.ts', ROOT).pathname;
/** Of the realm that deploy/compose brings: its client is set up as the README says. */
const REALM = { file: new URL('deploy/compose/realm.json', ROOT), name: 'example' };

/**
 * A new administrator, with a Keycloak and the README's quick start: the commands as they stand there, but for addresses.
 * In a clone, and from the packed package on a machine that has Node alone; the table says how long the commands took.
 * What a person reads and clicks meanwhile is not in it: the realm comes with the client that step 1 makes.
 */
export function readmeSteps(server: Keycloak): Scenario {
  return {
    name: 'the README',
    limitSeconds: 120,
    async run() {
      const beganAtMs = Date.now();
      await followReadme(server, [process.execPath, '--import', import.meta.resolve('tsx'), CLI]);
      const steps = [...README_STEP_LIST.matchAll(/^\d\. /gm)].length;
      return `${steps} steps, ${secondsSince(beganAtMs)} s of commands`;
    },
  };
}

export function packageSteps(server: Keycloak): Scenario {
  return {
    name: 'the README, from the packed package',
    limitSeconds: 400,
    async run() {
      const folder = await mkdtemp(join(tmpdir(), 'gatehouse-package-'));
      try {
        const tarball = await packGatehouse(folder);
        const beganAtMs = Date.now();
        const prefix = join(folder, 'prefix');
        const install = ['npm', 'install', '--global', '--prefix', prefix, '--prefer-offline', '--no-audit', tarball];
        await runProgram(install, { cwd: folder });
        const commands = await followReadme(server, [join(prefix, 'bin/gatehouse')]);
        // The client, its secret, and the install; then each command.
        return `${3 + commands} steps, ${secondsSince(beganAtMs)} s of commands`;
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

function secondsSince(beganAtMs: number): number {
  return Math.round((Date.now() - beganAtMs) / 1000);
}

/** Answers how many commands that took. */
async function followReadme(server: Keycloak, cli: readonly string[]): Promise<number> {
  const publicUrl = `http://127.0.0.1:${await freePort()}`;
  const here = (text: string) =>
    text
      .replaceAll(/http:\/\/(127\.0\.0\.1|localhost):8080/g, publicUrl)
      .replaceAll('https://sso.example.com/realms/corp', `${server.origin}/realms/${REALM.name}`);
  const realm = JSON.parse(here(await readFile(REALM.file, 'utf8'))) as Realm;
  await server.importRealm(realm);
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-readme-'));
  try {
    await writeFile(join(folder, 'corp.secret'), realm.clients[0]?.secret ?? '', { mode: 0o600 });
    const commands = commandsOf(here(README_STEP_LIST));
    await follow(commands, { cli, folder, publicUrl });
    return commands.length;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Realm {
  realm: string;
  clients: { secret: string }[];
}

/** In their order; `&&` joins two. */
function commandsOf(readme: string): string[] {
  const lines = [...readme.matchAll(/^ *(gatehouse .*)$/gm)].map(([, line = '']) => line);
  return lines.flatMap((line) => line.split(' && '));
}

interface Place {
  /** What stands for `gatehouse`. */
  cli: readonly string[];
  folder: string;
  publicUrl: string;
}

async function follow(commands: readonly string[], { cli, folder, publicUrl }: Place): Promise<void> {
  const [init = '', probe = '', start = '', login = ''] = commands;
  const run = (line: string, onLine?: (said: string) => void) => {
    const command = [...cli, ...line.split(' ').slice(1)];
    return startProgram(command, { cwd: folder, environment: { NODE_NO_WARNINGS: '1' }, ...(onLine && { onLine }) });
  };
  const done = async (line: string) => {
    const program = run(line);
    const code = await program.exited;
    await program.stop();
    check(code === 0, `${line}: exit ${code}: ${lastLines(program.output(), 12)}`);
    return program.output();
  };
  const wrote = await done(`${init} --public-url ${publicUrl}`);
  check(wrote.includes(`${publicUrl}/callback/corp`), `init names no redirect URI: ${wrote}`);
  check(/^0 wrong/m.test(await done(probe)), 'check --probe finds something wrong');

  let isReady = () => {};
  const ready = new Promise<void>((resolve) => {
    isReady = resolve;
  });
  const broker = run(start, (said) => said.startsWith('Gatehouse is ready') && isReady());
  const failed = broker.exited.then((code) => check(false, `start: exit ${code}: ${lastLines(broker.output(), 8)}`));
  try {
    await Promise.race([ready, failed]);
    let person: Promise<unknown> | undefined;
    const device = run(login, (said) => {
      const [userCode] = /^[A-Z]{4}-[A-Z]{4}$/.exec(said) ?? [];
      const visit = { verificationUri: `${publicUrl}/device`, user: 'alice' };
      if (userCode !== undefined) person ??= approve({ ...visit, userCode });
    });
    const exitCode = await device.exited;
    await person;
    await device.stop();
    check(exitCode === 0, `login: exit ${exitCode}: ${lastLines(device.output(), 8)}`);
    const [, token = ''] = /"access_token":"([^"]+)"/.exec(device.output()) ?? [];
    check(decodeJwt(token).iss === publicUrl, 'the token has another issuer');
  } finally {
    failed.catch(() => undefined);
    await broker.stop();
  }
}

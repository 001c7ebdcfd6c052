import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { parse } from 'yaml';
import { findRedisServer } from '../test/support/redis/find-redis-server.ts';
import { startGatehouse } from './gatehouse.ts';
import type { Keycloak } from './keycloak/keycloak.ts';
import { freePort } from './obtain/free-port.ts';
import { check, type Scenario } from './peer.ts';
import { approve } from './person.ts';
import { plainDevice } from './plain-device.ts';
import { NotObtainedError, runProgram, startProgram } from './program.ts';
import { answerInWords } from './upstream-sign-in.ts';

const DEPLOYED = new URL('../deploy/compose/', import.meta.url);
const CLI = new URL('../src/cli/gatehouse.ts', import.meta.url).pathname;
const ROOT = new URL('..', import.meta.url).pathname;

interface Compose {
  services: {
    redis: { command: string[] };
    keys: { command: string[] };
    gatehouse: { environment: Record<string, string> };
  };
}

/** Where no container engine is: the parts of deploy/compose as processes, from the same files, with the addresses of here. */
export function composeParts(server: Keycloak): Scenario {
  return {
    name: 'deploy/compose',
    limitSeconds: 120,
    async run() {
      const read = (file: string) => readFile(new URL(file, DEPLOYED), 'utf8');
      const { services } = parse(await read('compose.yaml'), { merge: true }) as Compose;
      const folder = await mkdtemp(join(tmpdir(), 'gatehouse-compose-'));
      const redis = await startRedis(services.redis.command, folder);
      try {
        await makeKeys(services.keys.command, folder);
        const { GATEHOUSE_CONFIG: _, ...secrets } = services.gatehouse.environment;
        const gatehouse = await startGatehouse({
          secrets,
          yaml: async (publicUrl) => {
            const here = (text: string) =>
              text
                .replaceAll('http://localhost:8080', publicUrl)
                .replaceAll('http://localhost:8081', server.origin)
                .replaceAll('redis://redis:6379', redis.url)
                .replaceAll('/run/secrets/gatehouse', join(folder, 'keys'));
            await server.importRealm(JSON.parse(here(await read('realm.json'))) as { realm: string });
            return parse(here(await read('gatehouse.yaml'))) as Record<string, unknown>;
          },
        });
        try {
          const { exitCode, output } = await gatehouse.probe();
          check(exitCode === 0, `check --probe: exit ${exitCode}: ${output}`);
          const device = plainDevice(gatehouse.publicUrl, 'build-cli');
          const started = await device.start();
          await approve({ verificationUri: started.verification_uri, userCode: started.user_code, user: 'alice' });
          const answer = await device.poll(started.device_code);
          check(answer.status === 200, `the poll was answered with ${answerInWords(answer)}`);
          const claims = decodeJwt(answer.body.access_token ?? '');
          const { email, groups } = claims as { email?: string; groups?: string[] };
          check(email === 'alice@example.com' && groups?.join() === 'engineering', JSON.stringify(claims));
        } finally {
          await gatehouse.close();
        }
      } finally {
        await redis.stop();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function startRedis([, ...args]: readonly string[], folder: string) {
  const found = await findRedisServer();
  if ('missing' in found) throw new NotObtainedError(found.missing);
  const port = await freePort();
  const here = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
  const program = startProgram([found.program, ...args, ...here]);
  return { url: `redis://127.0.0.1:${port}`, stop: () => program.stop() };
}

/** Twice, as at the second `docker compose up`: keys that are there stay. */
async function makeKeys([script = '']: readonly string[], folder: string): Promise<void> {
  const keys = join(folder, 'keys');
  const programs = join(folder, 'bin');
  await Promise.all([mkdir(keys), mkdir(programs)]);
  await writeFile(join(programs, 'gatehouse'), `#!/bin/sh\nexec ${process.execPath} --import tsx ${CLI} "$@"\n`);
  await chmod(join(programs, 'gatehouse'), 0o755);
  // The modules of the command are found from the root; the script goes to its own folder by itself.
  const here = script
    .replaceAll('/keys', keys)
    .replaceAll('1000:1000', `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`)
    .replaceAll(/gatehouse keys (\w+ \w+) --out (\S+)/g, `(cd ${ROOT} && gatehouse keys $1 --out ${keys}/$2)`);
  const environment = { PATH: `${programs}:${process.env['PATH']}` };
  await runProgram(['/bin/sh', '-euc', here], { environment });
  const made = await readFile(join(keys, 'sealing.key'), 'utf8');
  await runProgram(['/bin/sh', '-euc', here], { environment });
  check((await readFile(join(keys, 'sealing.key'), 'utf8')) === made, 'the second start made another sealing key');
}

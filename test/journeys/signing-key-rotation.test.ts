import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLocalJWKSet, decodeProtectedHeader, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { run as keys } from '../../src/cli/keys.ts';
import { type Reloading, reloadOnChange } from '../../src/cli/start/reload.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const MINUTE_SECONDS = 60;

let folder: string;
let file: string;
let test: TestBroker;
let reloading: Reloading;

beforeEach(async () => {
  vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  folder = await mkdtemp(join(tmpdir(), 'gatehouse-rotation-'));
  file = join(folder, 'signing-keys.json');
  await keys(['generate', 'signing', '--out', file]);
  test = await createTestBroker({
    yaml: {
      keys: { signing: { file } },
      clients: { 'build-cli': { signing_alg: 'ES256', lifetimes: { access_token: '1h' } } },
    },
  });
  const yaml = join(folder, 'gatehouse.yaml');
  await writeFile(yaml, JSON.stringify(test.yaml));
  for (const [name, value] of Object.entries(test.environment)) vi.stubEnv(name, value);
  const config = await loadConfig(yaml);
  const reloadable = { needsRestart: () => [], reload: test.broker.reload };
  reloading = await reloadOnChange(config, reloadable, {
    logger: silentLogger,
    metrics: { configurationRead: () => undefined },
  });
});
afterEach(async () => {
  reloading.stop();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await test.close();
  await rm(folder, { recursive: true });
});

const published = async (): Promise<JSONWebKeySet> => (await test.device().send('/jwks')).body as never;
const kidsOf = async () => (await published()).keys.filter(({ alg }) => alg === 'ES256').map(({ kid }) => kid);
const kidOf = (token: string) => decodeProtectedHeader(token).kid;
const userinfo = async (token: string) =>
  (await test.device().send('/userinfo', { headers: { authorization: `Bearer ${token}` } })).status;

/** As whoever keeps no copy of /jwks does it: every token must verify with what is published now. */
async function verified(token: string): Promise<string | undefined> {
  const { protectedHeader } = await jwtVerify(token, createLocalJWKSet(await published()), { typ: 'at+jwt' });
  return protectedHeader.kid;
}

/**
 * As if the keys had been made earlier, so that whoever keeps a copy of /jwks has seen them by now. The clock stays: the
 * broker and its upstream have the same one, and would refuse each other's tokens.
 */
async function makeOlder(seconds: number): Promise<void> {
  const { keys: made } = JSON.parse(await readFile(file, 'utf8')) as { keys: { iat: number }[] };
  await writeFile(file, JSON.stringify({ keys: made.map((key) => ({ ...key, iat: key.iat - seconds })) }));
}

/** A running broker reads the file within a second of its change. */
async function inForce(isThere: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; waited < 40; waited += 1) {
    if (await isThere()) return;
    await delay(50);
  }
  throw new Error('the changed file is not in force after two seconds');
}

it('signing keys: published ahead, then used; the retired one verifies; a dropped one does no more', async () => {
  const [first] = await kidsOf();
  const before = await test.signIn();
  expect(kidOf(before.access_token)).toBe(first);

  // Somebody refreshes all the while.
  let isOver = false;
  let token = before.refresh_token;
  const kids: (string | undefined)[] = [];
  const refreshing = (async () => {
    while (!isOver) {
      const answer = await test.device().refresh(token);
      expect([answer.status, answer.text]).toEqual([200, answer.text]);
      kids.push(await verified(answer.body.access_token));
      token = answer.body.refresh_token;
    }
  })();

  await keys(['rotate', 'signing', '--file', file]);
  await inForce(async () => (await kidsOf()).length === 2);
  const [, second] = await kidsOf();
  expect(kidOf((await test.signIn()).access_token)).toBe(first);

  await makeOlder(11 * MINUTE_SECONDS);
  await keys(['rotate', 'signing', '--file', file]);
  await inForce(async () => kidOf((await test.signIn()).access_token) === second);
  expect(await kidsOf()).toEqual([second, first]);
  expect(await verified(before.access_token)).toBe(first);
  expect(await userinfo(before.access_token)).toBe(200);

  await keys(['drop', String(first), '--file', file]);
  await inForce(async () => (await kidsOf()).length === 1);
  expect(await userinfo(before.access_token)).toBe(401);
  await expect(verified(before.access_token)).rejects.toThrow();

  isOver = true;
  await refreshing;
  expect(new Set(kids)).toEqual(new Set([first, second]));
});

it('a key file that is broken is not taken; the old keys stay in force', async () => {
  const good = await readFile(file, 'utf8');
  await writeFile(file, good.slice(0, 100));
  await delay(600);
  expect(kidOf((await test.signIn()).access_token)).toBe((await kidsOf())[0]);
});

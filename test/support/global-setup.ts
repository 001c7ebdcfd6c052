import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findChromium } from './browser/find-chromium.ts';
import { findRedisServer } from './redis/find-redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The `redis-server` that tests start, or the sentence that says why there is none. */
    redisServer: { program: string } | { missing: string };
    /** The Chromium that tests start, or the sentence that says why there is none. */
    chromium: { program: string } | { missing: string };
    /** A folder of this run. Whoever starts a process leaves an empty file there, named by its id, until it has ended. */
    runFolder: string;
  }
}

let runFolder = '';

/** Runs once before all tests: finds (or installs) what npm could not bring, so that no test ever has to skip. */
export async function setup(project: TestProject): Promise<void> {
  runFolder = await mkdtemp(join(tmpdir(), 'gatehouse-tests-'));
  project.provide('runFolder', runFolder);
  project.provide('redisServer', await findRedisServer());
  project.provide('chromium', await findChromium());
}

/** Ends what a test file could not, because it failed or was stopped itself. */
export async function teardown(): Promise<void> {
  for (const name of await readdir(runFolder)) {
    if (/^\d+$/.test(name)) {
      try {
        process.kill(Number(name), 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
  }
  await rm(runFolder, { recursive: true, force: true });
}

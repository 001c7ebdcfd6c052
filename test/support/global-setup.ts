import type { TestProject } from 'vitest/node';
import { findChromium } from './find-chromium.ts';
import { findRedisServer } from './find-redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The `redis-server` that tests start, or the sentence that says why there is none. */
    redisServer: { program: string } | { missing: string };
    /** The Chromium that tests start, or the sentence that says why there is none. */
    chromium: { program: string } | { missing: string };
  }
}

/** Runs once before all tests: finds (or installs) what npm could not bring, so that no test ever has to skip. */
export async function setup(project: TestProject): Promise<void> {
  project.provide('redisServer', await findRedisServer());
  project.provide('chromium', await findChromium());
}

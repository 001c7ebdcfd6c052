import { defineConfig } from 'vitest/config';

// `npm run model`: every schedule of every scenario, where `npm test` looks at the shortest ones.
export default defineConfig({
  test: {
    include: ['test/model/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    env: { MODEL: 'full' },
    pool: 'forks',
    maxWorkers: 1,
    testTimeout: 1_800_000,
    hookTimeout: 60_000,
  },
});

import { defineConfig } from 'vitest/config';

// `npm run faults`: real processes that are killed, cut off, filled up and deceived, one after the other.
export default defineConfig({
  test: {
    include: ['test/faults/*.fault.ts'],
    globalSetup: ['test/faults/global-setup.ts'],
    pool: 'forks',
    fileParallelism: false,
    maxWorkers: 1,
    // The longest of them, at full size, on a machine that has other work too.
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
  },
});

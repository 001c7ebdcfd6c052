import { defineConfig } from 'vitest/config';

// `npm run faults`: real processes that are killed, cut off, filled up and deceived, one after the other.
export default defineConfig({
  test: {
    include: ['faults/*.fault.ts'],
    globalSetup: ['faults/write-table.ts'],
    pool: 'forks',
    fileParallelism: false,
    maxWorkers: 1,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});

/** `npm run chart`: brings helm, where there is none, and has the chart linted, rendered and judged. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { helmProgram } from '../interop/obtain/helm.ts';

const helm = await helmProgram();
console.log(`helm: ${helm}`);
const vitest = join(import.meta.dirname, '../node_modules/vitest/vitest.mjs');
const { status } = spawnSync(process.execPath, [vitest, 'run', 'test/packaging/chart.test.ts'], { stdio: 'inherit' });
process.exitCode = status ?? 1;

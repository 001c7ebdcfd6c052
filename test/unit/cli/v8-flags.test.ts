import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { FLAG } from '../../../src/cli/start/v8-flags.ts';

it('the V8 of this Node knows the flag that a broker sets', () => {
  const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(options).toContain(` ${FLAG.replace('--no-', '--')} `);
});

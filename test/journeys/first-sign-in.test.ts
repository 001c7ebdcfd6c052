import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { firstSignIn } from '../support/broker/first-sign-in.ts';

const SOURCE = join(import.meta.dirname, '../../src/cli/gatehouse.ts');

it('init, and the commands that it names, lead to a token from a real provider', { timeout: 120_000 }, async () => {
  const args = ['--import', import.meta.resolve('tsx'), SOURCE];
  const yaml = await firstSignIn({ program: process.execPath, args, path: process.env['PATH'] }, (file) =>
    readFileSync(file, 'utf8'),
  );
  // The least file that leads there is short enough to be read.
  expect(yaml.split('\n').length).toBeLessThan(40);
});

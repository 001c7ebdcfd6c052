import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { processorsAllowed } from '../../../src/config/processors-allowed.ts';

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-quota-'));
afterAll(() => rmSync(folder, { recursive: true }));
const all = Math.min(256, availableParallelism());

it.each([
  ['half a processor', { both: '50000 100000\n' }, 1],
  ['one and a half', { both: '150000 100000\n' }, Math.min(2, all)],
  ['one, as older systems say it', { quota: '100000\n', period: '100000\n' }, 1],
  ['no bound', { both: 'max 100000\n' }, all],
  ['no bound, as older systems say it', { quota: '-1\n', period: '100000\n' }, all],
  ['nothing', {}, all],
])('a quota of %s', (name, contents: Record<string, string>, count) => {
  const fileOf = (kind: string) => join(folder, `${name}-${kind}`);
  for (const [kind, content] of Object.entries(contents)) writeFileSync(fileOf(kind), content);
  expect(processorsAllowed({ both: fileOf('both'), quota: fileOf('quota'), period: fileOf('period') })).toBe(count);
});

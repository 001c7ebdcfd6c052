import { execFile } from 'node:child_process';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import * as tests from '../support/global-setup.ts';
import type { FaultRow } from './fault-row.ts';
import { withRows } from './fault-table.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = join(ROOT, 'docs/operations/faults.md');
const BUILT = join(ROOT, '.cache/faults');
const rowsFile = join(tmpdir(), `gatehouse-faults-${process.pid}.jsonl`);

export async function setup(project: TestProject): Promise<void> {
  await tests.setup(project);
  project.provide('faultRows', rowsFile);
  await buildPrograms();
}

/** Puts what was seen into the page. */
export async function teardown(): Promise<void> {
  await tests.teardown();
  if (!existsSync(rowsFile)) return;
  const lines = readFileSync(rowsFile, 'utf8').trim().split('\n');
  rmSync(rowsFile);
  const rows = lines.map((line) => JSON.parse(line) as FaultRow);
  writeFileSync(PAGE, withRows(readFileSync(PAGE, 'utf8'), rows));
}

/** What is started thousands of times to be killed starts in a third of the time when it is compiled. */
async function buildPrograms(): Promise<void> {
  const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
  await promisify(execFile)(process.execPath, [compiler, '-p', join(ROOT, 'tsconfig.faults.json')]);
  for (const beside of ['views', 'package.json']) {
    rmSync(join(BUILT, beside), { force: true });
    symlinkSync(join(ROOT, beside), join(BUILT, beside));
  }
}

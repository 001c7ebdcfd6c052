import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import * as tests from '../test/support/global-setup.ts';
import type { FaultRow } from './fault-row.ts';

const PAGE = join(import.meta.dirname, '../docs/operations/faults.md');
const rowsFile = join(tmpdir(), `gatehouse-faults-${process.pid}.jsonl`);

export async function setup(project: TestProject): Promise<void> {
  await tests.setup(project);
  project.provide('faultRows', rowsFile);
}

/** Puts what was seen into the page: the groups that ran take the place of theirs, the others stay. */
export async function teardown(): Promise<void> {
  await tests.teardown();
  if (!existsSync(rowsFile)) return;
  const rows = readFileSync(rowsFile, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as FaultRow);
  rmSync(rowsFile);
  let page = readFileSync(PAGE, 'utf8');
  for (const group of new Set(rows.map((row) => row.group))) {
    const [begin, end] = [`<!-- ${group} -->`, `<!-- end of ${group} -->`];
    const lines = rows.filter((row) => row.group === group).map(lineOf);
    const head = [
      '| fault | times | the device | the person | afterwards | invariants |',
      '| --- | --- | --- | --- | --- | --- |',
    ];
    const from = page.indexOf(begin);
    const to = page.indexOf(end);
    if (from < 0 || to < 0) throw new Error(`${PAGE} has no place for ${group}`);
    page = `${page.slice(0, from + begin.length)}\n${[...head, ...lines].join('\n')}\n${page.slice(to)}`;
  }
  writeFileSync(PAGE, page);
}

function lineOf({ fault, times, device, person, recovery, violations }: FaultRow): string {
  const kept = violations.length === 0 ? 'hold' : violations.join('; ');
  return `| ${[fault, times, device, person, recovery, kept].map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
}

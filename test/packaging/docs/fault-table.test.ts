import { describe, expect, it } from 'vitest';
import type { FaultRow } from '../../faults/fault-row.ts';
import { withRows } from '../../faults/fault-table.ts';

const PAGE = '# Faults\n<!-- A -->\n<!-- end of A -->\nwords\n<!-- B -->\n<!-- end of B -->\n';

function row(fault: string, times: number, more: Partial<FaultRow> = {}): FaultRow {
  return { group: 'A', fault, times, device: '200', person: '–', recovery: '–', violations: [], ...more };
}

/** Each row's fault and times. */
function rowsOf(page: string): string[] {
  return page
    .split('\n')
    .filter((line) => /^\| \w+ \| \d/.test(line))
    .map((line) => line.split('|').slice(1, 3).join('').replaceAll('  ', ' ').trim());
}

describe('the table of faults', () => {
  const full = withRows(PAGE, [row('cut', 100), row('kill', 100), row('full', 7, { group: 'B' })]);

  it('has a row for each fault, in its group', () => {
    expect(rowsOf(full)).toEqual(['cut 100', 'kill 100', 'full 7']);
    expect(full).toContain('words');
  });

  it('keeps what did not run, and the larger run of what did', () => {
    expect(rowsOf(withRows(full, [row('kill', 2)]))).toEqual(['cut 100', 'kill 100', 'full 7']);
    expect(rowsOf(withRows(full, [row('kill', 200), row('new', 1)]))).toEqual([
      'cut 100',
      'kill 200',
      'new 1',
      'full 7',
    ]);
  });

  it('shows a violation, however small the run', () => {
    expect(withRows(full, [row('kill', 1, { violations: ['I1: two of them'] })])).toContain('| kill | 1 |');
  });

  it('has no place for a group that the page does not know', () => {
    expect(() => withRows(PAGE, [row('x', 1, { group: 'C' })])).toThrow('no place for C');
  });
});

import type { FaultRow } from './fault-row.ts';

const HEAD = [
  '| fault | times | the device | the person | afterwards | invariants |',
  '| --- | --- | --- | --- | --- | --- |',
];

/**
 * The page with the rows of a run in it. A row takes the place of the one of the same fault, unless that one was done
 * more often and this run found no violation; rows and groups that did not run stay.
 */
export function withRows(page: string, rows: readonly FaultRow[]): string {
  let text = page;
  for (const group of new Set(rows.map((row) => row.group))) {
    const [begin, end] = [`<!-- ${group} -->`, `<!-- end of ${group} -->`];
    const from = text.indexOf(begin);
    const to = text.indexOf(end);
    if (from < 0 || to < 0) throw new Error(`the page has no place for ${group}`);
    const old = text.slice(from + begin.length, to).trim();
    const lines = new Map(
      old
        .split('\n')
        .slice(HEAD.length)
        .map((line) => [cellsOf(line)[0], line]),
    );
    for (const row of rows.filter((each) => each.group === group)) {
      const line = lineOf(row);
      const [fault] = cellsOf(line);
      const times = Number(cellsOf(lines.get(fault) ?? '')[1] ?? 0);
      if (row.times >= times || (row.violations ?? []).length > 0) lines.set(fault, line);
    }
    text = `${text.slice(0, from + begin.length)}\n${[...HEAD, ...lines.values()].join('\n')}\n${text.slice(to)}`;
  }
  return text;
}

function cellsOf(line: string): (string | undefined)[] {
  return line
    .split(/(?<!\\)\|/)
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function lineOf({ fault, times, device, person, recovery, violations }: FaultRow): string {
  const kept = violations === undefined ? 'not read back' : violations.length === 0 ? 'hold' : violations.join('; ');
  return `| ${[fault, times, device, person, recovery, kept].map((cell) => String(cell).replaceAll('|', '\\|')).join(' | ')} |`;
}

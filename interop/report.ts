import { readFile, writeFile } from 'node:fs/promises';
import type { Peer } from './peer.ts';

export interface ScenarioReport {
  name: string;
  /** What went wrong; `undefined` when nothing did. */
  problem: string | undefined;
  /** Where there is none. */
  cell: string;
}

export interface PeerReport {
  peer: Peer;
  version: string;
  scenarios: ScenarioReport[];
  notObtained: string | undefined;
  failed: string | undefined;
}

const KINDS = { upstream: 'Upstreams', client: 'Clients', consumer: 'Consumers', tool: 'Ways to run it' } as const;
const FILE = new URL('../docs/interop.md', import.meta.url);

export function printReport(reports: readonly PeerReport[]): void {
  for (const kind of Object.keys(KINDS) as Peer['kind'][]) {
    const table = tableOf(reports.filter(({ peer }) => peer.kind === kind).map(rowOf));
    if (table !== '') process.stdout.write(`\n${KINDS[kind]}\n${table}`);
  }
}

/** Puts the rows of this run in place of the same peers' earlier ones; all others stay as they were run. */
export async function recordReport(reports: readonly PeerReport[]): Promise<void> {
  let text = await readFile(FILE, 'utf8');
  for (const kind of Object.keys(KINDS) as Peer['kind'][]) {
    const [begin, end] = [`<!-- ${kind} -->\n`, `<!-- /${kind} -->`];
    const from = text.indexOf(begin) + begin.length;
    const to = text.indexOf(end);
    if (to < from) throw new Error(`docs/interop.md has no place for ${kind}`);
    const rows = rowsIn(text.slice(from, to));
    for (const report of reports.filter(({ peer, version }) => peer.kind === kind && version !== '')) {
      const row = rowOf(report);
      const at = rows.findIndex(({ peer }) => peer === row.peer);
      if (at < 0) rows.push(row);
      else rows[at] = row;
    }
    text = `${text.slice(0, from)}${tableOf(rows)}${text.slice(to)}`;
  }
  await writeFile(FILE, text);
}

interface Row {
  peer: string;
  version: string;
  date: string;
  cells: Record<string, string>;
}

function rowOf({ peer, version, scenarios, notObtained, failed }: PeerReport): Row {
  const cells = Object.fromEntries(
    scenarios.map(({ name, problem, cell }) => [name, problem === undefined ? cell : 'NO']),
  );
  const state = notObtained === undefined ? (failed === undefined ? version : 'did not start') : 'not obtained';
  return { peer: `${peer.name} (${peer.from})`, version: state, date: new Date().toISOString().slice(0, 10), cells };
}

function tableOf(rows: readonly Row[]): string {
  if (rows.length === 0) return '';
  const columns = [...new Set(rows.flatMap(({ cells }) => Object.keys(cells)))];
  const line = (values: readonly string[]) => `| ${values.join(' | ')} |\n`;
  return [
    line(['peer', 'version', ...columns, 'run']),
    line(['peer', 'version', ...columns, 'run'].map(() => '---')),
    ...rows.map(({ peer, version, cells, date }) =>
      line([peer, version, ...columns.map((column) => cells[column] ?? '–'), date]),
    ),
  ].join('');
}

function rowsIn(table: string): Row[] {
  const [head = [], , ...lines] = table
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  return lines.map((values) => {
    const named = Object.fromEntries(head.map((name, at) => [name, values[at] ?? '']));
    const { peer = '', version = '', run = '', ...cells } = named;
    return {
      peer,
      version,
      date: run,
      cells: Object.fromEntries(Object.entries(cells).filter(([, cell]) => cell !== '–')),
    };
  });
}

import { readFile, writeFile } from 'node:fs/promises';

/** What `gatehouse conformance --json` said of one server. */
export interface FieldResult {
  peer: string;
  version: string;
  at: string;
  checks: { id: string; title: string; requirement: string; level: string; verdict: string; detail: string }[];
}

const RESULTS = new URL('field-results.json', import.meta.url);
const PAGE = new URL('../docs/conformance-of-the-field.md', import.meta.url);

/** Puts what was found now in place of the same servers' earlier results, and writes the page's tables. */
export async function recordField(found: readonly FieldResult[]): Promise<void> {
  if (found.length === 0) return;
  const kept = JSON.parse(await readFile(RESULTS, 'utf8').catch(() => '[]')) as FieldResult[];
  const all = kept.filter(({ peer }) => !found.some((result) => result.peer === peer)).concat(found);
  all.sort((a, b) => Number(b.peer === 'Gatehouse') - Number(a.peer === 'Gatehouse') || a.peer.localeCompare(b.peer));
  await writeFile(RESULTS, `${JSON.stringify(all, null, 2)}\n`);
  const text = await readFile(PAGE, 'utf8');
  await writeFile(PAGE, between(between(text, 'table', tableOf(all)), 'details', detailsOf(all)));
}

function between(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- /${name} -->`];
  const from = text.indexOf(begin) + begin.length;
  const to = text.indexOf(end);
  if (to < from) throw new Error(`docs/conformance-of-the-field.md has no place for ${name}`);
  return text.slice(0, from) + content + text.slice(to);
}

const MARKS: Readonly<Record<string, string>> = { holds: 'yes', 'cannot be seen': '–' };

function tableOf(all: readonly FieldResult[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  const heads = ['check', 'level', ...all.map(({ peer, version }) => `${peer} ${version}`)];
  const rows = (all[0]?.checks ?? []).map(({ id, level }) => {
    const cells = all.map(({ checks }) => {
      const verdict = checks.find((one) => one.id === id)?.verdict ?? 'cannot be seen';
      return MARKS[verdict] ?? '**no**';
    });
    return line([`\`${id}\``, level, ...cells]);
  });
  const days = all.map(({ at }) => at.slice(0, 10));
  return [line(heads), line(heads.map(() => '---')), ...rows, line(['run on', '', ...days])].join('');
}

/** Each no, with what was seen and where it is written. */
function detailsOf(all: readonly FieldResult[]): string {
  return all
    .map(({ peer, version, checks }) => {
      const failed = checks.filter(({ verdict }) => verdict === 'fails');
      const lines = failed.map(({ id, level, title, detail, requirement }) => {
        return `- \`${id}\` (${level}; ${requirement}): ${title}. Seen: ${detail.replaceAll('|', '/')}.\n`;
      });
      return `### ${peer} ${version}\n\n${failed.length === 0 ? 'Nothing fails.\n' : lines.join('')}`;
    })
    .join('\n');
}

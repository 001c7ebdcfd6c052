import type { CommandTable } from './command-table.ts';
import { allOptions, exitCodes, optionLabel } from './help-text.ts';

/** Every command in Markdown. */
export function referencePage(tables: ReadonlyMap<string, CommandTable>): string {
  return [...tables].map(([name, table]) => section(name, table)).join('\n');
}

function section(name: string, table: CommandTable): string {
  const usage = table.usage.map((form) => `gatehouse ${name} ${form}`.trimEnd());
  const options = allOptions(table).map(([option, row]) => {
    const words = row.of === undefined ? row.about : `${row.of.join(', ')}: ${row.about}`;
    return line([`\`${optionLabel(option, row)}\``, words]);
  });
  const verbs = Object.entries(table.verbs ?? {}).map(([verb, { about }]) => `- \`${verb}\`: ${about}`);
  const blocks = [
    `## ${name}`,
    ['```text', ...usage, '```'].join('\n'),
    ...paragraphs(table.about),
    ...(verbs.length === 0 ? [] : [verbs.join('\n')]),
    [line(['option', 'what it does']), '| --- | --- |', ...options].join('\n'),
    ...paragraphs(table.notes ?? []),
    `Exit: ${exitCodes(table)
      .map(([code, meaning]) => `${code} ${meaning}`)
      .join('; ')}.`,
  ];
  return `${blocks.join('\n\n')}\n`;
}

/** Lines that were laid out by hand stand in one block. */
function paragraphs(texts: readonly string[]): string[] {
  const blocks: string[] = [];
  let laidOut: string[] = [];
  const flush = () => {
    if (laidOut.length > 0) blocks.push(['```text', ...laidOut, '```'].join('\n'));
    laidOut = [];
  };
  for (const text of texts) {
    if (text.startsWith(' ')) laidOut.push(text.trim());
    else {
      flush();
      blocks.push(text.replaceAll(/[<>]/g, '\\$&'));
    }
  }
  flush();
  return blocks;
}

function line(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

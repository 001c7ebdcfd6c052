import { wrapText } from '../terminal/wrap-text.ts';
import { type CommandTable, HELP_ROW, type OptionRow } from './command-table.ts';

const COLUMNS = 80;
/** Names that are longer have their explanation on the next line. */
const WIDEST = 28;

/** What `--help` prints. */
export function helpText(name: string, table: CommandTable): string {
  const usage = table.usage.map((form, index) =>
    `${index === 0 ? 'Usage:' : '      '} gatehouse ${name} ${form}`.trimEnd(),
  );
  const verbs = Object.entries(table.verbs ?? {}).map(([verb, { about }]): [string, string] => [verb, about]);
  const blocks = [
    usage,
    table.about.flatMap(paragraph),
    ...(verbs.length === 0 ? [] : [rows(verbs)]),
    rows(allOptions(table).map(([option, row]) => [optionLabel(option, row), optionWords(row)])),
    ...(table.notes === undefined ? [] : [table.notes.flatMap(paragraph)]),
    paragraph(exitWords(table)),
  ];
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

/** What `gatehouse --help` prints. */
export function overviewText(tables: ReadonlyMap<string, CommandTable>): string {
  const list = rows([...tables].map(([name, { summary }]) => [name, summary] as const));
  return [
    'Usage: gatehouse COMMAND [OPTIONS]',
    '',
    ...list,
    '',
    'To begin: gatehouse init. More about one of them: gatehouse help COMMAND.',
    '',
  ].join('\n');
}

/** Those of a table, and `--help`. */
export function allOptions(table: CommandTable): [string, OptionRow & { short?: string }][] {
  return [...Object.entries(table.options), ['help', HELP_ROW]];
}

/** `--config FILE`, `-h, --help`. */
export function optionLabel(name: string, { value, short }: OptionRow & { short?: string }): string {
  return `${short === undefined ? '' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`;
}

function optionWords({ about, of }: OptionRow): string {
  return of === undefined ? about : `${of.join(', ')}: ${about}`;
}

/** Also what every command has: 64 where the arguments cannot be meant. */
export function exitCodes(table: CommandTable): [code: number, meaning: string][] {
  const usage: [number, string] = [64, 'wrong options'];
  return [...table.exits.map(([code, meaning]): [number, string] => [code, meaning]), usage].sort(([a], [b]) => a - b);
}

function exitWords(table: CommandTable): string {
  return `Exit: ${exitCodes(table)
    .map(([code, meaning]) => `${code} ${meaning}`)
    .join('; ')}.`;
}

/** What is indented was laid out by hand. */
function paragraph(text: string): string[] {
  return text.startsWith(' ') ? [text] : wrapText(text, COLUMNS);
}

/** Two columns. */
export function rows(pairs: readonly (readonly [string, string])[]): string[] {
  const width = Math.min(WIDEST, Math.max(...pairs.map(([label]) => label.length)));
  const indent = ' '.repeat(width + 4);
  return pairs.flatMap(([label, about]) => {
    const [first = '', ...rest] = wrapText(about, COLUMNS - width - 4);
    const others = rest.map((line) => indent + line);
    if (label.length > width) return [`  ${label}`, indent + first, ...others];
    return [`  ${label.padEnd(width)}  ${first}`, ...others];
  });
}

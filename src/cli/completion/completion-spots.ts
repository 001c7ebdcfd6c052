import type { CommandTable, OptionRow } from '../tables/command-table.ts';
import { allOptions } from '../tables/help-text.ts';

/** A word that may be typed, and what it does. */
export interface Word {
  text: string;
  about: string;
}

/** A place on the line: behind a command, and behind its verb where it has some. */
export interface Spot {
  command: string;
  verb: string | undefined;
  words: Word[];
  options: (Word & { takes: Taken })[];
  takesFiles: boolean;
}

/** What stands behind an option. */
export type Taken = 'nothing' | 'anything' | 'file' | readonly string[];

/** Every place behind a command, out of the tables. */
export function completionSpots(tables: ReadonlyMap<string, CommandTable>): Spot[] {
  const commands = [...tables].map(([text, { summary }]): Word => ({ text, about: summary }));
  return [...tables].flatMap(([command, table]) => {
    const { verbs, operand } = table;
    const operands = (command === 'help' ? commands : operand?.choices?.map((text) => ({ text, about: '' }))) ?? [];
    const takesFiles = operand?.isFile === true;
    if (verbs === undefined) {
      return [{ command, verb: undefined, words: operands, options: optionsAt(table), takesFiles }];
    }
    const verbWords = Object.entries(verbs).map(([text, { about }]): Word => ({ text, about }));
    return [
      { command, verb: undefined, words: verbWords, options: optionsAt(table, ''), takesFiles: false },
      ...Object.entries(verbs).map(([verb, { next = [] }]): Spot => {
        const words = next.map((text) => ({ text, about: '' }));
        return { command, verb, words, options: optionsAt(table, verb), takesFiles };
      }),
    ];
  });
}

function optionsAt(table: CommandTable, verb?: string): Spot['options'] {
  const fits = ({ of }: OptionRow) => of === undefined || verb === undefined || of.includes(verb);
  return allOptions(table)
    .filter(([, row]) => fits(row))
    .map(([name, row]) => ({ text: `--${name}`, about: row.about, takes: takenBy(row) }));
}

function takenBy({ value, choices }: OptionRow): Taken {
  if (value === undefined) return 'nothing';
  return choices ?? (value === 'FILE' ? 'file' : 'anything');
}

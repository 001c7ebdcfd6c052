/**
 * What each command takes, as data, one file a command. Its arguments are read by its table, and the texts of `--help`, of
 * completion, of the man page and of docs/commands.md come from it.
 */

export interface CommandTable {
  /** In the list of commands: what it does, in a few words. */
  summary: string;
  /** What stands behind its name, one line for each form. */
  usage: readonly string[];
  /** Paragraphs. */
  about: readonly string[];
  /** The first word, where the command has several. */
  verbs?: Readonly<Record<string, VerbRow>>;
  /** Words that are neither option nor verb. */
  operand?: OperandRow;
  options: Readonly<Record<string, OptionRow>>;
  /** Paragraphs that the options make understandable. */
  notes?: readonly string[];
  exits: readonly (readonly [code: number, meaning: string])[];
}

export interface VerbRow {
  about: string;
  /** The words that may follow. */
  next?: readonly string[];
}

export interface OperandRow {
  name: string;
  choices?: readonly string[];
  isFile?: true;
  /** Base64url, which may begin with a dash. */
  isId?: true;
}

export interface OptionRow {
  /** What its value is; a switch has none. `FILE` is completed with names of files. */
  value?: string;
  about: string;
  /** The only values that there are. */
  choices?: readonly string[];
  isRepeated?: true;
  /** The verbs that take it; without, all of them. */
  of?: readonly string[];
}

/** What every command has besides its own. */
export const HELP_ROW: OptionRow & { short: string } = { short: 'h', about: 'this text' };

type ValueOf<Row extends OptionRow> = Row extends { value: string }
  ? Row extends { isRepeated: true }
    ? string[]
    : string
  : boolean;

/** What was said of the options of a table. */
export type ValuesOf<Table extends CommandTable> = {
  [Name in keyof Table['options']]?: ValueOf<Table['options'][Name]> | undefined;
};

export type VerbOf<Table extends CommandTable> = Table extends { verbs: infer Verbs }
  ? keyof Verbs & string
  : undefined;

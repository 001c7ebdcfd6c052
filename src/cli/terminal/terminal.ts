import { wantsNoColour } from '../../config/environment.ts';
import { wrapText } from './wrap-text.ts';

/**
 * What a person at a terminal sees: text, large letters, a QR code, a status line. It all goes to one stream, standard
 * error, so that standard output stays for programs. Nothing here knows the protocol, and nothing here waits.
 */
export interface Terminal {
  /** Whether pictures and motion make sense here: a real terminal, and nobody asked for plain text. */
  readonly isRich: boolean;
  /** Whether colours may be used; shapes need none. */
  readonly hasColour: boolean;
  /** The width at this moment; a person may change it. */
  columns(): number;
  rows(): number;
  write(text: string): void;
  /** Wrapped at words where a person reads it; a program gets each line whole. */
  line(text?: string): void;
}

export interface TerminalStream {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
  rows?: number | undefined;
}

export interface TerminalOptions {
  stream: TerminalStream;
  environment: Readonly<Record<string, string | undefined>>;
  plain: boolean;
  platform?: NodeJS.Platform;
}

const usualColumns = 80;
const usualRows = 24;

export function openTerminal({ stream, environment, plain, platform = process.platform }: TerminalOptions): Terminal {
  const isRich = stream.isTTY === true && !plain && environment['TERM'] !== 'dumb' && hasUnicode(environment, platform);
  const columns = () => stream.columns || usualColumns;
  return {
    isRich,
    hasColour: isRich && !wantsNoColour(environment),
    columns,
    rows: () => stream.rows || usualRows,
    write: (text) => void stream.write(text),
    line(text = '') {
      // A line with escapes was laid out by whoever made it.
      const isWhole = stream.isTTY !== true || text.includes('\u001b');
      for (const line of isWhole ? [text] : wrapText(text, columns())) stream.write(`${line}\n`);
    },
  };
}

/** Half blocks and Braille, of which pictures and motion are made: the old windows of cmd and of Linux' console lack them. */
export function hasUnicode(environment: TerminalOptions['environment'], platform: NodeJS.Platform): boolean {
  if (platform === 'win32') {
    const { WT_SESSION: windowsTerminal, ConEmuTask: conEmu, TERM_PROGRAM: program, TERM: kind } = environment;
    return (
      [windowsTerminal, conEmu].some((set) => set !== undefined) || program === 'vscode' || kind === 'xterm-256color'
    );
  }
  const locale = environment['LC_ALL'] || environment['LC_CTYPE'] || environment['LANG'] || '';
  return environment['TERM'] !== 'linux' && (locale === '' || /utf-?8/i.test(locale));
}

import { wantsNoColour } from '../../config/environment.ts';

/**
 * What a person at a terminal sees: text, large letters, a QR code, a status line. It all goes to one stream, standard
 * error, so that standard output stays for programs. Nothing here knows the protocol, and nothing here waits.
 */
export interface Terminal {
  /** Whether pictures and motion make sense here: a real terminal, and nobody asked for plain text. */
  readonly isRich: boolean;
  /** The width at this moment; a person may change it. */
  columns(): number;
  write(text: string): void;
  line(text?: string): void;
}

export interface TerminalStream {
  write(text: string): unknown;
  isTTY?: boolean | undefined;
  columns?: number | undefined;
}

export interface TerminalOptions {
  stream: TerminalStream;
  environment: Readonly<Record<string, string | undefined>>;
  plain: boolean;
}

const usualColumns = 80;

export function openTerminal({ stream, environment, plain }: TerminalOptions): Terminal {
  const unwanted = plain || wantsNoColour(environment) || environment['TERM'] === 'dumb';
  return {
    isRich: stream.isTTY === true && !unwanted,
    columns: () => stream.columns || usualColumns,
    write: (text) => void stream.write(text),
    line: (text = '') => void stream.write(`${text}\n`),
  };
}

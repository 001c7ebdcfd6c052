import { isLoopback } from '../../network/loopback.ts';
import { largeLetters } from './large-letters.ts';
import { printable } from './printable.ts';
import { type QrPicture, qrCode } from './qr-code.ts';
import type { Terminal } from './terminal.ts';
import { wrapText } from './wrap-text.ts';

export interface SignInCard {
  userCode: string;
  verificationUri: string;
  /** The address with the code filled in; it is shown as a QR code only, so that nobody pastes it into a chat. */
  verificationUriComplete?: string | undefined;
  wantsQr: boolean;
}

const caution =
  'Only type this code if you started this sign-in yourself, here, just now. ' +
  'If somebody sent it to you, stop: it would let them act as you.';

const gap = '   ';
// What the text beside a QR code needs: four large letters and a short address.
const narrowestText = 36;
const widestText = 100;

const bold = (text: string): string => `\u001b[1m${text}\u001b[22m`;

/**
 * Prints where to go and what to type there; as pictures where the terminal is rich and there is room for them. What scrolls
 * away cannot be read, so a small window has no QR code, and a smaller one no large letters either.
 */
export function showSignInCard(terminal: Terminal, card: SignInCard): void {
  const qr = qrFor(terminal, card);
  const room = terminal.rows() - rowsBelow(terminal.columns());
  const layouts = [
    ...(qr === undefined ? [] : [layOut(terminal, card, { qr, isLarge: true })]),
    layOut(terminal, card, { isLarge: true }),
    layOut(terminal, card, { isLarge: false }),
  ];
  const lines = layouts.find((layout) => layout !== undefined && layout.length <= room) ?? layouts.at(-1) ?? [];
  const hint = qr === undefined || lines === layouts[0] ? [] : ['', ...wordsOnRoom(terminal, qr, layouts[0])];
  for (const line of [...lines, ...(lines.length + hint.length <= room ? hint : [])]) terminal.line(line);
}

/** The line on digits, the one that waits, and where the cursor stands; two rows for each line of a narrow window. */
function rowsBelow(columns: number): number {
  return columns < 72 ? 5 : 3;
}

function wordsOnRoom(terminal: Terminal, qr: QrPicture, withQr: readonly string[] | undefined): string[] {
  const columns = terminal.columns();
  const needed = withQr === undefined ? `${qr.columns} columns` : `${withQr.length + rowsBelow(columns)} rows`;
  return wrapText(`(A window of ${needed} has room for a QR code.)`, columns);
}

/** None for an address of this machine: a phone would look for the server on itself. */
function qrFor(terminal: Terminal, card: SignInCard): QrPicture | undefined {
  const address = card.verificationUriComplete;
  if (!terminal.isRich || !card.wantsQr || address === undefined || isHere(address)) return undefined;
  return qrCode(address, terminal.hasColour);
}

/** `undefined` where the window is too narrow for the QR code. */
function layOut(
  terminal: Terminal,
  card: SignInCard,
  { qr, isLarge }: { qr?: QrPicture; isLarge: boolean },
): string[] | undefined {
  const columns = terminal.columns();
  if (qr !== undefined && qr.columns > columns) return undefined;
  const code = printable(card.userCode);
  const last = [terminal.isRich ? bold(code) : code, '', ...wrapText(caution, Math.min(columns, widestText))];
  if (qr === undefined) return [...directions(terminal, card, columns, isLarge), '', ...last];
  const columnsBeside = columns - qr.columns - gap.length;
  if (columnsBeside >= Math.max(narrowestText, printable(card.verificationUri).length)) {
    return [...sideBySide(qr, directions(terminal, card, columnsBeside, isLarge)), ...last];
  }
  return [...qr.lines, ...directions(terminal, card, columns, isLarge), '', ...last];
}

function directions(terminal: Terminal, card: SignInCard, columns: number, isLarge: boolean): string[] {
  const large = terminal.isRich && isLarge ? largeLetters(printable(card.userCode), columns) : undefined;
  const address = printable(card.verificationUri);
  return [
    ...wrapText(`Open this page ${isHere(card.verificationUri) ? 'in a browser here' : 'on any device'}:`, columns),
    terminal.isRich ? bold(address) : address,
    '',
    ...wrapText('and type this code there:', columns),
    ...(large === undefined ? [] : ['', ...large]),
  ];
}

function isHere(address: string): boolean {
  return URL.canParse(address) && isLoopback(new URL(address).hostname);
}

function sideBySide(picture: QrPicture, text: readonly string[]): string[] {
  const height = Math.max(picture.lines.length, text.length);
  const above = Math.max(0, Math.floor((picture.lines.length - text.length) / 2));
  return Array.from({ length: height }, (_, y) => {
    const left = picture.lines[y] ?? ' '.repeat(picture.columns);
    const right = text[y - above] ?? '';
    return right === '' ? left : left + gap + right;
  });
}

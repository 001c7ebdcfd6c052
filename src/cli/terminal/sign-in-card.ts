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

/** Prints where to go and what to type there; as pictures where the terminal is rich and wide enough. */
export function showSignInCard(terminal: Terminal, card: SignInCard): void {
  const columns = terminal.columns();
  const code = printable(card.userCode);
  const qr = qrFor(terminal, card);
  const picture = qr !== undefined && qr.columns <= columns ? qr : undefined;
  const columnsBeside = columns - (picture?.columns ?? 0) - gap.length;
  const lines = [...layOut(terminal, card, picture, columnsBeside), '', terminal.isRich ? bold(code) : code, ''];
  lines.push(...wrapText(caution, Math.min(columns, widestText)), '');
  if (qr !== picture) {
    lines.push(...wrapText(`(A window of ${qr?.columns} columns has room for a QR code.)`, columns), '');
  }
  for (const line of lines) terminal.line(line);
}

function qrFor(terminal: Terminal, card: SignInCard): QrPicture | undefined {
  if (!terminal.isRich || !card.wantsQr || card.verificationUriComplete === undefined) return undefined;
  return qrCode(card.verificationUriComplete);
}

function layOut(terminal: Terminal, card: SignInCard, picture: QrPicture | undefined, columnsBeside: number): string[] {
  if (picture !== undefined && columnsBeside >= Math.max(narrowestText, card.verificationUri.length)) {
    return sideBySide(picture, directions(terminal, card, columnsBeside));
  }
  const text = directions(terminal, card, terminal.columns());
  return picture === undefined ? text : [...picture.lines, '', ...text];
}

function directions(terminal: Terminal, card: SignInCard, columns: number): string[] {
  const large = terminal.isRich ? largeLetters(printable(card.userCode), columns) : undefined;
  const address = printable(card.verificationUri);
  return [
    `Open this page ${where(card.verificationUri)}:`,
    '',
    terminal.isRich ? bold(address) : address,
    '',
    'and type this code there:',
    ...(large === undefined ? [] : ['', ...large]),
  ];
}

/** A phone that scans the code of a loopback address would look for the server on itself. */
function where(address: string): string {
  const isHere = URL.canParse(address) && isLoopback(new URL(address).hostname);
  return isHere ? 'in a browser here' : 'on any device';
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

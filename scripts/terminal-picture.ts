/**
 * What a terminal shows during `gatehouse login`, as SVG: made by the command's own code, for the README, beside the confirm page
 * of the same sign-in. `npm run screens` writes it, and a test compares it with what the code makes of it today.
 */
import { waitingInWords } from '../src/cli/login/messages.ts';
import { showSignInCard } from '../src/cli/terminal/sign-in-card.ts';
import { openTerminal } from '../src/cli/terminal/terminal.ts';

const COLUMNS = 78;
const ROWS = 40;
const CELL = { width: 8.4, height: 17 };
const MARGIN = 18;
const BAR_HEIGHT = 30;
const BOLD = '\u001b[1m';
const NOT_BOLD = '\u001b[22m';
const PUBLIC_URL = 'https://login.example.com';
/** By the clock of the machine, as the command says it. */
const EXPIRES_AT_MS = new Date(2026, 10, 30, 14, 40).getTime();

export function terminalPicture(userCode: string): string {
  const lines = linesOf(userCode);
  const width = Math.ceil(COLUMNS * CELL.width + 2 * MARGIN);
  const height = lines.length * CELL.height + 2 * MARGIN + BAR_HEIGHT;
  const buttons = ['#ff5f57', '#febc2e', '#28c840'].map(
    (colour, index) => `<circle cx="${22 + 20 * index}" cy="16" r="6" fill="${colour}"/>`,
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>gatehouse login shows where to go, and the code ${escaped(userCode)}</title>`,
    `<rect width="${width}" height="${height}" rx="10" fill="#16181d"/>`,
    ...buttons,
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="14" fill="#e6e8ec" xml:space="preserve">',
    ...lines.flatMap((line, row) => drawn(line, MARGIN + BAR_HEIGHT + row * CELL.height)),
    '</g>',
    '</svg>',
  ].join('\n')}\n`;
}

function linesOf(userCode: string): string[] {
  let screen = '';
  const stream = { isTTY: true, columns: COLUMNS, rows: ROWS, write: (text: string) => (screen += text) };
  // Without colours the QR code is drawn light on dark, which is what this picture is.
  const terminal = openTerminal({ stream, environment: { NO_COLOR: '1' }, plain: false });
  terminal.line(`$ gatehouse login --issuer ${PUBLIC_URL} --client-id build-cli`);
  terminal.line();
  showSignInCard(terminal, {
    userCode,
    verificationUri: `${PUBLIC_URL}/device`,
    verificationUriComplete: `${PUBLIC_URL}/device?user_code=${userCode}`,
    wantsQr: true,
  });
  terminal.line();
  terminal.line(`⠹ ${waitingInWords({ for: 'person' }, EXPIRES_AT_MS)}`);
  return screen.trimEnd().split('\n');
}

/** Text as text; half blocks as one path, so that no font leaves gaps between them. */
function drawn(line: string, top: number): string[] {
  const isBold = line.includes(BOLD);
  const cells = Array.from(line.replaceAll(BOLD, '').replaceAll(NOT_BOLD, ''));
  const boxes = cells.flatMap((cell, column) => boxOf(cell, column, top));
  const text = cells.map((cell) => ('█▀▄'.includes(cell) ? ' ' : cell)).join('');
  const lead = text.length - text.trimStart().length;
  const words = text.trim();
  return [
    ...(boxes.length === 0 ? [] : [`<path d="${boxes.join('')}"/>`]),
    ...(words === ''
      ? []
      : [
          `<text x="${at(lead)}" y="${round(top + CELL.height * 0.75)}" textLength="${round(words.length * CELL.width)}"${isBold ? ' font-weight="bold"' : ''}>${escaped(words)}</text>`,
        ]),
  ];
}

function boxOf(cell: string, column: number, top: number): string[] {
  const half = CELL.height / 2;
  const [from, height] = cell === '█' ? [0, CELL.height] : cell === '▀' ? [0, half] : [half, half];
  return '█▀▄'.includes(cell) ? [`M${at(column)} ${round(top + from)}h${CELL.width}v${height}h-${CELL.width}z`] : [];
}

function at(column: number): number {
  return round(MARGIN + column * CELL.width);
}

function round(number: number): number {
  return Math.round(number * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type SignInCard, showSignInCard } from '../../../../src/cli/terminal/sign-in-card.ts';
import { openTerminal } from '../../../../src/cli/terminal/terminal.ts';
import { recordedStream } from '../../../support/recorded-stream.ts';

const card: SignInCard = {
  userCode: 'WDJB-MJHT',
  verificationUri: 'https://login.example.com/device',
  verificationUriComplete: 'https://login.example.com/device?user_code=WDJB-MJHT',
  wantsQr: true,
};
const largeW = '█ ▄ █ █   █';
const qrCorner = '█▀▀▀▀▀█';

function shown(
  change: Partial<SignInCard>,
  screen: { isTTY?: boolean; columns?: number; rows?: number; plain?: boolean; environment?: Record<string, string> },
): string {
  const { isTTY = true, columns = 80, rows = 24, plain = false, environment = {} } = screen;
  const stream = recordedStream({ isTTY, columns, rows });
  showSignInCard(openTerminal({ stream, environment, plain }), { ...card, ...change });
  return stream.text;
}

describe('the sign-in card', () => {
  it.each([
    ['rich', {}],
    ['narrow', { columns: 24 }],
    ['plain', { plain: true }],
  ])('has the code once as plain text on a line of its own (%s)', (_, screen) => {
    const lines = stripVTControlCharacters(shown({}, screen)).split('\n');
    expect(lines.filter((line) => line.includes('WDJB-MJHT'))).toEqual(['WDJB-MJHT']);
  });

  it('shows the code in large letters, the QR code, the address and the warning', () => {
    const text = shown({}, {});
    expect(text).toContain(largeW);
    expect(text).toContain(qrCorner);
    expect(text).toContain(card.verificationUri);
    expect(text).toContain('Only type this code if you started this sign-in yourself');
  });

  const long = { verificationUri: 'https://sign-in.some-subsidiary.example.com/gatehouse/device' };
  const veryLong = { ...long, verificationUriComplete: `${long.verificationUri}?user_code=WDJB-MJHT` };
  it.each([
    ['80×24 with the QR code', {}, 80, 24, { hasQr: true, isLarge: true }],
    ['80×24 without colours', {}, 80, 24, { hasQr: true, isLarge: true, environment: { NO_COLOR: '1' } }],
    ['80×24, a long address', veryLong, 80, 24, { hasQr: false, isLarge: true }],
    ['80×50, a long address', veryLong, 80, 50, { hasQr: true, isLarge: true }],
    ['60×20', {}, 60, 20, { hasQr: false, isLarge: true }],
    ['60×18', {}, 60, 18, { hasQr: false, isLarge: false }],
    ['40×24', {}, 40, 24, { hasQr: false, isLarge: false }],
    ['100×17', {}, 100, 17, { hasQr: false, isLarge: true }],
  ])('fits, with the lines below it: %s', (_, change, columns, rows, expected) => {
    const { hasQr, isLarge, environment = {} } = expected as typeof expected & { environment?: Record<string, string> };
    const stream = recordedStream({ isTTY: true, columns, rows });
    const terminal = openTerminal({ stream, environment, plain: false });
    showSignInCard(terminal, { ...card, ...change });
    terminal.line('When the browser shows 4 digits, type them here and press Enter.');
    terminal.line('Waiting for you to finish in the browser. The code is good until 14:49.');
    const lines = stripVTControlCharacters(stream.text).split('\n');
    expect(lines.length).toBeLessThanOrEqual(rows);
    const isAddress = (line: string) => line.startsWith('https://');
    expect(Math.max(...lines.filter((line) => !isAddress(line)).map((line) => line.length))).toBeLessThanOrEqual(
      columns,
    );
    const words = new Set(`${lines.join(' ')}`.split(/[\s█▀▄]+/));
    expect([...words]).toEqual(
      expect.arrayContaining(['device:', 'WDJB-MJHT', 'yourself,', 'somebody', 'press', 'Enter.']),
    );
    expect(stream.text.includes(qrCorner) || stream.text.includes('██ ▄▄▄▄▄ █')).toBe(hasQr);
    expect(stream.text.includes(largeW)).toBe(isLarge);
  });

  it('puts the QR code above the text where there is no room beside it', () => {
    const lines = stripVTControlCharacters(shown({}, { columns: 60, rows: 50 })).split('\n');
    expect(lines.findIndex((line) => line.includes(qrCorner))).toBeLessThan(
      lines.findIndex((line) => line.includes('Open this page')),
    );
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  it('sets black and white of its own for the QR code, so that themes do not turn it round', () => {
    const rows = shown({}, { columns: 60, rows: 50 })
      .split('\n')
      .filter((line) => line.includes(qrCorner));
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) expect(row.startsWith('\u001b[38;5;16;48;5;231m  ')).toBe(true);
    for (const row of rows) expect(row.endsWith('  \u001b[0m')).toBe(true);
  });

  it.each(['http://127.0.0.1:8080/device', 'http://localhost:8080/device', 'http://[::1]:8080/device'])(
    'has no QR code, and no word of one, for %s, which no phone can open',
    (verificationUri) => {
      const change = { verificationUri, verificationUriComplete: `${verificationUri}?user_code=WDJB-MJHT` };
      const text = shown(change, { rows: 50 });
      expect(text).not.toMatch(/QR|█▀▀▀▀▀█/);
      expect(text).toContain(largeW);
    },
  );

  it('keeps its shapes without colours: the light points are drawn, for a dark screen', () => {
    const text = shown({}, { environment: { NO_COLOR: '1' } });
    expect(text).not.toContain(';48;');
    expect(text).toContain(largeW);
    const coloured = stripVTControlCharacters(shown({}, {})).split('\n');
    const turned = { '█': ' ', ' ': '█', '▀': '▄', '▄': '▀' } as Record<string, string>;
    const [first = ''] = coloured.filter((line) => line.includes(qrCorner));
    const picture = Array.from(first.slice(0, 33), (point) => turned[point] ?? point).join('');
    expect(stripVTControlCharacters(text)).toContain(picture);
  });

  it('says how high the window must be where it is too low for the QR code', () => {
    const text = stripVTControlCharacters(shown({}, { rows: 20 }));
    expect(text).toContain('(A window of 24 rows has room for a QR code.)');
    expect(stripVTControlCharacters(shown({}, { rows: 24 }))).not.toContain('A window');
  });

  it('leaves the QR code out where the window is narrower, and says how wide it must be', () => {
    const text = stripVTControlCharacters(shown({}, { columns: 30, rows: 50 }));
    expect(text).not.toContain(qrCorner);
    expect(text.replaceAll('\n', ' ')).toContain('A window of 33 columns has room for a QR code.');
  });

  it.each([
    ['--no-qr', { wantsQr: false }],
    ['a server without verification_uri_complete', { verificationUriComplete: undefined }],
  ])('has no QR code and no word of one with %s', (_, change) => {
    const text = shown(change, {});
    expect(text).not.toContain(qrCorner);
    expect(text).not.toContain('QR');
    expect(text).toContain(largeW);
  });

  it.each([
    ['--plain', { plain: true }],
    ['TERM=dumb', { environment: { TERM: 'dumb' } }],
    ['a pipe in place of a terminal', { isTTY: false }],
  ])('is plain text, without pictures and colours, with %s', (_, screen) => {
    const text = shown({}, screen);
    expect(text).not.toMatch(/[▀▄█]/);
    expect(text).toBe(stripVTControlCharacters(text));
    expect(text).toContain('\nWDJB-MJHT\n');
    expect(text).toContain(`\n${card.verificationUri}\n`);
  });

  it('has colours with an empty NO_COLOR', () => {
    expect(shown({}, { environment: { NO_COLOR: '' } })).toBe(shown({}, {}));
  });

  it('sends nobody to another device for an address of this machine', () => {
    expect(shown({ verificationUri: 'http://127.0.0.1:8080/device' }, {})).toContain(
      'Open this page in a browser here:',
    );
    expect(shown({}, {})).toContain('Open this page on any device:');
  });

  it('prints no control characters of a server', () => {
    const change = { userCode: 'WD\u001b[2JJB', verificationUri: 'https://\u001b]8;;evil\u0007example.com' };
    expect(shown(change, { plain: true })).not.toMatch(/[^\P{Cc}\n]/u);
  });

  it('does without the QR code where the address is longer than one holds', () => {
    const change = { verificationUriComplete: `https://example.com/${'x'.repeat(5000)}` };
    expect(shown(change, { columns: 300 })).not.toContain('QR');
  });
});

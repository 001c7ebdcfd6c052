import { encode } from 'uqr';
import { halfBlocks } from './half-blocks.ts';

// Fixed black on fixed white of the 256-colour table, which themes leave alone: many cameras cannot read a code that is
// light on dark, which is what the terminal's own colours would give on a dark screen.
const blackOnWhite = '\u001b[38;5;16;48;5;231m';
const reset = '\u001b[0m';

// The standard wants a margin of four points; two are enough for every phone when the margin is white by itself.
const margin = 2;

export interface QrPicture {
  lines: string[];
  columns: number;
}

/**
 * A QR code in half blocks. Without colours of its own it draws the light points, since most terminals write light on dark;
 * there it looks as it must, and cameras read it where it does not.
 * `undefined` where the address is longer than any QR code holds.
 */
export function qrCode(address: string, hasColour: boolean): QrPicture | undefined {
  try {
    const { data, size } = encode(address, { ecc: 'L', border: margin });
    if (!hasColour) return { lines: halfBlocks(data.map((row) => row.map((isDark) => !isDark))), columns: size };
    return { lines: halfBlocks(data).map((line) => `${blackOnWhite}${line}${reset}`), columns: size };
  } catch {
    return undefined;
  }
}

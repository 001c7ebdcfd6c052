import { crc32, deflateSync, inflateSync } from 'node:zlib';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
const MAX_COLOURS = 256;
/** Grounds, lines and plain ink, which stay exactly as they are. */
const EXACT_COLOURS = 24;
const BYTES_PER_PIXEL = { 2: 3, 6: 4 } as const;

/**
 * A screenshot with at most 256 colours: a page of text has few, and without the finest steps of its smoothed edges the
 * file is a third. Takes what Chromium writes (8 bits, true colour, not interlaced) and nothing else.
 */
export function smallPng(png: Buffer): Buffer {
  const { width, height, pixels, stride } = decode(png);
  const colourAt = (at: number) =>
    ((pixels[at * stride] ?? 0) << 16) | ((pixels[at * stride + 1] ?? 0) << 8) | (pixels[at * stride + 2] ?? 0);
  const counts = new Map<number, number>();
  for (let at = 0; at < width * height; at += 1) counts.set(colourAt(at), (counts.get(colourAt(at)) ?? 0) + 1);
  const exact = [...counts].sort(([, one], [, other]) => other - one).slice(0, EXACT_COLOURS);

  for (let bits = 4; bits > 1; bits -= 1) {
    const indexes = new Map<number, number>(exact.map(([colour], index) => [colour, index]));
    const palette = [...indexes.keys()];
    for (const colour of counts.keys()) {
      if (indexes.has(colour)) continue;
      const near = coarse(colour, bits);
      const known = palette.indexOf(near);
      indexes.set(colour, known === -1 ? palette.push(near) - 1 : known);
    }
    if (palette.length > MAX_COLOURS) continue;
    const rows = Buffer.alloc((width + 1) * height);
    for (let at = 0; at < width * height; at += 1) {
      rows[at + 1 + Math.floor(at / width)] = indexes.get(colourAt(at)) ?? 0;
    }
    return encode(width, height, palette, rows);
  }
  return png;
}

/** The nearest of the colours that this many bits for each part can tell apart. */
function coarse(colour: number, bits: number): number {
  const most = 2 ** bits - 1;
  const near = (value: number) => Math.round((Math.round((value / 255) * most) / most) * 255);
  return (near(colour >> 16) << 16) | (near((colour >> 8) & 255) << 8) | near(colour & 255);
}

function decode(png: Buffer): { width: number; height: number; pixels: Buffer; stride: number } {
  const width = png.readUInt32BE(16);
  const height = png.readUInt32BE(20);
  const stride = BYTES_PER_PIXEL[png[25] as 2 | 6];
  if (png[24] !== 8 || stride === undefined || png[28] !== 0) throw new Error('not a PNG as Chromium writes it');
  const parts: Buffer[] = [];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT') parts.push(png.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return {
    width,
    height,
    stride,
    pixels: unfiltered(inflateSync(Buffer.concat(parts)), width * stride, height, stride),
  };
}

/** PNG §9: each row is stored as the difference from what its neighbours let one expect. */
function unfiltered(data: Buffer, rowLength: number, height: number, stride: number): Buffer {
  const out = Buffer.alloc(rowLength * height);
  for (let y = 0; y < height; y += 1) {
    const filter = data[y * (rowLength + 1)];
    for (let x = 0; x < rowLength; x += 1) {
      const at = y * rowLength + x;
      const left = x >= stride ? (out[at - stride] ?? 0) : 0;
      const above = y > 0 ? (out[at - rowLength] ?? 0) : 0;
      const corner = x >= stride && y > 0 ? (out[at - rowLength - stride] ?? 0) : 0;
      const expected = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter ?? 0] ?? 0;
      out[at] = ((data[y * (rowLength + 1) + 1 + x] ?? 0) + expected) & 255;
    }
  }
  return out;
}

function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [toLeft, toAbove, toCorner] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  if (toLeft <= toAbove && toLeft <= toCorner) return left;
  return toAbove <= toCorner ? above : corner;
}

function encode(width: number, height: number, colours: readonly number[], rows: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 3, 0, 0, 0], 8);
  const palette = Buffer.from(colours.flatMap((colour) => [colour >> 16, (colour >> 8) & 255, colour & 255]));
  const chunks = [chunk('IHDR', head), chunk('PLTE', palette), chunk('IDAT', deflateSync(rows, { level: 9 }))];
  return Buffer.concat([SIGNATURE, ...chunks, chunk('IEND', Buffer.alloc(0))]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const out = Buffer.alloc(body.length + 8);
  out.writeUInt32BE(data.length, 0);
  body.copy(out, 4);
  out.writeUInt32BE(crc32(body), body.length + 4);
  return out;
}

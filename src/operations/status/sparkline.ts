/** A row of numbers as the points of an SVG line, the last one at the right edge. */
export interface Sparkline {
  width: number;
  height: number;
  /** For `<polyline>`; the highest number reaches the top, 0 is the bottom. */
  points: string;
  highest: number;
  total: number;
}

const STEP = 10;
const HEIGHT = 80;
/** So that half of a line's width is not cut off. */
const MARGIN = 2;

export function sparkline(counts: readonly number[]): Sparkline {
  const highest = counts.reduce((most, count) => Math.max(most, count), 0);
  const scale = (HEIGHT - 2 * MARGIN) / Math.max(1, highest);
  const points = counts.map((count, index) => `${index * STEP},${round(HEIGHT - MARGIN - count * scale)}`).join(' ');
  const total = counts.reduce((sum, count) => sum + count, 0);
  return { width: Math.max(1, counts.length - 1) * STEP, height: HEIGHT, points, highest, total };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

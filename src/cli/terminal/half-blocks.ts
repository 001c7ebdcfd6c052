/** Draws a picture of dark and light points with half blocks: two rows of points in one row of characters. */
export function halfBlocks(rows: readonly (readonly boolean[])[]): string[] {
  const lines: string[] = [];
  for (let y = 0; y < rows.length; y += 2) {
    const upper = rows[y] ?? [];
    const lower = rows[y + 1] ?? [];
    const width = Math.max(upper.length, lower.length);
    lines.push(Array.from({ length: width }, (_, x) => block(upper[x] ?? false, lower[x] ?? false)).join(''));
  }
  return lines;
}

function block(upper: boolean, lower: boolean): string {
  if (upper) return lower ? '█' : '▀';
  return lower ? '▄' : ' ';
}

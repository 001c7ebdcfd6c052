import { halfBlocks } from './half-blocks.ts';

/** Each character as seven rows of points, from top to bottom. */
const shapes: Readonly<Record<string, string>> = {
  A: '.###. #...# #...# ##### #...# #...# #...#',
  B: '####. #...# #...# ####. #...# #...# ####.',
  C: '.#### #.... #.... #.... #.... #.... .####',
  D: '####. #...# #...# #...# #...# #...# ####.',
  E: '##### #.... #.... ####. #.... #.... #####',
  F: '##### #.... #.... ####. #.... #.... #....',
  G: '.#### #.... #.... #..## #...# #...# .####',
  H: '#...# #...# #...# ##### #...# #...# #...#',
  I: '### .#. .#. .#. .#. .#. ###',
  J: '..### ...#. ...#. ...#. ...#. #..#. .##..',
  K: '#...# #..#. #.#.. ##... #.#.. #..#. #...#',
  L: '#.... #.... #.... #.... #.... #.... #####',
  M: '#...# ##.## #.#.# #.#.# #...# #...# #...#',
  N: '#...# ##..# ##..# #.#.# #..## #..## #...#',
  O: '.###. #...# #...# #...# #...# #...# .###.',
  P: '####. #...# #...# ####. #.... #.... #....',
  Q: '.###. #...# #...# #...# #.#.# #..#. .##.#',
  R: '####. #...# #...# ####. #.#.. #..#. #...#',
  S: '.#### #.... #.... .###. ....# ....# ####.',
  T: '##### ..#.. ..#.. ..#.. ..#.. ..#.. ..#..',
  U: '#...# #...# #...# #...# #...# #...# .###.',
  V: '#...# #...# #...# #...# #...# .#.#. ..#..',
  W: '#...# #...# #...# #.#.# #.#.# ##.## #...#',
  X: '#...# #...# .#.#. ..#.. .#.#. #...# #...#',
  Y: '#...# #...# .#.#. ..#.. ..#.. ..#.. ..#..',
  Z: '##### ....# ...#. ..#.. .#... #.... #####',
  '0': '.###. #...# #..## #.#.# ##..# #...# .###.',
  '1': '..#.. .##.. ..#.. ..#.. ..#.. ..#.. .###.',
  '2': '.###. #...# ....# ..##. .#... #.... #####',
  '3': '####. ....# ....# .###. ....# ....# ####.',
  '4': '#..#. #..#. #..#. ##### ...#. ...#. ...#.',
  '5': '##### #.... ####. ....# ....# #...# .###.',
  '6': '.###. #.... #.... ####. #...# #...# .###.',
  '7': '##### ....# ...#. ...#. ..#.. ..#.. ..#..',
  '8': '.###. #...# #...# .###. #...# #...# .###.',
  '9': '.###. #...# #...# .#### ....# ....# .###.',
  '-': '.... .... .... #### .... .... ....',
};

/**
 * A code in letters that are read across a room. A code too wide for the space is broken at its hyphens.
 * `undefined` where a character has no shape here or even one group is too wide: then the plain text must do.
 */
export function largeLetters(code: string, columns: number): string[] | undefined {
  const whole = drawn(code);
  if (whole === undefined) return undefined;
  if (fits(whole, columns)) return whole;
  const groups = code.split('-').map((group) => drawn(group) ?? []);
  if (groups.length < 2 || !groups.every((group) => fits(group, columns))) return undefined;
  return groups.flatMap((group, index) => (index === 0 ? group : ['', ...group]));
}

function fits(lines: readonly string[], columns: number): boolean {
  return lines.every((line) => line.length <= columns);
}

function drawn(text: string): string[] | undefined {
  const rows: boolean[][] = Array.from({ length: 7 }, () => []);
  for (const character of text) {
    const shape = shapes[character];
    if (shape === undefined) return undefined;
    for (const [y, row] of rows.entries()) {
      if (row.length > 0) row.push(false);
      row.push(...Array.from(shape.split(' ')[y] ?? '', (point) => point === '#'));
    }
  }
  return halfBlocks(rows).map((line) => line.trimEnd());
}

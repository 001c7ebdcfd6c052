/** The known name that somebody most likely meant, or `undefined` where none is close. */
export function didYouMean(written: string, known: readonly string[]): string | undefined {
  const plain = simplified(written);
  let nearest: string | undefined;
  let least = Math.floor(written.length / 3) + 1;
  for (const key of known) {
    const distance = Math.min(editDistance(plain, simplified(key)), isAbbreviation(plain, simplified(key)) ? 1 : 99);
    if (distance <= least && (nearest === undefined || distance < least)) {
      nearest = key;
      least = distance;
    }
  }
  return nearest;
}

/** `publicUrl`, `public-url` and `public_url` are one name to a reader. */
function simplified(key: string): string {
  return key.toLowerCase().replace(/[^a-z0-9]/g, '');
}

function isAbbreviation(written: string, key: string): boolean {
  return written.length >= 3 && (key.startsWith(written) || key.endsWith(written));
}

/** Insertions, deletions, replacements and swaps of neighbours, each for one. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, replaced);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

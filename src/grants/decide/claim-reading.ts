import type { ClaimReading } from '../../ledger/approval.ts';

/** Reads a text, a number, a truth value, or a list of these; `undefined` where there is nothing. */
export function readClaim(value: unknown): ClaimReading | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return readAll(Array.isArray(value) ? value : [value], (entry) =>
    typeof entry === 'boolean' ? [String(entry)] : readName(entry),
  );
}

/** One reading for all entries; of a list with one that cannot be told, nothing can. Entries that say nothing are none. */
export function readAll(entries: readonly unknown[], read: (entry: unknown) => ClaimReading): ClaimReading {
  const texts: string[] = [];
  for (const entry of entries) {
    if (entry === null || entry === '') continue;
    const reading = read(entry);
    if (reading === 'unreadable') return 'unreadable';
    texts.push(...reading);
  }
  return texts;
}

/** A text, or a number as its digits; beyond what a number holds exactly the digits would be others. */
export function readName(entry: unknown): ClaimReading {
  if (typeof entry === 'string') return [entry];
  const isExact = typeof entry === 'number' && (Number.isSafeInteger(entry) || !Number.isInteger(entry));
  return isExact && Number.isFinite(entry) ? [String(entry)] : 'unreadable';
}

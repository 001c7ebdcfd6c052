import { type Ledger, StorageUnavailableError } from './ledger.ts';

/** Some of what was looked for, and where the rest begins; `undefined` at the end. */
export interface FoundPiece<Found> {
  found: Found[];
  next: string | undefined;
}

/** Steps of one piece, each of as many keys as are wanted, and grants that are opened for it: what a call may cost. */
const MAX_STEPS = 50;
const MAX_LOOKED_AT = 1000;
const AT_ONCE = 50;

/**
 * Looks at some of all grants that have an entry, in no order: at so much of the storage and no more. A piece may be empty
 * and not the last one, and it may have some more than `limit`.
 *
 * @param look `undefined` for what is not looked for
 * @returns `undefined` where `from` cannot have been given out, or leads no further
 * @throws {StorageUnavailableError} also where the storage was moved or restarted on the way
 */
export async function lookThrough<Found>(
  ledger: Pick<Ledger, 'idsFrom'>,
  suffix: string,
  { from, limit }: { from: string | undefined; limit: number },
  look: (id: string) => Promise<Found | undefined>,
): Promise<FoundPiece<Found> | undefined> {
  const found: Found[] = [];
  let next = from;
  let lookedAt = 0;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const piece = await ledger.idsFrom(suffix, next, limit);
    if (piece === undefined) {
      if (step === 0 && from !== undefined) return undefined;
      throw new StorageUnavailableError('the storage was moved or restarted while it was looked through');
    }
    for await (const one of inBatches(piece.ids, look)) if (one !== undefined) found.push(one);
    next = piece.next;
    lookedAt += piece.ids.length;
    if (next === undefined || found.length >= limit || lookedAt >= MAX_LOOKED_AT) break;
  }
  return { found, next };
}

/**
 * Looks at many grants, some at a time: all at once they would fill the line to the storage. A batch is looked at
 * when it is whole, so that no look can fail while nobody waits for it.
 */
export async function* inBatches<Result>(
  ids: Iterable<string> | AsyncIterable<string>,
  look: (id: string) => Promise<Result>,
): AsyncGenerator<Result> {
  let batch: string[] = [];
  for await (const id of ids) {
    batch.push(id);
    if (batch.length < AT_ONCE) continue;
    yield* await Promise.all(batch.map(look));
    batch = [];
  }
  yield* await Promise.all(batch.map(look));
}

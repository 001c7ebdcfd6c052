const AT_ONCE = 50;

/**
 * Looks at many sessions, some at a time: all at once they would fill the line to the storage. A batch is looked at
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

export interface SettledLater<T> {
  promise: Promise<T>;
  /** The first value counts. */
  settle: (value: T) => void;
}

/** A promise for what is known only once something else is there. `Promise.withResolvers` is not in Node 20. */
export function settledLater<T>(): SettledLater<T> {
  let settle: (value: T) => void = () => {};
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

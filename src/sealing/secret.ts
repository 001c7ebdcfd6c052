import { inspect } from 'node:util';

/**
 * A value that opens something: a client secret, a code, a token, a key.
 * However it is printed (string, JSON, inspect, template) it says `[redacted]`; only `reveal` gives it out,
 * so every place where a secret leaves its wrapping can be found by searching for that word.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return '[redacted]';
  }

  toJSON(): string {
    return '[redacted]';
  }

  [inspect.custom](): string {
    return '[redacted]';
  }
}

export type RandomBytes = (count: number) => Buffer;

import type { Secret } from '../../sealing/secret.ts';
import type { SecretRef } from '../schema/secret-schemas.ts';
import type { Path } from '../yaml/yaml-source.ts';
import type { Reading } from './reading.ts';

const MIN_BYTES = 16;
const MIN_BITS = 64;
const HOW = 'such as what "openssl rand -base64 32" prints';

/**
 * A secret that somebody proves to be themselves with, here or to others: one that can be guessed is none. What is wrong
 * with it is said without repeating any of it.
 */
export function readClientSecret(path: Path, ref: SecretRef | undefined, reading: Reading): Secret | undefined {
  const secret = reading.secret(path, ref);
  if (secret === undefined) return undefined;
  const text = secret.reveal();
  if (Buffer.byteLength(text) < MIN_BYTES) {
    reading.problem(path, `is shorter than ${MIN_BYTES} bytes, expected a random secret ${HOW}`);
  } else if (apparentBits(text) < MIN_BITS) {
    reading.problem(path, `is too easy to guess, expected a random secret of ${MIN_BITS} bits or more ${HOW}`);
  }
  return secret;
}

const CLASSES = [/[a-z]/, /[A-Z]/, /[0-9]/, /[!-/:-@[-`{-~ ]/, /[^ -~]/];
const SIZES = [26, 26, 10, 33, 100];

/**
 * How many bits a text has at most, by its looks: each character is one of the kinds of characters that occur, but one
 * that goes on with a run (`aaa`, `abc`, `321`), or that came after the same one before, says nothing new.
 */
export function apparentBits(text: string): number {
  const size = CLASSES.reduce((sum, kind, index) => sum + (kind.test(text) ? (SIZES[index] ?? 0) : 0), 0);
  const characters = Array.from(text);
  const pairs = new Set<string>();
  let count = 0;
  for (const [index, character] of characters.entries()) {
    const pair = index === 0 ? character : `${characters[index - 1]}${character}`;
    if (!pairs.has(pair) && !isRun(characters.slice(Math.max(0, index - 2), index + 1))) count += 1;
    pairs.add(pair);
  }
  return count === 0 ? 0 : count * Math.log2(size);
}

function isRun(three: readonly string[]): boolean {
  if (three.length < 3) return false;
  const [first = 0, second = 0, third = 0] = three.map((each) => each.codePointAt(0));
  const step = second - first;
  return Math.abs(step) <= 1 && third - second === step;
}

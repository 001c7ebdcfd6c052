import { createHash } from 'node:crypto';

/** Where a chain has come: the last line that is in it. */
export interface ChainHead {
  /** Names the chain; a process begins one of its own. */
  id: string;
  /** Of the line, from 0. */
  number: number;
  hash: string;
}

/** What a line says of its place in a chain. */
export interface ChainLink extends ChainHead {
  /** The hash of the line before; `undefined` in the first. */
  previous: string | undefined;
  /** Lines of the log, of any kind, that the process could not write since the line before. */
  lost: number;
  /** Whether the line still has the hash that it was written with. */
  isWhole: boolean;
}

export interface LogChain {
  readonly head: ChainHead | undefined;
  /**
   * A line with its place in the chain.
   *
   * @param line a JSON object, with a line feed
   * @param lost how many lines could not be written so far
   */
  linked(line: string, lost: number): string;
  /** The line was accepted and the next one follows it. */
  accept(): void;
}

/**
 * Each line carries the hash of the one before and its own, over the text as it is written. So nobody changes or takes
 * out a line without changing all that follow; who does that too is found by a head that went elsewhere before.
 */
export function createLogChain(id: string): LogChain {
  let head: ChainHead | undefined;
  let next: ChainHead | undefined;
  let lostSeen = 0;
  let lostNext = 0;
  return {
    get head() {
      return head;
    },
    linked(line, lost) {
      const number = head === undefined ? 0 : head.number + 1;
      const place = {
        chain: id,
        number,
        ...(head !== undefined && { previous: head.hash }),
        ...(lost > lostSeen && { lost: lost - lostSeen }),
      };
      const text = `${line.trimEnd().slice(0, -1)},${JSON.stringify(place).slice(1)}`;
      const hash = hashOf(text);
      next = { id, number, hash };
      lostNext = lost;
      return `${text.slice(0, -1)},"hash":"${hash}"}\n`;
    },
    accept() {
      head = next;
      lostSeen = lostNext;
    },
  };
}

const OWN_HASH = /,"hash":"([A-Za-z0-9_-]{43})"\}$/;

/** The place in a chain that a line has, if it has one. */
export function readChainLink(text: string, line: Readonly<Record<string, unknown>>): ChainLink | undefined {
  const { chain: id, number, previous, lost = 0 } = line;
  if (typeof id !== 'string' || typeof number !== 'number' || !Number.isSafeInteger(number)) return undefined;
  const [ending = '', hash = ''] = OWN_HASH.exec(text) ?? [];
  return {
    id,
    number,
    hash,
    previous: typeof previous === 'string' ? previous : undefined,
    lost: typeof lost === 'number' ? lost : 0,
    isWhole: hash !== '' && hashOf(`${text.slice(0, -ending.length)}}`) === hash,
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}

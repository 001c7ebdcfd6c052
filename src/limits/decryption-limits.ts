import type { Networks } from '../network/networks.ts';
import { sourcePrefixes, WIDER_FACTOR } from '../network/source-prefixes.ts';
import type { Counters } from './counters.ts';
import { giveBackIn, takeIn, windowAt } from './window.ts';

/**
 * How many tokens that nobody asked for, and that are encrypted for us, one source may send in vain: everybody has the
 * public key, and an RSA key of 4096 bits takes as long to decrypt as a hundred polls.
 */
export interface DecryptionLimits {
  /** To be asked before a token is decrypted. `admitted` holds a place, to be given back unless the token was no good. */
  admit(attempt: { source: string; nowMs: number }): Promise<DecryptionVerdict>;
}

export type DecryptionVerdict =
  | { verdict: 'admitted'; giveBack(): Promise<void> }
  | { verdict: 'refused'; retryAfterSeconds: number };

/** A provider that signs out thousands at once has no more than so many on their way. */
const PER_SOURCE = 200;
const WINDOW_SECONDS = 10 * 60;

const placeOf = (name: string) => `{decryptions}:${name}`;

export function createDecryptionLimits({
  counters,
  networks,
  onReached,
}: {
  counters: Counters;
  networks: Networks;
  onReached: () => void;
}): DecryptionLimits {
  return {
    async admit({ source: address, nowMs }) {
      const window = windowAt(nowMs, WINDOW_SECONDS);
      const { source, wider } = sourcePrefixes(address);
      const most = PER_SOURCE * networks.factorOf(address);
      const places = [
        { key: placeOf(source), most },
        { key: placeOf(wider), most: most * WIDER_FACTOR },
      ];
      const full = await takeIn(counters, places, window);
      if (full === undefined) return { verdict: 'admitted', giveBack: () => giveBackIn(counters, places, window) };
      onReached();
      return { verdict: 'refused', retryAfterSeconds: window.secondsLeft };
    },
  };
}

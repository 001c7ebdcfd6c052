/**
 * The port of counters. The caller names the window in the key (from the storage's clock), so a counter decays with
 * that clock and with nothing else.
 *
 * @example
 * ```ts
 * import { memoryStorage, type Counters } from 'gatehouse-broker';
 *
 * const counters: Counters = memoryStorage().counters;
 * console.log(await counters.add('source:192.0.2.1', 600)); // 1
 * ```
 */
export interface Counters {
  /** Adds to a counter and answers what it holds then; of two callers at once each sees the other's or is seen. */
  add(key: string, windowSeconds: number, amount?: number): Promise<number>;
  /** What a counter holds, without adding. */
  current(key: string, windowSeconds: number): Promise<number>;
  /**
   * Takes one place in each of several counters, in one step: in all of them, or in none where one is full. However many
   * callers come together, no more of them get through than one after another would.
   *
   * @returns the first counter that is full; `undefined` where there was room in all
   */
  takePlaces(taking: Taking): Promise<FullPlace | undefined>;
  /** Gives back one place that was taken in each of these counters. A counter that has decayed meanwhile stays gone. */
  giveBackPlaces(keys: readonly string[]): Promise<void>;
}

/**
 * @example
 * ```ts
 * import { memoryStorage, type Taking } from 'gatehouse-broker';
 *
 * const taking: Taking = { places: [{ key: '{alice}:approvals', most: 20 }], windowSeconds: 3600 };
 * const full = await memoryStorage().counters.takePlaces(taking);
 * ```
 */
export interface Taking {
  /** The narrowest first, since the first that is full is named. Their keys share a `{…}`, as those of one grant do. */
  places: readonly Place[];
  windowSeconds: number;
  /** A caller who takes a place under this key again holds it already, and takes no other. It shares the `{…}` too. */
  holder?: string | undefined;
  /** Only says whether there would be room. */
  isLook?: boolean;
}

/**
 * @example
 * ```ts
 * import type { FullPlace } from 'gatehouse-broker';
 *
 * const retryAfter = (full: FullPlace | undefined): string | undefined => full && String(full.secondsLeft);
 * ```
 */
export interface FullPlace {
  index: number;
  /** Until it has decayed; at least 1. */
  secondsLeft: number;
}

/**
 * @example
 * ```ts
 * import type { Place } from 'gatehouse-broker';
 *
 * const narrowestFirst: Place[] = [
 *   { key: '{net}:192.0.2.1', most: 50 },
 *   { key: '{net}:192.0.2.0/24', most: 500 },
 * ];
 * ```
 */
export interface Place {
  key: string;
  /** How many may hold a place here. */
  most: number;
}

/**
 * The port of counters. The caller names the window in the key (from the storage's clock), so a counter decays with
 * that clock and with nothing else.
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

export interface Taking {
  /** The narrowest first, since the first that is full is named. Their keys share a `{…}`, as those of one grant do. */
  places: readonly Place[];
  windowSeconds: number;
  /** Who takes a place under this key again holds it already, and takes no other. It shares the `{…}` too. */
  holder?: string | undefined;
  /** Only says whether there would be room. */
  isLook?: boolean;
}

export interface FullPlace {
  index: number;
  /** Until it has decayed; at least 1. */
  secondsLeft: number;
}

export interface Place {
  key: string;
  /** How many may hold a place here. */
  most: number;
}

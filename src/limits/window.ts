import type { Counters, Place } from './counters.ts';

/** The fixed windows that counters decay by: what was counted in one is forgotten with it, and no sooner. */
export interface Window {
  /** Which window it is, for the key of a counter. */
  number: number;
  seconds: number;
  /** Until the next one begins; at least 1. */
  secondsLeft: number;
}

export function windowAt(nowMs: number, seconds: number): Window {
  const milliseconds = seconds * 1000;
  const number = Math.floor(nowMs / milliseconds);
  const secondsLeft = Math.max(1, Math.ceil(((number + 1) * milliseconds - nowMs) / 1000));
  return { number, seconds, secondsLeft };
}

/** Counts one more in this window and answers how many it holds then. */
export function addTo(counters: Counters, name: string, window: Window): Promise<number> {
  return counters.add(keyOf(name, window), keptSeconds(window));
}

/** How many this window, or the one before it, holds. */
export function countIn(counters: Counters, name: string, window: Window, which: 'this' | 'previous' = 'this') {
  const number = which === 'this' ? window.number : window.number - 1;
  return counters.current(keyOf(name, { ...window, number }), keptSeconds(window));
}

/** Takes a place under each of these names in this window, or in none; answers the first that is full. */
export function takeIn(counters: Counters, places: readonly Place[], window: Window, holder?: string) {
  return counters.takePlaces({
    places: places.map(({ key, most }) => ({ key: keyOf(key, window), most })),
    windowSeconds: keptSeconds(window),
    holder: holder === undefined ? undefined : keyOf(holder, window),
  });
}

export function giveBackIn(counters: Counters, places: readonly Place[], window: Window): Promise<void> {
  return counters.giveBackPlaces(places.map(({ key }) => keyOf(key, window)));
}

function keyOf(name: string, { seconds, number }: Window): string {
  return `${name}:${seconds}:${number}`;
}

/** Two windows long: a counter may begin at the end of its window and is looked at until the next one ends. */
function keptSeconds({ seconds }: Window): number {
  return 2 * seconds;
}

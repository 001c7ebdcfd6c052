import type { RegisteredClient } from '../clients/registered-client.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * How long a device session may live at most, whatever a configuration says: `refresh_absolute` goes up to 400 days, a
 * grant is kept for less than one. What must outlive every session, in other replicas' configurations too, lasts this long.
 */
export const MAX_RETENTION_MS = 402 * DAY_MS;

/** When whatever may have become of a grant has lapsed; its client may have been changed since, or removed. */
export function latestEndMs({ startedAtMs }: { startedAtMs: number }): number {
  return startedAtMs + MAX_RETENTION_MS;
}

/**
 * How long what was signed in until now may live by this configuration: a code that is redeemed at its very end, and
 * the longest session that it becomes.
 */
export function longestRetentionMs(clients: Iterable<RegisteredClient>): number {
  let longest = 0;
  for (const { lifetimes } of clients) {
    const { codeSeconds, accessTokenSeconds, refreshAbsoluteSeconds } = lifetimes;
    longest = Math.max(longest, 2 * codeSeconds + Math.max(accessTokenSeconds, refreshAbsoluteSeconds));
  }
  return longest * 1000 + DAY_MS;
}

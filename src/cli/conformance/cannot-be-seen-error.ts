/** What a check needs cannot be had; this is no fault of the server that the check is about. */
export class CannotBeSeenError extends Error {
  override readonly name = 'CannotBeSeenError';
}

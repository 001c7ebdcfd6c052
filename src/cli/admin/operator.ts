import { hostname, userInfo } from 'node:os';

/** Who typed the command, as far as the system knows: `root@db1`. */
export function operator(): string {
  return `${userName()}@${hostname()}`;
}

/** A container's user may have a number and no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

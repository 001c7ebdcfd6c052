import { createHash } from 'node:crypto';

const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/;
/** Windows opens these as devices, with any ending. */
const DEVICE = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/;

/**
 * A profile's name is a file's name on every system: no path, no capital letters, which some systems cannot tell from
 * small ones, and no name that is something else there.
 */
export function isProfileName(name: string): boolean {
  return NAME.test(name) && !DEVICE.test(name);
}

export const PROFILE_NAME_RULE =
  'a to z, 0 to 9, dot, hyphen and underscore, at most 64, a letter or digit at both ends';

/** The same for the same issuer and client, and readable; a hash tells apart what reads alike. */
export function profileNameOf(issuer: string, clientId: string): string {
  const { host } = new URL(issuer);
  const plain = `${host}-${clientId}`.toLowerCase();
  const isWhole = new URL(issuer).pathname === '/' && plain === `${host}-${clientId}` && isProfileName(plain);
  if (isWhole && plain.length <= 48) return plain;
  const hash = createHash('sha256')
    .update(`${issuer.replace(/\/$/, '')}\n${clientId}`)
    .digest('hex')
    .slice(0, 8);
  const words = `${host}${new URL(issuer).pathname}-${clientId}`.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `at-${words.replace(/^-|-$/g, '').slice(0, 44).replace(/-$/, '')}-${hash}`;
}

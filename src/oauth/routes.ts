/** The paths that Gatehouse has itself, relative to `public_url`: what other servers' paths must not take the place of. */
export const DEVICE_PATHS = [
  ...['/device_authorization', '/token', '/revoke', '/introspect', '/userinfo', '/jwks'],
  ...[
    '/.well-known/oauth-authorization-server',
    '/.well-known/openid-configuration',
    '/.well-known/gatehouse-profiles',
  ],
] as const;

export type DevicePath = (typeof DEVICE_PATHS)[number];

/** Back-channel logout; one path per upstream below it. */
export const LOGOUT_PATH = '/backchannel-logout/';

/** Front-channel logout, of upstreams that it is switched on for. */
export const FRONT_LOGOUT_PATH = '/frontchannel-logout/';

/** What an administrator registers at an upstream: where people come back to (RFC 9700 §4.4: one per upstream). */
export const callbackUri = (publicUrl: string, upstream: string) => `${publicUrl}/callback/${upstream}`;

/** And where its logout tokens go. */
export const logoutUri = (publicUrl: string, upstream: string) => `${publicUrl}${LOGOUT_PATH}${upstream}`;
export const frontLogoutUri = (publicUrl: string, upstream: string) => `${publicUrl}${FRONT_LOGOUT_PATH}${upstream}`;

/** Every path of the people door, as Express names them. */
export const PAGE_PATHS = [
  ...['/device', '/device/sign-in', '/device/confirm', '/device/done', '/device/undo', '/callback/:upstream'],
  ...['/sessions', '/sessions/rename', '/sessions/end', '/language'],
] as const;

export type PagePath = (typeof PAGE_PATHS)[number];

/** The two files of ours that pages load. */
const FILE = String.raw`/device/\w+-[0-9a-f]+\.(css|js)`;
const PAGE_PATH = new RegExp(`^(${[...PAGE_PATHS, FILE].join('|').replace(':upstream', '[^/]*')})$`);

/** Whether a path is the people door's: other paths are for a host that has pages of its own, or not there. */
export function isPagePath(path: string): boolean {
  return PAGE_PATH.test(path);
}

export function isOwnPath(path: string): boolean {
  return (
    (DEVICE_PATHS as readonly string[]).includes(path) ||
    [LOGOUT_PATH, FRONT_LOGOUT_PATH].some((start) => path.startsWith(start)) ||
    isPagePath(path)
  );
}

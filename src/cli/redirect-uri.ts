import type { Config } from '../config/config.ts';

/** What an administrator registers at the upstream. */
export function redirectUri({ publicUrl }: Config, upstreamId: string): string {
  return `${publicUrl}/callback/${upstreamId}`;
}

import type { BufferedResponse } from '../requests/buffered-response.ts';
import type { ProviderMetadata } from '../requests/upstream-requests.ts';
import { UpstreamError } from '../upstream.ts';

type Send = (
  address: string,
  request: { method: string; headers: Record<string, string>; body: string },
) => Promise<BufferedResponse>;

/**
 * The groups of somebody who is in more than Entra ID writes into a token. The token points at an address that is no
 * longer answered, and could point anywhere; Entra's userinfo is Graph's, in every of its clouds, and an access token
 * that is good there is good here, where it was granted User.Read and GroupMember.Read.All.
 */
export async function graphGroups(
  send: Send,
  { userinfo_endpoint: userinfo }: ProviderMetadata,
  accessToken: string,
): Promise<string[]> {
  if (userinfo === undefined) {
    throw new UpstreamError('invalid_answer', 'the upstream’s metadata has no userinfo_endpoint');
  }
  const address = `${new URL(userinfo).origin}/v1.0/me/getMemberGroups`;
  const headers = {
    authorization: `Bearer ${accessToken}`,
    accept: 'application/json',
    'content-type': 'application/json',
  };
  const response = await send(address, { method: 'POST', headers, body: '{"securityEnabledOnly":false}' });
  // Without the permission it says 403; with more groups than it tells, 400.
  if (response.status >= 400 && response.status < 500) {
    throw new UpstreamError('client_rejected', `${address} answers ${response.status}: grant GroupMember.Read.All`);
  }
  const answer: unknown = await response.json().catch(() => undefined);
  const { value, '@odata.nextLink': more } = (answer ?? {}) as Record<string, unknown>;
  const isWhole = response.status === 200 && Array.isArray(value) && more === undefined;
  if (!isWhole || !value.every((id) => typeof id === 'string')) {
    throw new UpstreamError('invalid_answer', `${address} does not answer with a list of groups`);
  }
  return value;
}

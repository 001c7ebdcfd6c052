import type { Networks } from '../network/networks.ts';
import { isPrivateAddress } from '../network/private-address.ts';
import { isSameNetwork } from './same-network.ts';

/** Where a request came from, for the page to say in words; and how long ago. */
export interface Requester {
  from: RequesterPlace;
  address: string;
  ageSeconds: number;
}

export type RequesterPlace =
  /** The network that the person is in too; with its name where it has one. */
  | { place: 'same_network'; name?: string | undefined }
  | { place: 'named_network'; name: string }
  | { place: 'private' }
  | { place: 'internet' };

export function requesterOf(
  request: { source: string; startedAtMs: number },
  person: { address: string; nowMs: number },
  networks: Networks,
): Requester {
  return {
    from: placeOf(request.source, person.address, networks),
    address: request.source,
    ageSeconds: Math.max(0, Math.floor((person.nowMs - request.startedAtMs) / 1000)),
  };
}

function placeOf(source: string, personAddress: string, networks: Networks): RequesterPlace {
  const name = networks.networkOf(source)?.name;
  if (isSameNetwork(source, personAddress, networks)) return { place: 'same_network', name };
  if (name !== undefined) return { place: 'named_network', name };
  return { place: isPrivateAddress(source) ? 'private' : 'internet' };
}

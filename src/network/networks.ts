import { type Cidr, contains, parsedCidr } from './cidr.ts';
import { parseIpAddress } from './ip-address.ts';

/** The networks that the administrator has named. */
export interface Networks {
  /** The named network of an address; of several the narrowest. */
  networkOf(address: string): NamedNetwork | undefined;
  /** What the limits of an address are multiplied by: 1 outside of the named networks. */
  factorOf(address: string): number;
}

export interface NamedNetwork {
  id: string;
  name: string;
  factor: number;
}

export function createNetworks(settings: readonly NetworkSettings[]): Networks {
  const narrowestFirst = settings
    .flatMap(({ id, name, factor, cidrs }) =>
      cidrs.map((text): { network: NamedNetwork; cidr: Cidr } => ({
        network: { id, name, factor },
        cidr: parsedCidr(text),
      })),
    )
    .sort((left, right) => right.cidr.bits - left.cidr.bits);

  function networkOf(text: string): NamedNetwork | undefined {
    const address = narrowestFirst.length === 0 ? undefined : parseIpAddress(text);
    if (address === undefined) return undefined;
    return narrowestFirst.find(({ cidr }) => contains(cidr, address))?.network;
  }

  return { networkOf, factorOf: (address) => networkOf(address)?.factor ?? 1 };
}

/** A network that the administrator has given a name: people read it, and limits multiply by its factor. */
export interface NetworkSettings {
  id: string;
  name: string;
  cidrs: readonly string[];
  /** At least 1: what the limits of a source are multiplied by. */
  factor: number;
}

import type { IssuerAddresses } from '../oauth/metadata.ts';

/** An issuer that Gatehouse is: `public_url` itself, or a path profile of `compatibility:`. */
export interface Issuer {
  /** What grants and sessions remember it by; `undefined` for `public_url`. */
  name: string | undefined;
  addresses: IssuerAddresses;
}

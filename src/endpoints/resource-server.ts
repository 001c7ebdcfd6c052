import type { Secret } from '../sealing/secret.ts';

/** An API that may ask about tokens (RFC 7662), those for its own audience only. */
export interface ResourceServer {
  /** Its `client_id` at the introspection endpoint; never that of a client. */
  id: string;
  audience: string;
  clientSecret: Secret;
}

import type { JWK } from 'jose';

/** Private JWKs with `kid`, `alg` and `use`, in the file's order: the first of each `alg` signs, all are published. */
export interface SigningSettings {
  keys: readonly JWK[];
}

const ALPHABET = '23456789bcdfghjkmnpqrstvwxyz';
const LENGTH = 12;
const POOL_BYTES = 4096;

/**
 * Draws the `X-Request-Id` of each answer: 12 characters that a person can read out to a help desk, about 57 bits.
 * A caller's own header is never taken over: it would let them write into our log and into other people's references.
 */
export function createRequestIds(randomBytes: (size: number) => Uint8Array): () => string {
  let pool = randomBytes(0);
  let at = 0;
  return () => {
    if (at + LENGTH > pool.length) {
      pool = randomBytes(POOL_BYTES);
      at = 0;
    }
    let id = '';
    // The slight bias of a byte modulo 28 does no harm: the id is a name, not a secret.
    for (const end = at + LENGTH; at < end; at += 1) id += ALPHABET[(pool[at] ?? 0) % ALPHABET.length];
    return id;
  };
}

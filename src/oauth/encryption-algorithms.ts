/** RFC 7518 §4.1 without RSA1_5, whose padding can be guessed at, and without what needs a shared secret. */
export const KEY_ALGORITHMS = ['RSA-OAEP', 'RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW'];

/** RFC 7518 §5.1, all of it. */
export const CONTENT_ALGORITHMS = ['128', '192', '256'].flatMap((bits) => [
  `A${bits}GCM`,
  `A${bits}CBC-HS${2 * Number(bits)}`,
]);

/** Whether an algorithm is accepted, and for keys of this kind. */
export function isKeyAlgorithm(alg: unknown, isRsa: boolean): alg is string {
  return typeof alg === 'string' && KEY_ALGORITHMS.includes(alg) && alg.startsWith('RSA') === isRsa;
}

/** A compact JWE has five parts, a signed JWT three (RFC 7516 §9). */
export function isEncrypted(token: string): boolean {
  return token.split('.', 6).length === 5;
}

/** Never `none`, and nothing symmetric, since a client secret is no signing key. */
export const PUBLIC_KEY_ALGORITHMS = ['RS', 'PS', 'ES']
  .flatMap((family) => ['256', '384', '512'].map((size) => family + size))
  .concat('EdDSA', 'Ed25519');

/** What the upstream may sign with. Where its metadata does not say, OpenID Connect's default is RS256. */
export function signingAlgorithms(metadata: { id_token_signing_alg_values_supported?: string[] }): string[] {
  const all = metadata.id_token_signing_alg_values_supported;
  if (!Array.isArray(all)) return ['RS256'];
  return all.filter((algorithm) => PUBLIC_KEY_ALGORITHMS.includes(algorithm));
}

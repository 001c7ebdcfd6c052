/**
 * What the upstream may sign with: never `none`, and nothing symmetric, since a client secret is no signing key.
 * Where its metadata does not say, OpenID Connect's default is RS256.
 */
export function signingAlgorithms(metadata: { id_token_signing_alg_values_supported?: string[] }): string[] {
  const all = metadata.id_token_signing_alg_values_supported;
  if (!Array.isArray(all)) return ['RS256'];
  return all.filter((algorithm) => /^(RS|PS|ES|Ed)/.test(String(algorithm)));
}

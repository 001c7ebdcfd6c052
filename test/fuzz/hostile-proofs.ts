/** Keys in DPoP proofs that are none, or of another kind than the algorithm says; nothing is signed with them. */
const KEYS: readonly unknown[] = [
  null,
  [],
  'EC',
  {},
  { kty: 'constructor' },
  { kty: '__proto__', crv: 'P-256' },
  { kty: ['EC'], crv: 'P-256', x: 'AAAA', y: 'AAAA' },
  { kty: 'EC', crv: 'P-256' },
  { kty: 'EC', crv: 'P-256', x: '', y: '' },
  { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' },
  { kty: 'EC', crv: 'P-256', x: 'A'.repeat(2000), y: 'A'.repeat(2000) },
  { kty: 'EC', crv: 'secp256k1', x: 'AAAA', y: 'AAAA' },
  { kty: 'EC', crv: { toString: 'P-256' }, x: 1, y: 2 },
  { kty: 'OKP', crv: 'Ed25519', x: 'AAAA' },
  { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) },
  { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) },
  { kty: 'RSA', n: '', e: 'AQAB' },
  { kty: 'RSA', n: '_'.repeat(342), e: 'AQAB' },
  { kty: 'RSA', n: '_'.repeat(342), e: 'Aw' },
  { kty: 'RSA', n: 'A'.repeat(2732), e: 'AQAB' },
  { kty: 'oct', k: 'AAAA' },
  { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', d: 'AAAA' },
];
const ALGS = ['ES256', 'EdDSA', 'RS256', 'none', 'HS256', ''];
const HEADERS: readonly object[] = [
  ...KEYS.flatMap((jwk, index) => [
    { alg: ALGS[index % ALGS.length], jwk },
    { alg: kindOf(jwk), jwk },
  ]),
  { alg: 'ES256', crit: ['b64'], b64: false, jwk: KEYS[9] },
];

export const HOSTILE_PROOFS: readonly string[] = HEADERS.map((header) =>
  [encode({ typ: 'dpop+jwt', ...header }), encode({ htm: 'POST', htu: 'x', jti: 'x', iat: 0 }), 'A'.repeat(86)].join(
    '.',
  ),
);

function kindOf(jwk: unknown): string {
  const { kty } = (jwk ?? {}) as { kty?: unknown };
  return kty === 'RSA' ? 'PS256' : kty === 'OKP' ? 'Ed25519' : 'ES256';
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

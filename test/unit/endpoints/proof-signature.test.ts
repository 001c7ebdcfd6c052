import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { calculateJwkThumbprint, EmbeddedJWK, exportJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { DPOP_ALGS, verifyProof } from '../../../src/endpoints/proof-signature.ts';

const keys: Record<string, { privateKey: KeyObject; publicKey: KeyObject }> = {
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  Ed25519: generateKeyPairSync('ed25519'),
};
const keyOf = (alg: string) =>
  keys[alg === 'PS256' ? 'RS256' : alg === 'EdDSA' ? 'Ed25519' : alg] as (typeof keys)[string];

async function proofOf(alg: string, header: Record<string, unknown> = {}): Promise<string> {
  const { privateKey, publicKey } = keyOf(alg);
  const jwk = await exportJWK(publicKey);
  return new SignJWT({ htm: 'POST', jti: 'x' })
    .setProtectedHeader({ alg, typ: 'dpop+jwt', jwk, ...header })
    .sign(privateKey);
}

/** The library, which everything else is verified with. */
async function judged(proof: string): Promise<{ jkt: string } | undefined> {
  try {
    const verified = await jwtVerify(proof, EmbeddedJWK, { typ: 'dpop+jwt', algorithms: [...DPOP_ALGS] });
    return { jkt: await calculateJwkThumbprint(verified.protectedHeader.jwk as JWK) };
  } catch {
    return undefined;
  }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
const withHeader = (proof: string, header: unknown) => [encode(header), ...proof.split('.').slice(1)].join('.');
const headerOf = (proof: string) => JSON.parse(Buffer.from(proof.split('.')[0] ?? '', 'base64url').toString());

describe('the signature of a proof', () => {
  it.each(DPOP_ALGS)('%s: a right one gives its claims and the thumbprint that the library gives', async (alg) => {
    const proof = await proofOf(alg);
    expect(verifyProof(proof)).toMatchObject({ payload: { htm: 'POST', jti: 'x' }, ...(await judged(proof)) });
    expect(await judged(proof)).toBeDefined();
  });

  it.each(DPOP_ALGS)('%s: with any byte changed it is none', async (alg) => {
    const proof = await proofOf(alg);
    const bytes = Buffer.from(proof);
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = changed[at] === 0x41 ? 0x42 : 0x41;
      expect(verifyProof(changed.toString())).toBeUndefined();
    }
  });

  it.each(DPOP_ALGS.flatMap((alg) => ['none', 'HS256', ...DPOP_ALGS].map((named) => [alg, named] as const)))(
    'of %s is judged as the library does where its header says %s',
    async (alg, named) => {
      const proof = await proofOf(alg);
      const renamed = withHeader(proof, { ...headerOf(proof), alg: named });
      expect(verifyProof(renamed) === undefined).toBe((await judged(renamed)) === undefined);
    },
  );

  it.each<[string, Record<string, unknown>]>([
    ['another typ', { typ: 'JWT' }],
    ['no typ', { typ: undefined }],
    ['something critical', { crit: ['exp'], exp: 1 }],
    ['no key', { jwk: undefined }],
    ['a symmetric key', { jwk: { kty: 'oct', k: 'AAAA' } }],
    ['a key of an inherited kind', { jwk: { kty: 'constructor' } }],
    ['a key without its half', { jwk: { kty: 'EC', crv: 'P-256', x: 'AAAA' } }],
    ['a point that is not on the curve', { jwk: { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' } }],
    ['a key on another curve', { jwk: { kty: 'EC', crv: 'secp256k1', x: 'AAAA', y: 'AAAA' } }],
    ['a key that is a list', { jwk: ['EC'] }],
  ])('%s: it is none', async (_what, header) => {
    const signed = { ...headerOf(await proofOf('ES256')), ...header };
    const input = `${encode(signed)}.${encode({ jti: 'x' })}`;
    const key = { key: keyOf('ES256').privateKey, dsaEncoding: 'ieee-p1363' } as const;
    const signature = sign('sha256', Buffer.from(input), key).toString('base64url');
    expect(verifyProof(`${input}.${signature}`)).toBeUndefined();
  });

  it('typ in capitals, or as a whole media type, is the same (RFC 7515 §4.1.9)', async () => {
    for (const typ of ['DPoP+JWT', 'application/dpop+jwt']) {
      expect(verifyProof(await proofOf('ES256', { typ }))).toBeDefined();
    }
  });

  it('has one form: neither DER, nor cut, nor lengthened, nor with spaces', async () => {
    const proof = await proofOf('ES256');
    const [head, body, signature = ''] = proof.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    const der = sign('sha256', Buffer.from(`${head}.${body}`), keyOf('ES256').privateKey);
    const others = [der, bytes.subarray(1), Buffer.concat([bytes, Buffer.alloc(1)]), Buffer.alloc(64), Buffer.alloc(0)];
    for (const other of others) expect(verifyProof(`${head}.${body}.${other.toString('base64url')}`)).toBeUndefined();
    for (const text of [`${proof} `, `${proof}=`, `${proof}.`, ` ${proof}`, 'a.b', '', '..']) {
      expect(verifyProof(text)).toBeUndefined();
    }
  });

  it.each([[], null, 7, 'text'])('over claims that are %j is none', async (claims) => {
    const [head] = (await proofOf('ES256')).split('.');
    const input = `${head}.${encode(claims)}`;
    const key = { key: keyOf('ES256').privateKey, dsaEncoding: 'ieee-p1363' } as const;
    expect(verifyProof(`${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`)).toBeUndefined();
  });
});

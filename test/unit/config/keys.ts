import { generateKeyPairSync, randomBytes } from 'node:crypto';
import type { JWK } from 'jose';

const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });

export const rsaPrivate = { ...RSA.privateKey.export({ format: 'jwk' }), kid: 'r1', alg: 'RS256', use: 'sig' } as JWK;
export const ecPrivate = { ...EC.privateKey.export({ format: 'jwk' }), kid: 'e1', alg: 'ES256', use: 'sig' } as JWK;
export const ecPublic = { ...EC.publicKey.export({ format: 'jwk' }), kid: 'e1' } as JWK;
export const rsaPublic = { ...RSA.publicKey.export({ format: 'jwk' }), kid: 'r1' } as JWK;

export const jwks = (...keys: object[]) => JSON.stringify({ keys });

export const sealingKey = () => randomBytes(32).toString('base64url');

import { createHash } from 'node:crypto';
import { equalTexts, type Sealing } from '../sealing/sealing.ts';
import { Secret } from '../sealing/secret.ts';

/** A Gatehouse refresh token, taken apart: whose it is, the how manieth of its chain, and 256 secret bits. */
export interface RefreshToken {
  sessionId: string;
  n: number;
  secret: Secret;
}

const ID_BYTES = 16;
const N_BYTES = 4;
const SECRET_BYTES = 32;

/** The chain begins with the device code: whoever redeems it again after lost writes gets the same token again. */
export function firstRefreshToken(
  sessionId: string,
  deviceCode: Secret,
  keyName: string,
  sealing: Sealing,
): RefreshToken {
  const secret = sealing.derive(keyName, 'first refresh token', deviceCode, SECRET_BYTES);
  return { sessionId, n: 0, secret: new Secret(secret.toString('base64url')) };
}

/** Token n+1 is computed from token n, so any replica that is shown a token again computes the same successor. */
export function nextRefreshToken(token: RefreshToken, keyName: string, sealing: Sealing): RefreshToken {
  const secret = sealing.derive(keyName, 'next refresh token', token.secret, SECRET_BYTES);
  return { sessionId: token.sessionId, n: token.n + 1, secret: new Secret(secret.toString('base64url')) };
}

export function formatRefreshToken(token: RefreshToken): Secret {
  const n = Buffer.alloc(N_BYTES);
  n.writeUInt32BE(token.n);
  const parts = [Buffer.from(token.sessionId, 'base64url'), n, Buffer.from(token.secret.reveal(), 'base64url')];
  return new Secret(Buffer.concat(parts).toString('base64url'));
}

/** `undefined` where the text cannot be one of ours. */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== ID_BYTES + N_BYTES + SECRET_BYTES || bytes.toString('base64url') !== text) return undefined;
  return {
    sessionId: bytes.subarray(0, ID_BYTES).toString('base64url'),
    n: bytes.readUInt32BE(ID_BYTES),
    secret: new Secret(bytes.subarray(ID_BYTES + N_BYTES).toString('base64url')),
  };
}

/** What is stored of a token. A plain hash does: there is nothing to guess in 256 random bits. */
export function refreshTokenHash(token: RefreshToken): string {
  return createHash('sha256').update('gatehouse refresh token\n').update(token.secret.reveal()).digest('base64url');
}

export function isRefreshToken(token: RefreshToken, hash: string): boolean {
  return equalTexts(refreshTokenHash(token), hash);
}

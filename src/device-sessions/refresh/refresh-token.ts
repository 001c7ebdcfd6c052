import { equalTexts, type Sealing } from '../../sealing/sealing.ts';
import { Secret } from '../../sealing/secret.ts';

/**
 * A Gatehouse refresh token, taken apart: its session, how many refreshes lie before it, 256 secret bits, and a MAC over
 * the three. The MAC proves long after a token was spent that it was one of ours, so nothing of spent tokens is stored.
 */
export interface RefreshToken {
  sessionId: string;
  n: number;
  secret: Secret;
  /** Tokens of release 0.1.0 have none. */
  mac?: string | undefined;
}

const ID_BYTES = 16;
const N_BYTES = 4;
const SECRET_BYTES = 32;
const MAC_BYTES = 16;
const CHAINED_BYTES = ID_BYTES + N_BYTES + SECRET_BYTES;

/** The chain begins with the device code: whoever redeems it again after lost writes gets the same token again. */
export function firstRefreshToken(
  sessionId: string,
  deviceCode: Secret,
  keyName: string,
  sealing: Sealing,
): RefreshToken {
  const secret = sealing.derive(keyName, 'first refresh token', deviceCode, SECRET_BYTES);
  return withMac({ sessionId, n: 0, secret: new Secret(secret.toString('base64url')) }, keyName, sealing);
}

/**
 * The token after this one. The salt was drawn when this one was made, so any replica gives a retry the same successor;
 * it is overwritten two refreshes later, and then neither the sealing key nor this token leads any further.
 *
 * @param salt 128 random bits of the refresh entry
 */
export function successorOf(token: RefreshToken, salt: string, keyName: string, sealing: Sealing): RefreshToken {
  const material = new Secret(`${token.secret.reveal()}.${salt}`);
  const secret = sealing.derive(keyName, 'successor of a refresh token', material, SECRET_BYTES);
  const { sessionId, n } = token;
  return withMac({ sessionId, n: n + 1, secret: new Secret(secret.toString('base64url')) }, keyName, sealing);
}

/** Whether a broker made it; in a time that tells nothing about the right MAC. */
export function isAuthentic(token: RefreshToken, keyName: string, sealing: Sealing): boolean {
  return token.mac !== undefined && equalTexts(token.mac, macOf(token, keyName, sealing));
}

export function formatRefreshToken({ sessionId, n, secret, mac }: RefreshToken): Secret {
  const number = Buffer.alloc(N_BYTES);
  number.writeUInt32BE(n);
  const [id, bits, proof] = [sessionId, secret.reveal(), mac ?? ''].map((text) => Buffer.from(text, 'base64url'));
  return new Secret(Buffer.concat([id as Buffer, number, bits as Buffer, proof as Buffer]).toString('base64url'));
}

/** `undefined` where the text cannot be one of ours. */
export function parseRefreshToken(text: string): RefreshToken | undefined {
  const bytes = Buffer.from(text, 'base64url');
  const isOfOurLength = bytes.length === CHAINED_BYTES || bytes.length === CHAINED_BYTES + MAC_BYTES;
  if (!isOfOurLength || bytes.toString('base64url') !== text) return undefined;
  return {
    sessionId: bytes.toString('base64url', 0, ID_BYTES),
    n: bytes.readUInt32BE(ID_BYTES),
    secret: new Secret(bytes.toString('base64url', ID_BYTES + N_BYTES, CHAINED_BYTES)),
    mac: bytes.length === CHAINED_BYTES ? undefined : bytes.toString('base64url', CHAINED_BYTES),
  };
}

function withMac(token: RefreshToken, keyName: string, sealing: Sealing): RefreshToken {
  return { ...token, mac: macOf(token, keyName, sealing) };
}

function macOf({ sessionId, n, secret }: RefreshToken, keyName: string, sealing: Sealing): string {
  return sealing.tagUnder(keyName, 'refresh token', `${sessionId} ${n} ${secret.reveal()}`);
}

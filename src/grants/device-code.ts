import { hash } from 'node:crypto';
import { type RandomBytes, Secret } from '../sealing/secret.ts';

const DEVICE_CODE_BYTES = 32;

const ID_BYTES = 16;

/** 256 random bits (RFC 8628 §5.2), 43 characters. */
export function newDeviceCode(randomBytes: RandomBytes): Secret {
  return new Secret(randomBytes(DEVICE_CODE_BYTES).toString('base64url'));
}

/**
 * The id under which everything of a grant is kept, 22 characters. It is a plain hash: the code has too much entropy to
 * be searched for, and without a key no rotation ever moves a grant. It is also the id of the device session.
 */
export function grantId(deviceCode: Secret): string {
  return hash('sha256', `gatehouse grant\n${deviceCode.reveal()}`, 'buffer').toString('base64url', 0, ID_BYTES);
}

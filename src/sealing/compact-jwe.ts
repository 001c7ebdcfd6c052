import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * JWE in compact form with `A256GCM` and no encrypted key (RFC 7516 §7.1, RFC 7518 §5.3), straight over node:crypto: a
 * sign-in seals and opens some two dozen values, and going through Web Crypto costs six times as much for each.
 */
export type JweHeader = Readonly<Record<string, unknown>>;

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** @param header besides `enc` */
export function encryptCompact(plaintext: string, header: JweHeader, key: Buffer): string {
  const protectedHeader = Buffer.from(JSON.stringify({ ...header, enc: 'A256GCM' })).toString('base64url');
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(protectedHeader));
  const ciphertext = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
  const parts = [iv, ciphertext, cipher.getAuthTag()].map((part) => part.toString('base64url'));
  return `${protectedHeader}..${parts.join('.')}`;
}

/** The header as it claims to be, or `undefined` where this is no such JWE. Only `decryptCompact` proves it. */
export function compactHeader(jwe: string): JweHeader | undefined {
  const [first = '', encryptedKey, ...rest] = jwe.split('.');
  if (encryptedKey !== '' || rest.length !== 3) return undefined;
  try {
    const { enc, ...header } = JSON.parse(Buffer.from(first, 'base64url').toString());
    return enc === 'A256GCM' ? header : undefined;
  } catch {
    return undefined;
  }
}

/** @throws when it was not encrypted under this key, or was changed since */
export function decryptCompact(jwe: string, key: Buffer): string {
  const [protectedHeader = '', , ...parts] = jwe.split('.');
  const [iv, ciphertext, tag] = parts.map((part) => Buffer.from(part, 'base64url'));
  if (iv?.length !== IV_BYTES || ciphertext === undefined || tag?.length !== TAG_BYTES) throw new TypeError('no JWE');
  const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(protectedHeader));
  decipher.setAuthTag(tag);
  return Buffer.concat([decipher.update(ciphertext), decipher.final()]).toString('utf8');
}

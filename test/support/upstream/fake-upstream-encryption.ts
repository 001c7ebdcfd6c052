import { base64url, CompactEncrypt, importJWK, type JWK } from 'jose';

/** How a provider encrypts what it sends, by name. Right: RSA-OAEP-256 or ECDH-ES as the key is, with A256GCM. */
export interface Encryption {
  /** The public key that it was given. */
  key: JWK;
  alg?: string;
  enc?: string;
  /** Names the key in the header. */
  kid?: string;
  goesWrong?:
    | 'holds_unsigned_claims'
    | 'encrypts_twice'
    /** Says so in its header only; no library of today encrypts with it. */
    | 'says_RSA1_5'
    | 'compressed'
    | 'damaged'
    | 'garbled_header'
    | 'huge';
}

export async function encrypted(token: string, how: Encryption): Promise<string> {
  const { key, goesWrong, kid } = how;
  const alg = how.alg ?? (key.kty === 'RSA' ? 'RSA-OAEP-256' : 'ECDH-ES');
  const header = { alg, enc: how.enc ?? 'A256GCM', ...(kid !== undefined && { kid }) };
  const encrypt = async (text: string, more = {}) =>
    new CompactEncrypt(new TextEncoder().encode(text))
      .setProtectedHeader({ ...header, cty: 'JWT', ...more })
      .encrypt(await importJWK(key, alg));
  switch (goesWrong) {
    case 'holds_unsigned_claims':
      return encrypt(new TextDecoder().decode(base64url.decode(token.split('.')[1] ?? '')));
    case 'encrypts_twice':
      return encrypt(await encrypt(token));
    case 'says_RSA1_5':
      return withHeader(await encrypt(token), JSON.stringify({ ...header, alg: 'RSA1_5' }));
    case 'compressed':
      return encrypt(token, { zip: 'DEF' });
    case 'damaged':
      return `${(await encrypt(token)).slice(0, -4)}AAAA`;
    case 'garbled_header':
      return withHeader(await encrypt(token), 'not JSON');
    case 'huge':
      return encrypt(`${token}${'x'.repeat(300_000)}`);
    default:
      return encrypt(token);
  }
}

function withHeader(token: string, header: string): string {
  return [base64url.encode(header), ...token.split('.').slice(1)].join('.');
}

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { errors, type JSONWebKeySet, type JWK, type JWTPayload, jwtVerify } from 'jose';
import { Secret } from '../sealing/secret.ts';
import { certificateMembers } from './certificate-members.ts';
import { signCompact } from './sign-compact.ts';
import { algsOf, checkSigningKeys, makeSigningKey, type SigningAlg, type SigningKey } from './signing-key-set.ts';

/** The keys that tokens are signed with. All but `algs` and `isReady` wait until there are any. */
export interface SigningKeys {
  readonly algs: readonly SigningAlg[];
  readonly ready: Promise<void>;
  isReady(): boolean;
  sign(alg: SigningAlg, typ: string, claims: JWTPayload): Promise<Secret>;
  /** The public parts of all keys, also of those that sign no more or not yet. */
  publicJwks(): Promise<JSONWebKeySet>;
  /** The RS256 signing key as bare base64 SPKI, as Keycloak's realm document has it. */
  publicKeyBase64(): Promise<string | undefined>;
  /** The claims of a token of ours, or `undefined` for anything that is not one, or is one no longer. */
  verify(jwt: string, expected: ExpectedToken): Promise<JWTPayload | undefined>;
}

export interface ExpectedToken {
  /** One of these, so that no kind of token can stand in for another (RFC 8725 §3.11). */
  types: readonly string[];
  /** One of these; path profiles are issuers of their own. */
  issuers: readonly string[];
  /** One of these, where given. */
  audiences?: readonly string[];
  /** By the storage's clock, which dated the token too. */
  nowMs: number;
}

interface LoadedKey {
  kid: string;
  alg: SigningAlg;
  privateKey: KeyObject;
  publicKey: KeyObject;
  publicJwk: JWK;
}

/**
 * The keys of the settings, or, where these have none, keys that are made in the background while the process starts.
 *
 * @throws {SigningKeySetError} for keys that cannot be used
 */
export function createSigningKeys(settings?: SigningSettings): SigningKeys {
  if (settings !== undefined && settings.keys.length > 0) {
    const loaded = checkSigningKeys(settings.keys).map(load);
    return signingKeysOf(algsOf(loaded), Promise.resolve(loaded), true);
  }
  const algs: SigningAlg[] = ['RS256', 'ES256'];
  return signingKeysOf(algs, Promise.all(algs.map(async (alg) => load(await makeSigningKey(alg, Date.now())))), false);
}

function signingKeysOf(algs: readonly SigningAlg[], keys: Promise<LoadedKey[]>, isLoaded: boolean): SigningKeys {
  let isReady = isLoaded;
  const ready = keys.then(() => {
    isReady = true;
  });
  // A caller that waits is told of a failure; nobody has to wait.
  ready.catch(() => {});

  return {
    algs,
    ready,
    isReady: () => isReady,

    async sign(alg, typ, claims) {
      const key = (await keys).find((candidate) => candidate.alg === alg);
      if (key === undefined) throw new Error(`keys.signing has no ${alg} key`);
      return new Secret(await signCompact({ alg, typ, kid: key.kid }, claims, key.privateKey));
    },

    async publicJwks() {
      return { keys: (await keys).map((key) => key.publicJwk) };
    },

    async publicKeyBase64() {
      const key = (await keys).find((candidate) => candidate.alg === 'RS256');
      return key?.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    },

    async verify(jwt, { types, issuers, audiences, nowMs }) {
      const loaded = await keys;
      const keyOf = ({ kid, alg }: { kid?: string; alg: string }): KeyObject => {
        const key = loaded.find((candidate) => candidate.kid === kid && candidate.alg === alg);
        if (key === undefined) throw new errors.JWKSNoMatchingKey();
        return key.publicKey;
      };
      try {
        const { payload, protectedHeader } = await jwtVerify(jwt, keyOf, {
          algorithms: [...algs],
          issuer: [...issuers],
          ...(audiences === undefined ? {} : { audience: [...audiences] }),
          requiredClaims: ['sub', 'aud', 'exp', 'iat'],
          currentDate: new Date(nowMs),
        });
        return types.includes(protectedHeader.typ ?? '') ? payload : undefined;
      } catch (error) {
        if (error instanceof errors.JOSEError) return undefined;
        throw error;
      }
    },
  };
}

function load(key: SigningKey): LoadedKey {
  const { kid, alg, use } = key;
  const privateKey = createPrivateKey({ key: key as unknown as Record<string, unknown>, format: 'jwk' });
  const publicKey = createPublicKey(privateKey);
  // From the key itself, not by leaving members out: what else a JWK of the file has, but for
  // certificates, is nobody's business.
  return {
    kid,
    alg,
    privateKey,
    publicKey,
    publicJwk: { ...(publicKey.export({ format: 'jwk' }) as JWK), kid, alg, use, ...certificateMembers(key) },
  };
}

/** Private JWKs with `kid`, `alg` and `use`, in the file's order: the first of each `alg` signs, all are published. */
export interface SigningSettings {
  keys: readonly JWK[];
}

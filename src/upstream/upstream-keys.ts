import {
  type CryptoKey,
  compactVerify,
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  type JWK,
  type ProtectedHeaderParameters,
} from 'jose';
import { KeptAnswer } from './requests/kept-answer.ts';
import { UpstreamError } from './upstream.ts';
import { neededForCheck } from './upstream-faults.ts';

const MINUTE = 60 * 1000;
/** Each costs a verification, and a token says itself which keys fit it. */
const MAX_CANDIDATES = 4;

export interface UpstreamKeysDeps {
  load: (deadline: AbortSignal) => Promise<unknown>;
  clock: () => number;
  timeoutMs: number;
  onStale: (error: unknown) => void;
}

export interface SignedToken {
  token: string;
  algorithms: readonly string[];
  /**
   * Whether we asked the upstream for it. Such a token may always make us fetch the keys once; one that anybody can
   * send does so at most every half minute, or strangers could have us call the upstream as often as they like.
   */
  isAskedFor: boolean;
}

/** The upstream's public keys. A token that none of them has signed makes us look once more. */
export class UpstreamKeys {
  readonly #kept: KeptAnswer<KeySet>;

  constructor({ load, ...options }: UpstreamKeysDeps) {
    const fetched = async (deadline: AbortSignal) => readKeySet(await load(deadline));
    this.#kept = new KeptAnswer({ ...options, freshMs: 10 * MINUTE, load: fetched });
  }

  /**
   * Verifies what the upstream has answered.
   *
   * @throws {UpstreamError} `invalid_answer`
   */
  async verifyAnswer(what: string, token: string, algorithms: string[]): Promise<void> {
    try {
      await this.verify({ token, algorithms, isAskedFor: true }, (key) => compactVerify(token, key, { algorithms }));
    } catch (error) {
      if (!(error instanceof errors.JOSEError)) throw error;
      throw new UpstreamError('invalid_answer', `${what}: ${error.message}`);
    }
  }

  /**
   * Verifies a token with whichever key has signed it.
   *
   * @param verify one of jose's, with all that must be true of the token
   * @throws a `JOSEError`, or what fetching the keys threw
   */
  async verify<T>(signed: SignedToken, verify: (key: CryptoKey) => Promise<T>): Promise<T> {
    const header = decodeHeader(signed.token);
    if (header.alg === undefined || !signed.algorithms.includes(header.alg)) {
      throw new errors.JOSEAlgNotAllowed('"alg" (Algorithm) Header Parameter value not allowed');
    }
    const begun = this.#kept.begun;
    try {
      return await withEach(candidates(await this.#had(signed, this.#kept.current()), header), verify);
    } catch (error) {
      if (!isUnknownKey(error)) throw error;
      const renewed = await this.#had(signed, signed.isAskedFor ? this.#kept.begunAfter(begun) : this.#kept.renewed());
      if (renewed === undefined) throw error;
      return await withEach(candidates(renewed, header), verify);
    }
  }

  #had<T>({ isAskedFor }: SignedToken, keys: Promise<T>): Promise<T> {
    return isAskedFor ? keys : neededForCheck('keys', keys);
  }
}

function decodeHeader(token: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(token);
  } catch {
    throw new errors.JWSInvalid('it is no JWS');
  }
}

type FindKey = ReturnType<typeof createLocalJWKSet>;

interface KeySet {
  all: FindKey;
  /** Those that have no name of their own. */
  nameless: FindKey;
}

/** Equal keys are one: some providers publish the same key twice, under one `kid`. */
function readKeySet(answer: unknown): KeySet {
  const listed: unknown = (answer as { keys?: unknown } | null | undefined)?.keys;
  if (!Array.isArray(listed)) {
    throw new UpstreamError('invalid_answer', 'the upstream’s jwks_uri does not answer with a JSON Web Key Set');
  }
  const keys = new Map<string, JWK>();
  for (const key of listed) {
    if (typeof key === 'object' && key !== null) keys.set(identity(key as JWK), key as JWK);
  }
  const all = [...keys.values()];
  return {
    all: createLocalJWKSet({ keys: all }),
    nameless: createLocalJWKSet({ keys: all.filter(({ kid }) => kid === undefined || kid === null || kid === '') }),
  };
}

function identity({ kty, crv, x, y, n, e, kid, alg, use }: JWK): string {
  return JSON.stringify([kty, crv, x, y, n, e, kid, alg, use]);
}

/**
 * The keys that may have signed a token with this header: those that fit its algorithm, and of them those of its name.
 * Where no key has that name, one without a name may be meant.
 */
async function* candidates({ all, nameless }: KeySet, header: ProtectedHeaderParameters): AsyncGenerator<CryptoKey> {
  const { kid, ...anyName } = header;
  const found = await matching(all, header);
  yield* found ?? (kid === undefined ? undefined : await matching(nameless, anyName)) ?? [];
}

async function matching(find: FindKey, header: ProtectedHeaderParameters) {
  try {
    return [await find(header as Parameters<FindKey>[0])];
  } catch (error) {
    // Several may be meant. Anything else, a key that cannot be read included, is as good as no key.
    return error instanceof errors.JWKSMultipleMatchingKeys ? error : undefined;
  }
}

async function withEach<T>(keys: AsyncGenerator<CryptoKey>, verify: (key: CryptoKey) => Promise<T>): Promise<T> {
  let tried = 0;
  for await (const key of keys) {
    if (tried >= MAX_CANDIDATES) break;
    tried += 1;
    try {
      return await verify(key);
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw tried === 0 ? new errors.JWKSNoMatchingKey() : new errors.JWSSignatureVerificationFailed();
}

function isUnknownKey(error: unknown): boolean {
  return error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed;
}

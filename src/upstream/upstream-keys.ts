import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { KeptAnswer } from './kept-answer.ts';
import { UpstreamError } from './upstream.ts';

const MINUTE = 60 * 1000;

export interface UpstreamKeysOptions {
  load: (deadline: AbortSignal) => Promise<unknown>;
  clock: () => number;
  timeoutMs: number;
  onStale: (error: unknown) => void;
}

/** The upstream's public keys. A token signed with a key that is not among them makes us look once more. */
export class UpstreamKeys {
  readonly #kept: KeptAnswer<ReturnType<typeof createLocalJWKSet>>;

  constructor({ load, ...options }: UpstreamKeysOptions) {
    this.#kept = new KeptAnswer({
      ...options,
      freshMs: 10 * MINUTE,
      load: async (deadline) => createLocalJWKSet(checkedKeySet(await load(deadline))),
    });
  }

  /** For jose's verify functions. */
  readonly find = async (header: JWSHeaderParameters, token: FlattenedJWSInput) => {
    const keys = await this.#kept.current();
    try {
      return await keys(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error;
      const renewed = await this.#kept.renewed();
      if (renewed === undefined) throw error;
      return renewed(header, token);
    }
  };
}

function checkedKeySet(answer: unknown): JSONWebKeySet {
  const keys = (answer as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'object' && key !== null)) {
    throw new UpstreamError('invalid_answer', 'the upstream’s jwks_uri does not answer with a JSON Web Key Set');
  }
  return { keys };
}

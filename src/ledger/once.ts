import type { RandomBytes } from '../sealing/secret.ts';
import { newAttempt } from './attempt.ts';
import type { Ledger } from './ledger.ts';

/** Names that count once (`jti` of proofs, assertions, logout tokens): whoever comes second was replayed. */
export interface UsedOnce {
  /** Keeps a name until a moment; `false` where it is kept already. */
  readonly useOnce: (name: string, untilMs: number) => Promise<boolean>;
  readonly wasUsed: (name: string) => Promise<boolean>;
}

export function createUsedOnce(ledger: Ledger, randomBytes: RandomBytes): UsedOnce {
  const keyOf = (name: string) => `once:${name}`;
  return {
    async useOnce(name, untilMs) {
      const attempt = newAttempt(randomBytes);
      const entry = { key: keyOf(name), value: `${attempt}|`, expiresAtMs: untilMs };
      return (await ledger.commit({ attempt, writes: [entry] })).outcome === 'won';
    },
    async wasUsed(name) {
      return (await ledger.read([keyOf(name)])).values[0] !== undefined;
    },
  };
}

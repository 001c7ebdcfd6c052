import type { JWTPayload } from 'jose';
import type { SigningKeys } from '../tokens/signing-keys.ts';

/** An access token that we minted and that has not expired. Whether its session still stands is asked separately. */
export interface ReadAccessToken {
  claims: JWTPayload;
  clientId: string;
  sessionId: string;
  jti: string;
  scopes: readonly string[];
  audiences: readonly string[];
  /** The DPoP key that it is bound to. */
  jkt: string | undefined;
}

export interface AccessTokens {
  /** `undefined` for everything that is not one of ours: relayed tokens are the upstream's, and only it knows them. */
  read(text: string): Promise<ReadAccessToken | undefined>;
}

const MAX_TOKEN = 16 * 1024;

export function createAccessTokens(deps: {
  signingKeys: SigningKeys;
  /** Those whose tokens are taken. */
  issuers: readonly string[];
  now: () => Promise<number>;
}): AccessTokens {
  return {
    async read(text) {
      if (text.length > MAX_TOKEN || text.split('.').length !== 3) return undefined;
      // An ID token calls itself JWT too, and has neither `client_id` nor `jti`, which no upstream can put there either.
      const expected = { types: ['at+jwt', 'JWT'], issuers: deps.issuers, nowMs: await deps.now() };
      const claims = await deps.signingKeys.verify(text, expected);
      if (claims === undefined) return undefined;
      const { client_id: clientId, sid, jti, scope, aud = [], cnf } = claims;
      if (typeof clientId !== 'string' || typeof sid !== 'string' || typeof jti !== 'string') return undefined;
      return {
        claims,
        clientId,
        sessionId: sid,
        jti,
        scopes: typeof scope === 'string' ? scope.split(' ') : [],
        audiences: typeof aud === 'string' ? [aud] : aud,
        jkt: thumbprintIn(cnf),
      };
    },
  };
}

function thumbprintIn(confirmation: unknown): string | undefined {
  const { jkt } = (confirmation ?? {}) as { jkt?: unknown };
  return typeof jkt === 'string' ? jkt : undefined;
}

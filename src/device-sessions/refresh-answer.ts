import { answerEntry } from '../grants/entry-names.ts';
import { type Form, openNumbered, sealNumbered } from '../grants/numbered-seal.ts';
import type { TokenAnswer } from '../grants/redeem-grant.ts';
import type { Sealing } from '../sealing/sealing.ts';
import { formatRefreshToken, type RefreshToken } from './refresh-token.ts';

/** The answer of a rotation, and the DPoP key that it was given to. */
export interface RefreshAnswer {
  jkt: string;
  answer: TokenAnswer;
}

const FORM: Form = { kind: 'refresh answer', format: 1 };

/** Opens only with the token that was spent for it: a retry gets the same answer, and nothing is kept in clear. */
export function sealAnswer(token: RefreshToken, { jkt, answer }: RefreshAnswer, sealing: Sealing): Promise<string> {
  const key = answerEntry(token.sessionId, token.n);
  return sealNumbered(sealing, FORM, [jkt, answer], key, formatRefreshToken(token));
}

export async function openAnswer(token: RefreshToken, stored: string, sealing: Sealing): Promise<RefreshAnswer> {
  const key = answerEntry(token.sessionId, token.n);
  const sealed = await openNumbered<[RefreshAnswer['jkt'], TokenAnswer]>(
    sealing,
    FORM,
    stored,
    key,
    formatRefreshToken(token),
  );
  const [jkt, answer] = sealed;
  return { jkt, answer };
}

import { describe, expect, it } from 'vitest';
import { authenticateOperator, type OperatorDeps } from '../../../src/operations/admin/authenticate-operator.ts';
import { UpstreamError } from '../../../src/upstream/upstream.ts';

const SIGNED = 'e30.e30.AAAA';
const ENCRYPTED = 'e30.AAAA.AAAA.AAAA.AAAA';

/** After twenty wrong tokens from this address. */
function lockedOut() {
  const judged: string[] = [];
  const deps = {
    settings: { by: 'upstream', upstream: 'corp', groups: ['helpdesk'], audience: 'gatehouse-admin' },
    limits: { admit: async () => ({ verdict: 'refused', limit: 'failed', retryAfterSeconds: 60 }) },
    onLimited: () => {},
    upstreams: new Map([
      [
        'corp',
        {
          async verifyOperatorToken(token: string) {
            judged.push(token);
            throw new UpstreamError('invalid_answer', 'wrong');
          },
        },
      ],
    ]),
  } as unknown as OperatorDeps;
  const ask = (token: string) => authenticateOperator(deps, { authorization: `Bearer ${token}` }, '192.0.2.1');
  return { judged, ask };
}

describe('after too many wrong tokens from an address', () => {
  it('judges a signed token all the same, since it may be a right one', async () => {
    const { judged, ask } = lockedOut();
    await expect(ask(SIGNED)).rejects.toMatchObject({ status: 429 });
    expect(judged).toEqual([SIGNED]);
  });

  it('opens no encrypted token, which everybody can make and which costs a decryption', async () => {
    const { judged, ask } = lockedOut();
    await expect(ask(ENCRYPTED)).rejects.toMatchObject({ status: 429 });
    expect(judged).toEqual([]);
  });
});

/**
 * The checks, one object each, one file a subject; this one has what an approved code becomes, and how often. A check judges what
 * its requirement says and no more: where it needs something that is another check's to judge, it says that it cannot see.
 */

import { errorOf, hasTokens, told } from '../answer.ts';
import { CannotBeSeenError } from '../cannot-be-seen-error.ts';
import { type Check, fails, holds } from '../check.ts';
import type { ServerUnderTest } from '../server-under-test.ts';

/** How many redeem one code at once. */
const RIVALS = 8;

async function redeemed(server: ServerUnderTest) {
  const start = await server.start();
  await server.decide(start, 'approve');
  const answer = await server.pollUntilDecided(start);
  return { start, answer };
}

/** For what is judged of tokens; that they come is a check of its own. */
async function withTokens(server: ServerUnderTest) {
  const { start, answer } = await redeemed(server);
  if (!hasTokens(answer)) throw new CannotBeSeenError(`no tokens came: ${told(answer)}`);
  return { start, answer };
}

export const redeemSuccess: Check = {
  id: 'redeem.success',
  title: 'an approved device gets its tokens, with 200 and as JSON',
  requirement: 'R28, RFC 8628 §3.5 by RFC 6749 §5.1',
  level: 'must',
  async run(server) {
    const { answer } = await redeemed(server);
    if (!hasTokens(answer)) return fails(told(answer));
    const isTyped = typeof answer.json?.['token_type'] === 'string';
    if (!isTyped || !answer.isJsonType) return fails(isTyped ? 'its type is not JSON' : 'there is no token_type');
    return holds();
  },
};

export const redeemNoStore: Check = {
  id: 'redeem.no-store',
  title: 'no cache keeps tokens',
  requirement: 'R28, RFC 6749 §5.1',
  level: 'must',
  async run(server) {
    const { answer } = await withTokens(server);
    const control = answer.headers.get('cache-control') ?? '';
    return /\bno-store\b/i.test(control)
      ? holds()
      : fails(`Cache-Control is ${control === '' ? 'not there' : control}`);
  },
};

export const redeemLifetime: Check = {
  id: 'redeem.lifetime',
  title: 'the answer says how long the token lives',
  requirement: 'R28, RFC 6749 §5.1 (RECOMMENDED)',
  level: 'should',
  async run(server) {
    const { expires_in: expiresIn } = (await withTokens(server)).answer.json ?? {};
    return typeof expiresIn === 'number' && expiresIn > 0
      ? holds(`${expiresIn} s`)
      : fails(`expires_in is ${JSON.stringify(expiresIn)}`);
  },
};

export const redeemOnce: Check = {
  id: 'redeem.once',
  title: `of ${RIVALS} polls at once one gets tokens`,
  requirement: 'RFC 6749 §10.5 has it for authorization codes; RFC 8628 does not say it',
  level: 'should',
  async run(server) {
    const start = await server.start();
    await server.decide(start, 'approve');
    await server.wait(start.intervalSeconds);
    const answers = await Promise.all(Array.from({ length: RIVALS }, () => server.poll(start)));
    const winners = answers.filter(hasTokens);
    if (winners.length === 1) return holds();
    const different = new Set(winners.map(({ json }) => json?.['access_token'])).size;
    if (winners.length > 0 && different === 1) return holds(`${winners.length} got the same answer`);
    const loser = answers.find((one) => !hasTokens(one));
    const other = loser === undefined ? '' : `; another got ${told(loser)}`;
    return fails(`${winners.length} got tokens, ${different} different ones${other}`);
  },
};

export const redeemReplay: Check = {
  id: 'redeem.replay',
  title: 'a code that was redeemed is worth nothing any more',
  requirement: 'RFC 6749 §10.5 has it for authorization codes; RFC 8628 does not say it',
  level: 'should',
  async run(server) {
    const { start, answer } = await withTokens(server);
    await server.wait(start.intervalSeconds);
    const again = await server.poll(start);
    if (!hasTokens(again)) return errorOf(again) === undefined ? fails(told(again)) : holds(told(again));
    const isSame = again.json?.['access_token'] === answer.json?.['access_token'];
    return fails(isSame ? 'it gets the same tokens again' : 'it gets other tokens');
  },
};

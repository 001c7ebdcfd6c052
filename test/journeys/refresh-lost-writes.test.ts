import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { refreshEntry } from '../../src/ledger/entry-keys.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const DAY = 24 * 60 * 60 * 1000;

/** A failover promotes a replica that has not seen the last writes: of a session there is one line of tokens, or none. */
describe('a storage that has lost the last refreshes of a session', () => {
  let test: TestBroker;
  beforeEach(async () => {
    test = await createTestBroker();
    // One that rotates would refuse its spent token, and end the session.
    test.upstream.behaviour = { token: { keepsRefreshToken: true } };
  });
  afterEach(() => test.close());

  const refused = { status: 400, body: { error: 'invalid_grant' } };
  const ends = () => test.lines.filter(({ event }) => event === 'session.ended').map(({ by }) => by);
  const next = async (token: string) => (await test.device().refresh(token)).body.refresh_token;

  /** A session, and a way to put its state back to where it is now. */
  async function begin() {
    const { refresh_token: token, access_token } = await test.signIn();
    const { ledger } = test.store.storage;
    const key = refreshEntry(String(decodeJwt(access_token)['sid']));
    const keep = async () => {
      const [value = ''] = (await ledger.read([key])).values;
      return async () => {
        await ledger.take(key);
        const attempt = value.slice(0, value.indexOf('|'));
        const expiresAtMs = (await ledger.now()) + DAY;
        await ledger.commit({ attempt, writes: [{ key, value, expiresAtMs }] });
      };
    };
    return { token, keep };
  }

  it.each([0, 1, 5])('one of them, after %i others: the device goes on with the token that it has', async (before) => {
    const { token: first, keep } = await begin();
    let token = first;
    for (let turn = 0; turn < before; turn += 1) token = await next(token);
    const loseWrites = await keep();
    const newest = await next(token);
    await loseWrites();
    const answer = await test.device().refresh(newest);
    expect(answer.status).toBe(200);
    expect(await next(newest)).toBe(answer.body.refresh_token);
    expect((await test.device().refresh(answer.body.refresh_token)).status).toBe(200);
    expect(ends()).toEqual([]);
  });

  it('one of them, and the device asks again with the token before: the successor is the same', async () => {
    const { token, keep } = await begin();
    const loseWrites = await keep();
    const successor = await next(token);
    await loseWrites();
    expect(await next(token)).toBe(successor);
    expect((await test.device().refresh(successor)).status).toBe(200);
  });

  it('two of them: the session ends, and the device is told to sign in again', async () => {
    const { token, keep } = await begin();
    const loseWrites = await keep();
    const newest = await next(await next(token));
    await loseWrites();
    const answer = await test.device().refresh(newest);
    expect(answer).toMatchObject(refused);
    expect(answer.body['error_description']).toContain('sign in again');
    expect(ends()).toEqual(['lost']);
    expect(await test.device().refresh(token)).toMatchObject(refused);
  });

  it('two of them, and another line was begun since: neither goes on', async () => {
    const { token, keep } = await begin();
    const loseWrites = await keep();
    const one = await next(await next(token));
    await loseWrites();
    const other = await next(await next(token));
    expect(other).not.toBe(one);
    expect(await test.device().refresh(one)).toMatchObject(refused);
    expect(ends()).toEqual(['reuse']);
    expect(await test.device().refresh(other)).toMatchObject(refused);
  });

  it('a token of the right session and number that no broker made changes nothing', async () => {
    const { token } = await begin();
    for (const n of [0, 1, 2, 7]) {
      const made = Buffer.from(token, 'base64url');
      made.writeUInt32BE(n, 16);
      expect(await test.device().refresh(made.toString('base64url'))).toMatchObject(
        n === 0 ? { status: 200 } : refused,
      );
    }
    expect(ends()).toEqual([]);
    expect((await test.device().refresh(await next(token))).status).toBe(200);
  });
});

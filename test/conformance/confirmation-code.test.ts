import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

describe('confirmation_code: four digits that the page shows and the device sends with a poll', () => {
  let test: TestBroker;
  let code: string;
  beforeEach(async () => {
    test = await createTestBroker({ yaml: { clients: { other: {} } } });
    const { body } = await test.device().start({ confirmation: 'required' });
    code = body.device_code;
    await test.approve(body.user_code, { confirmationCode: '4711' });
  });
  afterEach(() => test.close());

  const poll = async (confirmation_code?: string) => {
    const answer = await test.device().poll(code, confirmation_code === undefined ? {} : { confirmation_code });
    return answer.status === 200 ? 'tokens' : answer.body.error;
  };

  it('without it the grant stays pending; with it there are tokens', async () => {
    expect(await poll()).toBe('authorization_pending');
    expect(await poll('')).toBe('authorization_pending');
    expect(await poll('4711')).toBe('tokens');
  });

  it('the third wrong one denies, for the right one too', async () => {
    expect(await poll('0001')).toBe('authorization_pending');
    expect(await poll('0002')).toBe('authorization_pending');
    expect(await poll('0003')).toBe('access_denied');
    expect(await poll('4711')).toBe('access_denied');
    const logged = test.lines.filter(({ event }) => event === 'grant.refused');
    expect(logged).toMatchObject([{ client: 'build-cli', subject: 'alice', reason: 'confirmation_code' }]);
  });

  it('the same wrong one again is one try: some clients send every poll twice', async () => {
    for (let n = 0; n < 5; n += 1) expect(await poll('0001')).toBe('authorization_pending');
    expect(await poll('4711')).toBe('tokens');
  });

  it('guesses that come together share no try', async () => {
    const guesses = Array.from({ length: 50 }, (_, n) => String(n).padStart(4, '0'));
    const answers = await Promise.all(guesses.map((guess) => poll(guess)));
    expect(answers.filter((answer) => answer === 'authorization_pending').length).toBeLessThanOrEqual(2);
    expect(await poll('4711')).toBe('access_denied');
  });

  it('the right one takes a try too: what was asked with it and refused does not make room for a guess', async () => {
    const wish = { confirmation_code: '4711', resource: 'https://not-approved.example' };
    expect((await test.device().poll(code, wish)).body.error).toBe('invalid_target');
    expect([await poll('0001'), await poll('0002'), await poll('4711')]).toEqual([
      'authorization_pending',
      'access_denied',
      'access_denied',
    ]);
  });

  it('another client cannot try at all', async () => {
    for (const guess of ['0001', '0002', '0003', '0004']) {
      const answer = await test.device({ clientId: 'other' }).poll(code, { confirmation_code: guess });
      expect(answer.body.error).toBe('invalid_grant');
    }
    expect(await poll('4711')).toBe('tokens');
  });

  it('where none is expected, one that is sent is ignored', async () => {
    const { body } = await test.device().start();
    await test.approve(body.user_code);
    expect((await test.device().poll(body.device_code, { confirmation_code: '0000' })).status).toBe(200);
  });
});

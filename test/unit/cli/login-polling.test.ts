import { describe, expect, it } from 'vitest';
import { type PollAnswer, pollUntilDecided, type Waiting } from '../../../src/cli/login/login-polling.ts';

interface Run {
  answers: PollAnswer<string>[];
  intervalSeconds?: number;
  lifetimeSeconds?: number;
}

/** Plays the answers one after the other, the last for ever, on a clock that moves by sleeping only. */
async function run({ answers, intervalSeconds, lifetimeSeconds = 600 }: Run) {
  const sleeps: number[] = [];
  const said: Waiting[] = [];
  let nowMs = 1_000_000;
  let polls = 0;
  const end = await pollUntilDecided({
    intervalSeconds,
    expiresAtMs: nowMs + lifetimeSeconds * 1000,
    now: () => nowMs,
    sleep: async (milliseconds) => {
      sleeps.push(milliseconds / 1000);
      nowMs += milliseconds;
    },
    onWait: (waiting) => said.push(waiting),
    poll: async () => answers[Math.min(polls++, answers.length - 1)] ?? { answer: 'pending' },
  });
  return { end, sleeps, said };
}

const pending = { answer: 'pending' } as const;
const slowDown = { answer: 'slow_down' } as const;
const away = { answer: 'unreachable', reason: 'cut' } as const;
const tokens = { answer: 'tokens', tokens: 'the tokens' } as const;

describe('polling (RFC 8628 §3.5)', () => {
  it('waits for the interval before each poll, the first one too', async () => {
    const { end, sleeps } = await run({ answers: [pending, pending, tokens], intervalSeconds: 7 });
    expect(end).toEqual(tokens);
    expect(sleeps).toEqual([7, 7, 7]);
  });

  it('takes 5 seconds where the server names no interval', async () => {
    expect((await run({ answers: [tokens] })).sleeps).toEqual([5]);
  });

  it('waits 5 seconds longer after slow_down, for this and all later polls', async () => {
    const { sleeps } = await run({ answers: [slowDown, pending, slowDown, pending, tokens], intervalSeconds: 5 });
    expect(sleeps).toEqual([5, 10, 10, 15, 15]);
  });

  it('takes the interval that slow_down names where it is longer, and never a shorter one', async () => {
    const answers = [
      { ...slowDown, intervalSeconds: 30 },
      pending,
      { ...slowDown, intervalSeconds: 5 },
      pending,
      tokens,
    ];
    expect((await run({ answers, intervalSeconds: 5 })).sleeps).toEqual([5, 30, 30, 35, 35]);
  });

  it('doubles the wait after each connection time-out, up to a minute, and comes back when there is an answer', async () => {
    const { sleeps, said } = await run({
      answers: [away, away, away, away, away, pending, tokens],
      intervalSeconds: 5,
    });
    expect(sleeps).toEqual([5, 10, 20, 40, 60, 60, 5]);
    expect(said[1]).toEqual({ for: 'server', seconds: 10, reason: 'cut' });
    expect(said.at(-1)).toEqual({ for: 'person' });
  });

  it('never polls faster because it backs off, where the interval is longer than a minute', async () => {
    expect((await run({ answers: [away, tokens], intervalSeconds: 90 })).sleeps).toEqual([90, 90]);
  });

  it('waits as long as Retry-After says', async () => {
    const { sleeps } = await run({
      answers: [{ ...away, retryAfterSeconds: 33 }, pending, tokens],
      intervalSeconds: 5,
    });
    expect(sleeps).toEqual([5, 33, 5]);
  });

  it('polls once more after the end of the code, since the server’s clock counts', async () => {
    const { end, sleeps } = await run({ answers: [pending], intervalSeconds: 5, lifetimeSeconds: 12 });
    expect(end).toEqual({ answer: 'expired' });
    expect(sleeps).toEqual([5, 5, 5]);
    const late = await run({ answers: [pending, pending, tokens], intervalSeconds: 5, lifetimeSeconds: 12 });
    expect(late.end).toEqual(tokens);
  });

  it('ends with the code also where the server never comes back', async () => {
    expect((await run({ answers: [away], lifetimeSeconds: 100 })).end).toEqual({ answer: 'expired' });
  });

  it('waits no longer than the code lives, whatever numbers the server names', async () => {
    const { end, sleeps } = await run({ answers: [{ ...away, retryAfterSeconds: 1e9 }], lifetimeSeconds: 60 });
    expect(end).toEqual({ answer: 'expired' });
    expect(sleeps).toEqual([5, 60]);
    expect((await run({ answers: [tokens], intervalSeconds: 1e9, lifetimeSeconds: 1e9 })).sleeps).toEqual([3600]);
  });

  it.each([
    { answer: 'denied' } as const,
    { answer: 'expired' } as const,
    { answer: 'refused', reason: 'invalid_grant' } as const,
  ])('stops at once on $answer', async (answer) => {
    const { end, sleeps } = await run({ answers: [answer, tokens] });
    expect(end).toEqual(answer);
    expect(sleeps).toHaveLength(1);
  });

  it('says what it waits for', async () => {
    const { said } = await run({ answers: [slowDown, pending, away, tokens], intervalSeconds: 5 });
    expect(said).toEqual([
      { for: 'person' },
      { for: 'slower polls', seconds: 10 },
      { for: 'person' },
      { for: 'server', seconds: 20, reason: 'cut' },
    ]);
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { record, summed } from './fault-row.ts';
import { decideThere, heard, type Installation, install, toConfirmThere } from './installation.ts';

const GRANTS = 10;
const STALL_MS = 2000;
const STORM_MS = 5000;
const KILL_EVERY_MS = 50;

let at: Installation;
afterEach(() => at.stop());

/** What devices hear that poll, redeem and refresh while something befalls Redis, and then once more. */
async function devicesDuring(befall: () => Promise<void>) {
  const device = at.device();
  const pending: string[] = [];
  const approved: string[] = [];
  const tokens: string[] = [];
  for (let n = 0; n < GRANTS; n += 1) {
    pending.push((await device.start()).body.device_code);
    const { body } = await device.start();
    await decideThere(await toConfirmThere(at, body.user_code));
    approved.push(body.device_code);
    tokens.push((await at.signIn()).refresh_token);
  }
  let isOver = false;
  const over = befall().then(() => {
    isOver = true;
  });
  const slow: number[] = [];
  const timed = async (answer: Promise<Parameters<typeof heard>[0]>) => {
    const beganAtMs = performance.now();
    const words = heard(await answer);
    slow.push(performance.now() - beganAtMs);
    return words;
  };
  const polled: string[] = [];
  const polling = (async () => {
    for (let n = 0; !isOver; n += 1) {
      polled.push(await timed(device.poll(pending[n % GRANTS] ?? '')));
      await delay(20);
    }
  })();
  // The second answer is that of a device that tries once more where it heard nothing.
  const untilHeard = async (ask: () => Promise<Parameters<typeof heard>[0]>) => {
    const first = await timed(ask());
    return first.startsWith('503') ? `${first}, then ${await timed(ask())}` : first;
  };
  const redeemed = Promise.all(approved.map((code) => untilHeard(() => device.poll(code))));
  const refreshed = Promise.all(tokens.map((token) => untilHeard(() => device.refresh(token))));
  const [ofCodes, ofTokens] = [await redeemed, await refreshed];
  await over;
  await polling;
  const spent = await Promise.all(approved.map((code) => device.poll(code).then(heard)));
  await at.signIn();
  return {
    polled: summed(polled.map((words) => words.replace('slow_down', 'authorization_pending'))),
    redeemed: summed(ofCodes),
    refreshed: summed(ofTokens),
    spent: summed(spent),
    slowestMs: Math.round(Math.max(...slow)),
  };
}

describe('Redis is disturbed while devices poll, redeem and refresh', () => {
  it.each([
    [
      `its connections are killed every ${KILL_EVERY_MS} ms for ${STORM_MS / 1000} s (CLIENT KILL)`,
      async () => {
        const operator = new Redis(at.redis.url);
        const untilMs = performance.now() + STORM_MS;
        while (performance.now() < untilMs) {
          await operator.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
          await delay(KILL_EVERY_MS);
        }
        operator.disconnect();
      },
    ],
    [
      `it stands still for ${STALL_MS / 1000} s (SIGSTOP)`,
      async () => {
        at.redis.freeze();
        await delay(STALL_MS);
        at.redis.thaw();
      },
    ],
  ])('%s', async (fault, befall) => {
    at = await install();
    const { polled, redeemed, refreshed, spent, slowestMs } = await devicesDuring(befall);
    const violations = await at.check(1);
    record({
      group: 'Redis',
      fault,
      times: 3 * GRANTS,
      device: `pending polls: ${polled}; approved: ${redeemed}; polled once more: ${spent}; refresh: ${refreshed}; the slowest answer after ${slowestMs} ms`,
      person: 'nothing',
      recovery: 'at once; nothing is lost',
      violations,
    });
    expect(violations).toEqual([]);
    expect(spent).toBe('400 invalid_grant');
    expect(polled).not.toContain('500');
  });
});

import { errorOf, told } from '../answer.ts';
import { type Check, cannotBeSeen, fails, holds } from '../check.ts';
import { type DeviceStart, PENDING, type ServerUnderTest, SLOW_DOWN_SECONDS } from '../server-under-test.ts';

/** A clock that is a little off must not make a slow device a fast one. */
const MARGIN_SECONDS = 0.4;
/** Between forgiveness and haste there has to be room: servers take polls of one moment for one. */
const LEAST_INTERVAL_SECONDS = 2;
/** What an interval may be for a run that somebody waits for. */
const MOST_INTERVAL_SECONDS = 30;

export const paceFirstPoll: Check = {
  id: 'pace.first-poll',
  title: 'the first poll may come at once',
  requirement: 'R25, RFC 8628 §3.5 (the interval is between polls)',
  level: 'should',
  async run(server) {
    const answer = await server.poll(await server.start());
    return errorOf(answer) === 'slow_down' ? fails(told(answer)) : holds(told(answer));
  },
};

export const paceIntervalKept: Check = {
  id: 'pace.interval-kept',
  title: 'who keeps the interval is never told to slow down',
  requirement: 'R25, RFC 8628 §3.5',
  level: 'must',
  seconds: (server) => 2 * intervalOf(server),
  async run(server) {
    const start = await server.start();
    for (let n = 0; n < 3; n += 1) {
      if (n > 0) await server.wait(start.intervalSeconds + MARGIN_SECONDS);
      const answer = await server.poll(start);
      if (errorOf(answer) === 'slow_down' || !PENDING.has(errorOf(answer) ?? '')) {
        return fails(`poll ${n + 1}: ${told(answer)}`);
      }
    }
    return holds('3 polls');
  },
};

export const paceSlowDown: Check = {
  id: 'pace.slow-down',
  title: 'who polls too fast gets slow_down, and hears authorization_pending again at 5 seconds more',
  requirement: 'R25, RFC 8628 §3.5 (it defines the answer, and obliges no server to give it)',
  level: 'should',
  seconds: (server) => 2 * intervalOf(server) + SLOW_DOWN_SECONDS,
  async run(server) {
    const start = await server.start();
    const hurried = await hurry(server, start);
    if (hurried !== 'slow_down') return cannotOr(hurried, fails('polls within the interval get authorization_pending'));
    await server.wait(start.intervalSeconds + SLOW_DOWN_SECONDS + MARGIN_SECONDS);
    const answer = await server.poll(start);
    if (errorOf(answer) === 'authorization_pending') return holds();
    return fails(`5 s more than the interval after slow_down: ${told(answer)}`);
  },
};

export const paceSlowDownGrows: Check = {
  id: 'pace.slow-down-grows',
  title: 'after slow_down the old interval is too fast',
  requirement: 'R25, RFC 8628 §3.5',
  level: 'should',
  seconds: (server) => 2 * intervalOf(server),
  async run(server) {
    const start = await server.start();
    const hurried = await hurry(server, start);
    if (hurried !== 'slow_down') return cannotOr(hurried, cannotBeSeen('there is no slow_down at all'));
    await server.wait(start.intervalSeconds + MARGIN_SECONDS);
    const answer = await server.poll(start);
    if (errorOf(answer) === 'slow_down') return holds();
    return fails(`at the old interval it is ${told(answer)}: the 5 s are the device’s alone`);
  },
};

type Hurried = 'slow_down' | 'pending' | 'unseen';

/** The first poll, then one that is too early by any reading. */
async function hurry(server: ServerUnderTest, start: DeviceStart): Promise<Hurried> {
  const { intervalSeconds } = start;
  if (intervalSeconds < LEAST_INTERVAL_SECONDS || intervalSeconds > MOST_INTERVAL_SECONDS) return 'unseen';
  await server.poll(start);
  await server.wait(Math.max(0.4 * intervalSeconds, Math.min(1.2, 0.6 * intervalSeconds)));
  return errorOf(await server.poll(start)) === 'slow_down' ? 'slow_down' : 'pending';
}

function cannotOr(hurried: Hurried, otherwise: ReturnType<typeof fails>) {
  return hurried === 'unseen' ? cannotBeSeen('needs a client whose interval is 2 s to 30 s') : otherwise;
}

/** Of an unknown start, for the estimate. */
function intervalOf(server: ServerUnderTest): number {
  return server.usualStart?.intervalSeconds ?? 5;
}

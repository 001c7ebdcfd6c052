import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BrokerProcess } from '../support/broker/broker-process.ts';
import { FAILPOINTS, type Step } from './failpoint.ts';
import { record, summed } from './fault-row.ts';
import { decideThere, heard, type Installation, install, toConfirmThere } from './installation.ts';
import { sideBySide } from './side-by-side.ts';
import { sizeOf } from './sizes.ts';

const TIMES = sizeOf('FAULT_TIMES');
/** Replicas that die side by side. Those of a refresh mostly wait for the lease of the dead one. */
const LANES = { start: 6, callback: 6, decide: 6, redeem: 6, refresh: 34 };
const LOST = 'connection lost';

let at: Installation;
beforeEach(async () => {
  at = await install();
});
afterEach(() => at.stop());

interface Story {
  device: string;
  person: string;
  recovery: string;
}

/** Who was there when the replica died, and does again what a device or a person would do. */
const STORIES: Record<Step, (doomed: BrokerProcess) => Promise<Story>> = {
  async start(doomed) {
    const first = await at
      .device(doomed)
      .start()
      .then(heard, () => LOST);
    const again = await at.device().start();
    return { device: `${first}; starts again: ${heard(again)}`, person: '–', recovery: 'nothing to do' };
  },
  async callback(doomed) {
    const device = at.device();
    const { body } = await device.start();
    const person = at.person(doomed, ({ pathname }) => pathname.startsWith('/callback/'));
    const first = await toConfirmThere(at, body.user_code, person).then(
      ({ page }) => String(page.status),
      () => LOST,
    );
    const polled = heard(await device.poll(body.device_code));
    const again = await toConfirmThere(at, body.user_code);
    const done = await decideThere(again);
    await delay(1000);
    const tokens = heard(await device.poll(body.device_code));
    return {
      device: `${polled}, then ${tokens}`,
      person: `${first}; types the code again: ${again.page.status}, approves: ${done.url.pathname === '/device/done' ? 'done' : done.heading}`,
      recovery: 'the code stays good',
    };
  },
  async decide(doomed) {
    const device = at.device();
    const { body } = await device.start();
    const person = at.person(doomed, ({ pathname }, method) => pathname === '/device/confirm' && method === 'POST');
    const confirm = await toConfirmThere(at, body.user_code, person);
    const first = await decideThere(confirm).then(
      ({ status }) => String(status),
      () => LOST,
    );
    const polled = heard(await device.poll(body.device_code));
    let again = 'the device has its tokens';
    if (polled !== '200') {
      const retried = await toConfirmThere(at, body.user_code);
      again =
        (await decideThere(retried)).url.pathname === '/device/done' ? 'approves anew: done' : 'could not approve';
      await delay(1000);
    }
    const tokens = polled === '200' ? polled : heard(await device.poll(body.device_code));
    return {
      device: polled === tokens ? tokens : `${polled}, then ${tokens}`,
      person: `${first}; ${again}`,
      recovery: 'the first decision stands',
    };
  },
  async redeem(doomed) {
    const device = at.device();
    const { body } = await device.start();
    await decideThere(await toConfirmThere(at, body.user_code));
    const first = await at
      .device(doomed)
      .poll(body.device_code)
      .then(heard, () => LOST);
    const again = heard(await device.poll(body.device_code));
    return {
      device: `${first}; polls again: ${again}`,
      person: 'nothing',
      recovery:
        again === '200'
          ? 'the next poll has the tokens'
          : 'the device starts again, unless its client has `redelivery`',
    };
  },
  async refresh(doomed) {
    const { keepsRefreshToken = false } = at.upstream.behaviour.token ?? {};
    const { refresh_token: token } = await at.signIn();
    const first = await at
      .device(doomed)
      .refresh(token)
      .then(heard, () => LOST);
    const began = performance.now();
    let again = heard(await at.device().refresh(token));
    const answers = [again];
    while (again.startsWith('503') && performance.now() - began < 30_000) {
      await delay(1000);
      again = heard(await at.device().refresh(token));
      answers.push(again);
    }
    const hasWaited = answers.some((answer) => answer.startsWith('503'));
    return {
      device: `${first}; refreshes again: ${[...new Set(answers)].join(', then ')} (an upstream that ${keepsRefreshToken ? 'keeps' : 'rotates'} its refresh token)`,
      person: 'nothing',
      recovery: hasWaited ? 'when the lease of the dead replica has lapsed (15 s)' : 'at once',
    };
  },
};

describe('a replica is killed (SIGKILL)', () => {
  it.each(FAILPOINTS.map((point) => [point.name, point.step] as const))('%s', async (name, step) => {
    const stories: Story[] = [];
    // What an upstream does with a refresh token that was used matters to a refresh only.
    for (const keepsRefreshToken of step === 'refresh' ? [false, true] : [false]) {
      at.upstream.behaviour = { token: { keepsRefreshToken } };
      const times = step === 'refresh' ? Math.ceil(TIMES / 2) : TIMES;
      const died = await sideBySide(times, LANES[step], async () => {
        const doomed = await at.another({ FAILPOINT: name });
        const story = await STORIES[step](doomed);
        await expect.poll(() => doomed.child.signalCode, { timeout: 20_000 }).toBe('SIGKILL');
        await doomed.stop();
        return story;
      });
      stories.push(...died);
    }
    await at.signIn();
    const violations = await at.check();
    record({
      group: 'SIGKILL of a replica',
      fault: name,
      times: stories.length,
      device: summed(stories.map(({ device }) => device)),
      person: summed(stories.map(({ person }) => person)),
      recovery: summed(stories.map(({ recovery }) => recovery)),
      violations,
    });
    expect(violations).toEqual([]);
    expect(stories.map(({ device }) => device).join()).not.toMatch(/ 500|server_error/);
  });
});

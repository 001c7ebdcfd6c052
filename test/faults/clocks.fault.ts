import { openSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { sharedSecrets, startBrokerProcess } from '../support/broker/broker-process.ts';
import { brokerYaml } from '../support/broker/broker-yaml.ts';
import { createTestBroker } from '../support/broker/test-broker.ts';
import { startFakeUpstream } from '../support/upstream/fake-upstream.ts';
import { record } from './fault-row.ts';
import { decideThere, heard, type Installation, install, toConfirmThere } from './installation.ts';

const MINUTE = 60_000;

let at: Installation;
beforeAll(async () => {
  at = await install();
});
afterAll(() => at.stop());

describe('clocks', () => {
  it.each([
    ['10 minutes ahead', 10 * MINUTE],
    ['10 minutes behind', -10 * MINUTE],
  ])('of a replica %s', async (words, aheadMs) => {
    const odd = await at.another({ CLOCK_AHEAD_MS: String(aheadMs) });
    const there = at.device(odd);
    // The person signs in at a replica whose clock is right; everything of the device goes to the odd one.
    const started = await there.start();
    const polled = heard(await there.poll(started.body.device_code));
    const elsewhere = heard(await at.device().poll(started.body.device_code));
    await decideThere(await toConfirmThere(at, started.body.user_code));
    const tokens = await there.poll(started.body.device_code);
    const { iat, exp } = timesOf(tokens.body.access_token);
    const offBy = Math.abs(iat - Date.now() / 1000);
    const refreshed = heard(await at.device().refresh(tokens.body.refresh_token));
    const { body } = await at.device().start();
    const { page } = await toConfirmThere(at, body.user_code, at.person(odd));
    const violations = await at.check();
    await odd.stop('SIGKILL');
    record({
      group: 'Clocks and logs',
      fault: `a replica’s clock is ${words}`,
      times: 1,
      device: `start ${heard(started)}, polls ${polled} and elsewhere ${elsewhere}, tokens ${heard(tokens)}, refresh elsewhere ${refreshed}; \`iat\` off by ${offBy.toFixed(1)} s, \`exp\` − \`iat\` ${exp - iat} s`,
      person: `signing in at the odd replica: ${page.status} ${page.heading}`,
      recovery: 'Redis’ clock judges all times of grants and sessions',
      violations,
    });
    expect(violations).toEqual([]);
    expect(offBy).toBeLessThan(2);
    expect(exp - iat).toBe(600);
    expect([polled, tokens.status, refreshed]).toEqual(['400 authorization_pending', 200, '200']);
  });

  it.each([
    ['5 minutes ahead', 5 * MINUTE],
    ['5 minutes behind', -5 * MINUTE],
  ])('of the upstream %s', async (words, aheadMs) => {
    const upstream = await startFakeUpstream({ clock: () => Date.now() + aheadMs });
    const test = await createTestBroker({ upstream, yaml: { clients: { 'build-cli': { interval: '1s' } } } });
    const device = test.device();
    const { body } = await device.start();
    const page = await approve(`${test.origin}/device`, body.user_code, 'alice');
    const tokens = await device.poll(body.device_code);
    const { iat, exp } = timesOf(tokens.body.access_token);
    await test.close();
    await upstream.close();
    const offBy = Math.abs(iat - Date.now() / 1000);
    record({
      group: 'Clocks and logs',
      fault: `the upstream’s clock is ${words}, its ID tokens live five minutes`,
      times: 1,
      device: `${heard(tokens)}; \`iat\` off by ${offBy.toFixed(1)} s, \`exp\` − \`iat\` ${exp - iat} s`,
      person: `${page.status} ${page.heading}`,
      recovery: 'nothing of the upstream’s times goes into ours',
    });
    expect(offBy).toBeLessThan(2);
    expect([exp - iat, heard(tokens)]).toEqual([600, '200']);
  });

  it('and a log that cannot be written', async () => {
    const { upstream } = at;
    const environment = { ...(await sharedSecrets()), UPSTREAM_SECRET: upstream.clientSecret };
    const yaml = brokerYaml(upstream, { storage: { driver: 'memory' } });
    const broker = await startBrokerProcess({ yaml, environment, log: openSync('/dev/full', 'w') });
    const device = at.device(broker);
    const { body } = await device.start();
    const page = await approve(`${broker.origin}/device`, body.user_code, 'alice');
    const tokens = heard(await device.poll(body.device_code));
    const text = await (await fetch(`${broker.operations}/metrics`)).text();
    const lost = Number(/^gatehouse_log_lines_lost_total (\d+)/m.exec(text)?.[1]);
    const code = await broker.stop();
    record({
      group: 'Clocks and logs',
      fault: 'the log goes to /dev/full',
      times: 1,
      device: tokens,
      person: `${page.status} ${page.heading}`,
      recovery: `${lost} lines lost, and counted in \`gatehouse_log_lines_lost_total\`; exit ${code} on SIGTERM`,
    });
    expect([tokens, code]).toEqual(['200', 0]);
    expect(lost).toBeGreaterThan(0);
  });
});

function timesOf(accessToken: string): { iat: number; exp: number } {
  const payload = Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString();
  return JSON.parse(payload) as { iat: number; exp: number };
}

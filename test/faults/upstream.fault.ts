import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { approve } from '../../demo/scripted-person.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { Trouble } from '../support/upstream/fake-upstream-answers.ts';
import { record } from './fault-row.ts';
import { heard } from './installation.ts';

let test: TestBroker;
beforeAll(async () => {
  test = await createTestBroker({ yaml: { clients: { 'build-cli': { interval: '1s' } } } });
});
afterAll(() => test.close());

const WORDS: Record<Trouble, string> = {
  hang: 'hangs',
  slow: 'is slow (5 s)',
  status_500: 'answers 500',
  status_503: 'answers 503',
  status_429: 'answers 429',
  status_404: 'answers 404',
  garbage: 'answers garbage',
  html: 'answers with a page',
  redirect_for_ever: 'redirects for ever',
  huge: 'answers 3 MB',
  json_array: 'answers JSON of another shape',
  close: 'closes the connection',
};

describe('the upstream', () => {
  it.each(Object.entries(WORDS) as [Trouble, string][])('%s', async (trouble, words) => {
    const device = test.device();
    const { body } = await device.start();
    test.upstream.behaviour = { slowMs: 5000, token: { trouble } };
    const began = performance.now();
    const visit = approve(`${test.origin}/device`, body.user_code, 'alice');
    // Meanwhile devices poll: nothing of theirs waits for an upstream.
    let slowestMs = 0;
    let isOver = false;
    let then = '';
    void visit
      .finally(() => {
        isOver = true;
      })
      .catch(() => undefined);
    do {
      const sentAt = performance.now();
      const answer = await device.poll(body.device_code);
      if (then !== '200') then = heard(answer);
      slowestMs = Math.max(slowestMs, performance.now() - sentAt);
    } while (!isOver);
    const page = await visit;
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const last = heard(await device.poll(body.device_code));
    if (then !== '200') then = last;
    test.upstream.behaviour = {};
    const { body: again } = await device.start();
    const recovered = await approve(`${test.origin}/device`, again.user_code, 'alice');
    const tokens = heard(await device.poll(again.device_code));
    record({
      group: 'Upstream',
      fault: `token endpoint ${words}`,
      times: 1,
      device: `polls meanwhile: at most ${Math.ceil(slowestMs)} ms; then ${then}`,
      person: `${page.status} after ${seconds} s: ${page.heading}`,
      recovery: `the next sign-in: ${recovered.url.pathname === '/device/done' ? 'done' : recovered.status}, ${tokens}`,
    });
    expect(page.status === 200 || (page.status >= 400 && page.status !== 500 && page.status < 504)).toBe(true);
    expect(then).toMatch(trouble === 'slow' ? /200/ : /authorization_pending|slow_down/);
    expect(tokens).toBe('200');
    expect(slowestMs).toBeLessThan(1000);
    expect(Number(seconds)).toBeLessThan(15);
  });
});

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { redisStorage } from '../../src/storage/redis/redis-storage.ts';
import { type BurstAnswer, pipelinedBurst, requestBytes } from '../support/broker/pipelined-burst.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';
import { answer, formWith, typeCode } from '../support/browser/person-steps.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { type TcpProxy, tcpProxy } from '../support/redis/tcp-proxy.ts';
import { record, summed } from './fault-row.ts';
import { sizeOf } from './sizes.ts';

const ROUNDS = sizeOf('BURST_ROUNDS');
const GUESSES = sizeOf('BURST_GUESSES');
const SECRET = 'kq3vY0m1PzW8sD5xH2nR7t';
const DELAY_MS = 2;
/** Of codes typed on a page, and of approvals: pages, a sign-in for each, and no pipelining. */
const PAGE_ROUNDS = sizeOf('PAGE_BURST_ROUNDS');
const CODES = 100;
const FLOODS = 20;
const FLOOD_POLLS = 20_000;

let redis: TestRedis;
let proxy: TcpProxy;
let test: TestBroker;

async function open(limits: Record<string, number> = {}): Promise<void> {
  redis = await startRedisServer();
  proxy = await tcpProxy(redis.port, { delayMs: DELAY_MS });
  const storage = redisStorage({ at: { url: `redis://127.0.0.1:${proxy.port}` }, keyPrefix: 'gatehouse:' });
  await storage.open();
  const store = { storage, replica: storage, advance: async () => undefined, close: () => storage.close() };
  test = await createTestBroker({
    store,
    environment: { SECRET },
    yaml: {
      trusted_proxies: ['127.0.0.1/32'],
      // The limit that a burst is about stands; no other is to be in its way.
      limits: { starts_per_source: 0, pending_per_source: 0, wrong_codes_total: 0, ...limits },
      clients: { robot: { client_secret: { env: 'SECRET' } } },
    },
  });
}

afterEach(async () => {
  await test.close();
  await test.store.close();
  await proxy.close();
  await redis.stop();
});

/** Somebody with a browser of their own, at this address. */
function personAt(address: string): ScriptedPerson {
  return new ScriptedPerson({
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('x-forwarded-for', address);
      return fetch(input, { ...init, headers });
    },
  });
}

/** A page that takes a code, before the person who has it. */
interface CodePage {
  person: ScriptedPerson;
  page: VisitedPage;
}

async function codePage(address: string): Promise<CodePage> {
  const person = personAt(address);
  return { person, page: await person.visit(`${test.origin}/device`) };
}

const madeUp = (n: number) => `BBBB-BB${'BCDFGHJKLM'[Math.floor(n / 10)]}${'BCDFGHJKLM'[n % 10]}`;

/** Types codes at these pages, all at once, the right one at any place among them; answers how many wrong ones were looked at. */
async function burstOfCodes(pages: readonly CodePage[]): Promise<{ wrong: number; refused: number }> {
  const right = randomInt(CODES);
  const { body } = await test.device().start();
  const answers = await Promise.all(
    Array.from({ length: CODES }, (_, n) => {
      const { person, page } = pages[n % pages.length] as CodePage;
      return person.submit(page, formWith(page, 'user_code'), { user_code: n === right ? body.user_code : madeUp(n) });
    }),
  );
  return {
    // The right one gives the browser another session, and who comes with the one before is told so with 400 as well.
    wrong: answers.filter(({ status, html }) => status === 400 && html.includes('name="user_code"')).length,
    refused: answers.filter(({ status }) => status === 429).length,
  };
}

/** Sends such a burst in each round, and keeps what it came to. */
async function roundsOfCodes(fault: string, limit: number, pagesOf: (address: string) => Promise<CodePage[]>) {
  const judged: number[] = [];
  const refused: number[] = [];
  for (let round = 0; round < PAGE_ROUNDS; round += 1) {
    const burst = await burstOfCodes(await pagesOf(`10.${round >> 8}.${round & 255}.7`));
    judged.push(burst.wrong);
    refused.push(burst.refused);
  }
  const violations = most(judged) > limit ? [`${most(judged)} wrong codes were judged`] : [];
  record({
    group: 'Bursts',
    fault,
    times: PAGE_ROUNDS,
    device: 'nothing',
    person: `${CODES} codes at once each time, the right one among them: at most ${most(judged)} wrong ones were judged`,
    recovery: 'with the ten minutes',
    violations,
  });
  expect(violations).toEqual([]);
  expect(Math.min(...refused)).toBeGreaterThan(0);
}

const count = (answers: readonly BurstAnswer[], what: (answer: BurstAnswer) => boolean) => answers.filter(what).length;
const most = (numbers: readonly number[]) => Math.max(...numbers);

describe('a burst of tries, pipelined, with the right one at any place, over a Redis that is 2 ms away', () => {
  it('of confirmation codes', async () => {
    await open();
    const judged: number[] = [];
    let wins = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const { body } = await test.device().start({ confirmation: 'required' });
      const guesses = Array.from({ length: GUESSES }, (_, n) => String(1000 + n));
      await test.approve(body.user_code, { confirmationCode: guesses[randomInt(GUESSES)] });
      const form = { grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli', device_code: body.device_code };
      const answers = await pipelinedBurst(
        test.origin,
        guesses.map((guess) => ({ path: '/token', form: { ...form, confirmation_code: guess } })),
      );
      judged.push(count(answers, ({ body: text }) => !text.includes('access_denied')));
      wins += count(answers, ({ status }) => status === 200);
    }
    const violations = most(judged) > 3 ? [`${most(judged)} codes were judged`] : [];
    record({
      group: 'Bursts',
      fault: 'confirmation codes, three tries',
      times: ROUNDS,
      device: `${GUESSES} at once each time: at most ${most(judged)} were judged; tokens in ${wins}`,
      person: 'nothing',
      recovery: 'the device starts again',
      violations,
    });
    expect(violations).toEqual([]);
  });

  it('of a client’s secrets', async () => {
    await open();
    const judged: number[] = [];
    const honest: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const from = `10.${round >> 8}.${round & 255}.7`;
      const right = randomInt(GUESSES);
      const burst = pipelinedBurst(
        test.origin,
        Array.from({ length: GUESSES }, (_, n) => ({
          path: '/token',
          headers: { 'X-Forwarded-For': from },
          form: {
            ...{ grant_type: DEVICE_CODE_GRANT, device_code: 'made-up', client_id: 'robot' },
            client_secret: n === right ? SECRET : `guess-number-${n}`,
          },
        })),
      );
      const robot = test.device({ clientId: 'robot', secret: SECRET });
      honest.push(String((await robot.start({}, { 'x-forwarded-for': '198.51.100.1' })).status));
      judged.push(count(await burst, ({ status }) => status !== 429));
    }
    // Twenty failures, or nineteen and the right one, or the right one before all of them; from everywhere one each.
    const violations = most(judged) > 21 ? [`${most(judged)} secrets were judged`] : [];
    record({
      group: 'Bursts',
      fault: 'secrets of one client from one address, twenty failures',
      times: ROUNDS,
      device: `${GUESSES} at once each time: at most ${most(judged)} were judged, the right one among them; an honest client elsewhere meanwhile: ${summed(honest)}`,
      person: 'nothing',
      recovery: 'with the ten minutes',
      violations,
    });
    expect(violations).toEqual([]);
    expect(summed(honest)).toBe('200');
  });

  it('of user codes in one browser', async () => {
    await open({ wrong_codes_per_source: 0 });
    await roundsOfCodes('user codes in one browser, ten wrong ones', 10, async (address) => [await codePage(address)]);
  });

  it('of user codes from one address', async () => {
    await open();
    await roundsOfCodes('user codes from one address, fifty wrong ones', 50, (address) =>
      Promise.all(Array.from({ length: CODES }, () => codePage(address))),
    );
  });

  it('of user codes of one person', async () => {
    await open({ wrong_codes_per_browser: 0, wrong_codes_per_source: 0, wrong_codes_total: 1 });
    let round = 0;
    await roundsOfCodes(
      'user codes of one person who signed in to type them, twenty wrong ones',
      20,
      async (address) => {
        round += 1;
        test.upstream.person = { sub: `person-${round}` };
        // Beyond the total each signs in first, and comes back to the form.
        const signedIn = async () => {
          const person = personAt(address);
          const way = await typeCode(person, `${test.origin}/device`, 'BBBB-BBBB');
          const toUpstream = way.links.find(({ searchParams }) => searchParams.has('upstream'));
          return { person, page: await person.visit(toUpstream ?? way.url, way) };
        };
        await typeCode(personAt(address), `${test.origin}/device`, 'BBBB-BBBB');
        return [await signedIn(), await signedIn(), await signedIn()];
      },
    );
  });

  it('of approvals of one person', async () => {
    const limit = 3;
    await open({ approvals_per_subject: limit });
    const approved: number[] = [];
    for (let round = 0; round < PAGE_ROUNDS; round += 1) {
      test.upstream.person = { sub: `person-${round}` };
      const devices = Array.from({ length: 3 * limit }, () => test.device());
      const ready = await Promise.all(
        devices.map(async (device) => {
          const { body } = await device.start();
          const person = personAt(`10.${round >> 8}.${round & 255}.7`);
          const page = await typeCode(person, `${test.origin}/device`, body.user_code);
          return { device, person, page, deviceCode: body.device_code };
        }),
      );
      await Promise.all(
        // Twice each, as by a second click.
        [...ready, ...ready].map(({ person, page }) => answer(person, page, 'approve')),
      );
      const polls = await Promise.all(ready.map(({ device, deviceCode }) => device.poll(deviceCode)));
      approved.push(polls.filter(({ status }) => status === 200).length);
    }
    const violations = most(approved) > limit ? [`${most(approved)} were approved`] : [];
    record({
      group: 'Bursts',
      fault: `approvals of one person, ${limit} an hour`,
      times: PAGE_ROUNDS,
      device: `of ${3 * limit} at most ${most(approved)} got tokens`,
      person: `approves ${3 * limit} devices at once, each by two clicks`,
      recovery: 'with the hour',
      violations,
    });
    expect(violations).toEqual([]);
    expect(Math.min(...approved)).toBe(limit);
  });
});

describe('a flood of polls that nobody waits for', () => {
  it('of twenty connections, pipelined and unread', async () => {
    await open();
    const { body } = await test.device().start();
    const form = { grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli', device_code: body.device_code };
    const device = test.device();
    const own = (await device.start()).body.device_code;
    const { hostname, port } = new URL(test.origin);
    const sockets = await Promise.all(
      Array.from({ length: FLOODS }, async () => {
        const socket = connect(Number(port), hostname);
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        return socket;
      }),
    );
    const bytes = requestBytes({ path: '/token', form });
    for (const socket of sockets) socket.write(bytes.repeat(FLOOD_POLLS));
    const heard: string[] = [];
    let slowestMs = 0;
    for (let poll = 0; poll < 40; poll += 1) {
      const beganAtMs = performance.now();
      const { status, body: answered } = await device.poll(own);
      slowestMs = Math.max(slowestMs, performance.now() - beganAtMs);
      heard.push(`${status} ${answered.error ?? ''}`);
    }
    for (const socket of sockets) socket.destroy();
    const lost = heard.filter((each) => !each.startsWith('400 '));
    record({
      group: 'Bursts',
      fault: `${FLOODS} connections with ${FLOOD_POLLS} polls each, pipelined, whose answers nobody reads`,
      times: 1,
      device: `another one meanwhile: ${heard.length - lost.length} of ${heard.length} polls answered with 400, the slowest after ${Math.round(slowestMs)} ms`,
      person: 'nothing',
      recovery: 'at once',
      violations: lost,
    });
    expect(lost).toEqual([]);
  });
});

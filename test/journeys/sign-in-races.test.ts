import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { grantId } from '../../src/grants/device-code.ts';
import { endGrant } from '../../src/grants/end-grant.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { TestDevice } from '../support/broker/test-device.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { movableRedis } from '../support/redis/storage-under-test.ts';

const ROUNDS = 6;

/** Two broker processes' worth of storages on one real Redis, both behind sockets. */
describe('races over HTTP on a real Redis', { timeout: 60_000 }, () => {
  let redis: Awaited<ReturnType<typeof redisForTests>>;
  let first: TestBroker;
  let second: TestBroker;
  let devices: TestDevice[];
  beforeAll(async () => {
    redis = await redisForTests();
    const store = await movableRedis(redis.settings());
    const yaml = { limits: { approvals_per_subject: 0, starts_per_source: 0 } };
    first = await createTestBroker({ store, yaml });
    const { upstream, environment, publicUrl } = first;
    second = await createTestBroker({
      store,
      yaml,
      upstream,
      environment: { ...environment },
      onReplica: true,
      publicUrl,
    });
    devices = [first.device(), second.device()];
  });
  afterAll(async () => {
    await second.close();
    await first.close();
    await first.store.close();
    await redis.stop();
  });

  const deviceFor = (index: number) => devices[index % 2] as TestDevice;
  const start = async () => (await first.device().start()).body;

  it(`200 parallel polls of an approved code: exactly one 200, in ${ROUNDS} rounds`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { device_code: code, user_code: userCode } = await start();
      await first.approve(userCode);
      const outcomes: string[] = [];
      // On a machine that is too busy for 200 signatures in 2.5 s all may come too late to be written: 503, and again.
      while (!outcomes.includes('200') && outcomes.length < 1000) {
        const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => deviceFor(index).poll(code)));
        outcomes.push(...answers.map(({ status, body }) => (status === 200 ? '200' : body.error)));
      }
      expect(outcomes.filter((outcome) => outcome === '200')).toHaveLength(1);
      const others = new Set(outcomes.filter((outcome) => outcome !== '200'));
      expect([...others].filter((outcome) => !['invalid_grant', 'temporarily_unavailable'].includes(outcome))).toEqual(
        [],
      );
    }
  });

  it('an approval while 100 polls run is never lost', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { device_code: code, user_code: userCode } = await start();
      const polls = Array.from({ length: 100 }, (_, index) => deviceFor(index).poll(code));
      await first.approve(userCode);
      const answers = await Promise.all(polls);
      const early = answers.filter(({ status }) => status === 200).length;
      const late = (await deviceFor(round).poll(code)).status === 200 ? 1 : 0;
      expect(early + late).toBe(1);
    }
  });

  it('approve against deny: one decision stands, and the device hears that one', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { device_code: code, user_code: userCode } = await start();
      const decisions = await Promise.allSettled([first.approve(userCode), second.deny(userCode)]);
      const { status, body } = await deviceFor(round).poll(code);
      const approved = decisions[0].status === 'fulfilled';
      expect(status === 200 ? 'approved' : body.error).toBe(approved ? 'approved' : 'access_denied');
    }
  });

  const depsOf = ({ broker }: TestBroker) => ({
    ...broker.processContext,
    ledger: broker.processContext.storage.ledger,
  });
  const end = async (code: string) =>
    endGrant(depsOf(second), grantId(new Secret(code)), 'undo', (await second.now()) + 3_600_000);

  it('ended between the judgement of a poll and its redemption: no token', async () => {
    const { device_code: code, user_code: userCode } = await start();
    await first.approve(userCode);
    const { ledger } = first.broker.processContext.storage;
    const commit = ledger.commit.bind(ledger);
    ledger.commit = async (change) => {
      if (change.writes[0].key.endsWith(':spent')) await end(code);
      return commit(change);
    };
    const { status, body } = await first.device().poll(code);
    ledger.commit = commit;
    expect([status, body.error]).toEqual([400, 'access_denied']);
    expect((await second.device().poll(code)).body.error).toBe('access_denied');
  });

  it('end against redeem: no token, or a session that is ended', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { device_code: code, user_code: userCode } = await start();
      await first.approve(userCode);
      const [polled] = await Promise.all([first.device().poll(code), end(code)]);
      if (polled.status === 200) {
        expect((await second.device().refresh(polled.body.refresh_token)).body.error).toBe('invalid_grant');
      } else {
        expect(polled.body.error).toBe('access_denied');
      }
    }
  });

  const formWith = (page: VisitedPage, value: string) =>
    page.forms.find(({ buttons }) => buttons.some((button) => button.name === 'decision' && button.value === value));

  async function reachConfirm(userCode: string) {
    const person = new ScriptedPerson();
    const page = await person.visit(`${first.publicUrl}/device`);
    const form = page.forms.find(({ fields }) => fields.has('user_code'));
    if (form === undefined) throw new Error(page.heading);
    return { person, page: await person.submit(page, form, { user_code: userCode }) };
  }

  function press({ person, page }: Awaited<ReturnType<typeof reachConfirm>>, decision: string) {
    const form = formWith(page, decision);
    if (form === undefined) throw new Error(`${page.heading} has no ${decision}`);
    return person.submit(page, form, { decision });
  }

  it('two browsers that press approve and deny at the same moment: one wins, the other’s page says what was decided', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { device_code: code, user_code: userCode } = await start();
      const [alice, bob] = [await reachConfirm(userCode), await reachConfirm(userCode)];
      expect(bob.page.html).toContain('another browser');
      const [approved, denied] = await Promise.all([press(alice, 'approve'), press(bob, 'deny')]);
      const polled = await deviceFor(round).poll(code);
      expect([approved.status, denied.status].every((status) => status < 500)).toBe(true);
      expect(approved.html === denied.html).toBe(false);
      const outcome = polled.status === 200 ? 'approved' : polled.body.error;
      expect(['approved', 'access_denied']).toContain(outcome);
      expect((await deviceFor(round + 1).poll(code)).body.error).toBe(
        outcome === 'approved' ? 'invalid_grant' : 'access_denied',
      );
    }
  });

  it('the same button pressed twice at once: one approval, one set of tokens', async () => {
    const { device_code: code, user_code: userCode } = await start();
    const browser = await reachConfirm(userCode);
    const pages = await Promise.all([press(browser, 'approve'), press(browser, 'approve')]);
    expect(pages.every(({ status }) => status < 500)).toBe(true);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => deviceFor(index).poll(code)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

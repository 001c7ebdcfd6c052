import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { answer, formWith, typeCode } from '../support/browser/person-steps.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { movableMemory, movableRedis } from '../support/redis/storage-under-test.ts';
import { type FakeUpstream, startFakeUpstream } from '../support/upstream/fake-upstream.ts';

let redis: Awaited<ReturnType<typeof redisForTests>>;
let upstream: FakeUpstream;
beforeAll(async () => {
  [redis, upstream] = await Promise.all([redisForTests(), startFakeUpstream()]);
});
afterAll(() => Promise.all([redis.stop(), upstream.close()]));

const DRIVERS = [
  ['memory', () => movableMemory()],
  ['Redis, two replicas', () => movableRedis(redis.settings())],
] as const;

describe.each(DRIVERS)('a person and their devices, on %s', (_, openStore) => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  /** Two brokers of one installation: what one page began, another replica goes on with. */
  async function open() {
    const store = await openStore();
    closing.push(() => store.close());
    const environment = { SEALING_KEY: Buffer.alloc(32, 7).toString('base64url') };
    const one = await createTestBroker({ store, upstream, environment });
    closing.push(() => one.close());
    const two = await createTestBroker({ store, upstream, environment, onReplica: true, publicUrl: one.publicUrl });
    closing.push(() => two.close());
    let turn = 0;
    // Every other request of the person goes to the other replica.
    const person = new ScriptedPerson({
      fetch: (input, init) => {
        turn += 1;
        const address = input instanceof Request ? input.url : input.toString();
        const moved = turn % 2 === 0 ? address.replace(one.publicUrl, two.origin) : address;
        return fetch(moved, init);
      },
    });
    return { one, two, person };
  }

  async function connect(test: TestBroker, person: ScriptedPerson) {
    const started = (await test.device().start({ scope: 'openid', device_label: 'build-07' })).body;
    const confirm = await typeCode(person, `${test.publicUrl}/device`, started.user_code);
    const done = await answer(person, confirm, 'approve');
    return { started, done };
  }

  const press = (person: ScriptedPerson, page: VisitedPage, action: string, filled: Record<string, string> = {}) => {
    const form = page.forms.find((one) => one.action.pathname === action);
    if (form === undefined) throw new Error(`“${page.heading}” has no form to ${action}`);
    return person.submit(page, form, filled);
  };

  it('connects one, finds it in the list, names it and ends it', async () => {
    const { one, two, person } = await open();
    const { started, done } = await connect(one, person);
    expect(done.heading).toBe('Approved');
    const tokens = (await two.device().poll(started.device_code)).body;
    expect(tokens.refresh_token).toEqual(expect.any(String));

    const list = await person.visit(`${one.publicUrl}/sessions`);
    expect(list.heading).toBe('Your devices');
    expect(list.html).toContain('build-07');
    const named = await press(person, list, '/sessions/rename', { name: 'Build server' });
    expect(named.html).toContain('Build server');
    const ended = await press(person, named, '/sessions/end');
    expect(ended.html).toMatch(/<strong>Disconnected<\/strong>/);
    expect(formWith(list, 'name').action.pathname).toBe('/sessions/rename');
    for (const test of [one, two]) {
      expect((await test.device().refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    }
  });

  it('takes an approval back before the device came, and after it', async () => {
    const { one, two, person } = await open();
    const before = await connect(one, person);
    expect((await press(person, before.done, '/device/undo')).heading).toBe('Not connected');
    expect((await two.device().poll(before.started.device_code)).body.error).toBe('access_denied');

    const after = await connect(one, person);
    const tokens = (await two.device().poll(after.started.device_code)).body;
    expect(tokens.access_token).toEqual(expect.any(String));
    expect((await press(person, after.done, '/device/undo')).heading).toBe('Not connected');
    expect((await one.device().refresh(tokens.refresh_token)).body.error).toBe('invalid_grant');
    expect((await person.visit(`${one.publicUrl}/sessions`)).html).toMatch(/<strong>Disconnected<\/strong>/);
  });

  it('lets the first of two decisions stand, and tells the other browser', async () => {
    const { one, person } = await open();
    const { user_code: code, device_code: deviceCode } = (await one.device().start()).body;
    const other = new ScriptedPerson();
    const mine = await typeCode(person, `${one.publicUrl}/device`, code);
    const theirs = await typeCode(other, `${one.publicUrl}/device`, code);
    expect(theirs.html).toMatch(/another browser/);
    expect((await answer(other, theirs, 'deny')).heading).toBe('Denied');
    const late = await answer(person, mine, 'approve');
    expect(late).toMatchObject({ status: 200, heading: 'Already denied' });
    expect((await one.device().poll(deviceCode)).body.error).toBe('access_denied');
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionsDeps } from '../../../src/device-sessions/active-session.ts';
import { endSession } from '../../../src/device-sessions/end-session.ts';
import {
  type ListedSession,
  listAllSessions,
  listSessions,
  ownSession,
} from '../../../src/device-sessions/list-sessions.ts';
import { renameSession } from '../../../src/device-sessions/rename-session.ts';
import { setMark } from '../../../src/grants/revocation-marks.ts';
import { sessionEntry, subjectIndex } from '../../../src/ledger/entry-keys.ts';
import { createSealing } from '../../../src/sealing/sealing.ts';
import { Secret } from '../../../src/sealing/secret.ts';
import { createTestBroker, type TestBroker } from '../../support/broker/test-broker.ts';

const SECOND = 1000;
const DAY = 24 * 60 * 60 * SECOND;
const ALICE = { upstream: 'corp', subject: 'alice' };

let test: TestBroker;
let deps: SessionsDeps;
let unreadable: string[];

beforeEach(async () => {
  test = await createTestBroker({ yaml: { clients: { 'build-cli': { lifetimes: { refresh_idle: '7d' } } } } });
  const { storage, sealing } = test.broker.processContext;
  unreadable = [];
  deps = {
    ledger: storage.ledger,
    sealing,
    clients: new Map([
      [
        'build-cli',
        { upstreams: ['corp'], endOnLogout: true, lifetimes: { refreshIdleSeconds: (7 * DAY) / SECOND } } as never,
      ],
    ]),
    onUnreadable: (id) => unreadable.push(id),
  };
});
afterEach(() => test.close());

const devices = () => listSessions(deps, ALICE);
const only = async (): Promise<ListedSession> => {
  const [listed, ...more] = await devices();
  if (listed === undefined || more.length > 0) throw new Error(`${more.length + 1} sessions`);
  return listed;
};
async function everybody(): Promise<ListedSession[]> {
  const all: ListedSession[] = [];
  for await (const listed of listAllSessions(deps)) all.push(listed);
  return all;
}

describe('the device sessions of a person', () => {
  it('are theirs at this upstream, the last used first, with what the device said of itself', async () => {
    const first = await test.signIn(test.device(), { start: { device_label: 'Kitchen TV' } });
    await test.advance(SECOND);
    await test.signIn();
    expect((await devices()).map(({ session }) => session.deviceLabel)).toEqual([undefined, 'Kitchen TV']);
    await test.advance(SECOND);
    await test.device().refresh(first.refresh_token);
    const [last] = await devices();
    expect(last).toMatchObject({
      session: { deviceLabel: 'Kitchen TV', account: 'alice@example.com', clientId: 'build-cli', source: '127.0.0.1' },
      name: undefined,
      ended: undefined,
    });
    expect(last?.lastUsedAtMs).toBeGreaterThan(last?.session.startedAtMs ?? 0);
    expect(await listSessions(deps, { upstream: 'corp', subject: 'bob' })).toEqual([]);
    expect(await listSessions(deps, { upstream: 'other', subject: 'alice' })).toEqual([]);
  });

  it('one by its id, where it is theirs', async () => {
    await test.signIn();
    const { session } = await only();
    expect(await ownSession(deps, session.id, ALICE)).toMatchObject({ session });
    expect(await ownSession(deps, session.id, { ...ALICE, subject: 'bob' })).toBeUndefined();
    expect(await ownSession(deps, 'unknown', ALICE)).toBeUndefined();
  });

  it('a grant that was never redeemed is none, and an index entry without a session is passed over', async () => {
    const { body } = await test.device().start();
    await test.approve(body.user_code);
    expect(await devices()).toEqual([]);
    const index = subjectIndex(deps.sealing.tag('subject', JSON.stringify(['corp', 'alice'])));
    await deps.ledger.enlist(index, 'never-redeemed', (await test.now()) + DAY);
    expect(await devices()).toEqual([]);
  });

  it('what does not open is passed over and told', async () => {
    await test.signIn();
    const { storage } = test.broker.processContext;
    const index = subjectIndex(deps.sealing.tag('subject', JSON.stringify(['corp', 'alice'])));
    const foreign = createSealing([new Secret(Buffer.alloc(32, 7).toString('base64url'))]);
    const expiresAtMs = (await test.now()) + DAY;
    const values = { forged: 'x|not.a.seal', foreign: `x|${await foreign.seal([1, {}], sessionEntry('foreign'))}` };
    for (const [id, value] of Object.entries(values)) {
      await storage.ledger.enlist(index, id, expiresAtMs);
      await storage.ledger.commit({ attempt: 'x', writes: [{ key: sessionEntry(id), value, expiresAtMs }] });
    }
    expect(await devices()).toHaveLength(1);
    expect(unreadable.sort()).toEqual(['foreign', 'forged']);
  });

  it("administrators see everybody's", async () => {
    await test.signIn();
    test.upstream.person = { sub: 'bob' };
    await test.signIn();
    expect((await everybody()).map(({ session }) => session.subject).sort()).toEqual(['alice', 'bob']);
  });
});

describe('an ended session stays listed and says by what', () => {
  beforeEach(() => test.signIn());

  it.each(['my_devices', 'administrator', 'undo', 'reuse'] as const)('by its own entry: %s', async (reason) => {
    const { session } = await only();
    const end = { ...deps, randomBytes: test.broker.processContext.randomBytes };
    expect(await endSession(end, session, reason)).toBe(true);
    expect(await endSession(end, session, 'administrator')).toBe(false);
    expect((await only()).ended).toBe(reason);
  });

  it.each([
    ['administrator', { mark: 'client', clientId: 'build-cli' } as const],
    ['logout', { mark: 'logout_subject', upstream: 'corp', sub: 'alice' } as const],
  ])('by a mark: %s', async (by, mark) => {
    const nowMs = (await test.now()) + SECOND;
    await setMark(deps, mark, nowMs, nowMs + DAY);
    expect((await only()).ended).toBe(by);
  });

  it('because its client was removed', async () => {
    deps = { ...deps, clients: new Map() };
    expect((await only()).ended).toBe('client_removed');
  });

  it('because it was idle for too long', async () => {
    await test.advance(7 * DAY);
    expect((await only()).ended).toBe('idle');
  });

  it('until its entries lapse', async () => {
    await test.advance(91 * DAY);
    expect(await devices()).toEqual([]);
  });
});

describe('the name that a person gives', () => {
  const rename = async (name: string) => {
    const { randomBytes } = test.broker.processContext;
    return (await renameSession({ ...deps, randomBytes }, (await only()).session, name)).outcome;
  };
  beforeEach(() => test.signIn());

  it('is the last one given, trimmed; an empty one takes it away', async () => {
    for (const name of ['Laptop', '  Old laptop ', 'Alte Kiste 🖥']) expect(await rename(name)).toBe('renamed');
    expect((await only()).name).toBe('Alte Kiste 🖥');
    await rename(' ');
    expect((await only()).name).toBeUndefined();
  });

  it.each(['x'.repeat(65), 'line\nbreak', 'right\u202eto left', 'zero\u200bwidth'])('%j is none', async (name) => {
    expect(await rename(name)).toBe('bad_name');
    expect((await only()).name).toBeUndefined();
  });

  it('can be given often, not for ever', async () => {
    for (let n = 0; n < 32; n += 1) expect(await rename(`name ${n}`)).toBe('renamed');
    expect(await rename('one more')).toBe('too_often');
    expect((await only()).name).toBe('name 31');
  });

  it('of two at the same moment both are written, and one of them counts', async () => {
    const outcomes = await Promise.all(['one', 'two', 'three'].map(rename));
    expect(outcomes).toEqual(['renamed', 'renamed', 'renamed']);
    expect(['one', 'two', 'three']).toContain((await only()).name);
  });

  it('cannot be given to a session that has ended', async () => {
    const { randomBytes } = test.broker.processContext;
    await endSession({ ...deps, randomBytes }, (await only()).session, 'my_devices');
    expect(await rename('late')).toBe('ended');
  });
});

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { listSessions } from '../../src/device-sessions/list-sessions.ts';
import { browserTag, openArrival, takeTrip } from '../../src/grants/decide/trip.ts';
import { BASE20 } from '../../src/grants/start/user-code.ts';
import { findByUserCode } from '../../src/grants/view-grant.ts';
import { createSealing } from '../../src/sealing/sealing.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { DUMP_CLIENTS, type StorageDump, storageFrom } from '../fixtures/dumped-storage.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const FOLDER = join(import.meta.dirname, '../fixtures');
const SECOND = 1000;

/** Of every release that was ever published, one. */
const dumps = readdirSync(FOLDER)
  .filter((name) => /^storage-.*\.json$/.test(name))
  .map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as StorageDump);

let test: TestBroker;
afterEach(async () => {
  await test.close();
  await test.store.close();
});

async function restored(dump: StorageDump, change?: (key: string, value: string) => string): Promise<TestBroker> {
  const { publicUrl, environment } = dump;
  test = await createTestBroker({
    store: await storageFrom(dump, change),
    publicUrl,
    environment,
    yaml: { clients: DUMP_CLIENTS },
  });
  return test;
}

describe.each(dumps.map((dump) => [dump.version, dump] as const))('what release %s stored', (_version, dump) => {
  const { pending, approved, denied, spent, refreshed, ended, delivered, confirming, killed } = dump.devices;

  it('is read: a pending grant goes on, is approved and redeemed', async () => {
    const device = (await restored(dump)).device();
    expect((await device.poll(pending.deviceCode)).body.error).toBe('authorization_pending');
    await test.approve(pending.userCode);
    expect((await device.poll(pending.deviceCode)).status).toBe(200);
  });

  it('is read: an approval is redeemed, a denial and a spent code stay what they are', async () => {
    const device = (await restored(dump)).device();
    expect((await device.poll(approved.deviceCode)).status).toBe(200);
    expect((await device.poll(denied.deviceCode)).body.error).toBe('access_denied');
    expect((await device.poll(spent.deviceCode)).body.error).toBe('invalid_grant');
  });

  it('is read: device sessions are refreshed, once refreshed or not yet, and their tokens are good', async () => {
    const device = (await restored(dump)).device();
    expect((await device.refresh(spent.refreshToken)).status).toBe(200);
    expect((await device.refresh(refreshed.refreshToken)).status).toBe(200);
    const authorization = `Bearer ${spent.accessToken}`;
    expect((await device.send('/userinfo', { headers: { authorization } })).status).toBe(200);
  });

  it('is read: a session goes on, a lost answer is given again, and a token that was used long ago ends it', async () => {
    const device = (await restored(dump)).device();
    const first = await device.refresh(refreshed.refreshToken);
    const again = await device.refresh(refreshed.refreshToken);
    expect([again.status, again.body.refresh_token]).toEqual([200, first.body.refresh_token]);
    let token = first.body.refresh_token;
    for (let turn = 0; turn < 3; turn += 1) token = (await device.refresh(token)).body.refresh_token;
    expect(token).toMatch(/^[\w-]{91}$/);
    expect((await device.refresh(refreshed.refreshToken)).body.error).toBe('invalid_grant');
    expect((await device.refresh(token)).body.error).toBe('invalid_grant');
    expect(test.lines).toContainEqual(expect.objectContaining({ event: 'session.ended', by: 'reuse' }));
  });

  it('is read: a session is revoked by its token', async () => {
    const device = (await restored(dump)).device();
    expect((await device.revoke(refreshed.refreshToken)).status).toBe(200);
    expect((await device.refresh(refreshed.refreshToken)).body.error).toBe('invalid_grant');
  });

  it('is read: what was ended or killed stays so, and a device that lost its answer gets it again', async () => {
    const device = (await restored(dump)).device();
    expect((await device.refresh(ended.refreshToken)).body.error).toBe('invalid_grant');
    expect((await device.poll(killed.deviceCode)).body.error).toBe('access_denied');
    const again = await test.device({ clientId: 'tv' }).poll(delivered.deviceCode);
    expect(again.body.access_token).toBe(delivered.accessToken);
    const authorization = `Bearer ${delivered.accessToken}`;
    expect((await device.send('/userinfo', { headers: { authorization } })).body['email']).toBe('alice@example.com');
  });

  it('is read: wrong confirmation codes count on', async () => {
    const device = (await restored(dump)).device();
    const tried = async (code: string) =>
      (await device.poll(confirming.deviceCode, { confirmation_code: code })).body.error;
    expect([await tried('1111'), await tried('2222')]).toEqual(['authorization_pending', 'access_denied']);
  });

  it('is read: a session by its name, and what a browser had open', async () => {
    await restored(dump);
    const { storage, sealing } = test.broker.processContext;
    const deps = {
      ledger: storage.ledger,
      sealing,
      randomBytes,
      userCodes: { alphabet: BASE20, length: 8, group: 4 },
    };
    const sessions = { ...deps, clients: new Map(), onUnreadable: () => undefined };
    const listed = await listSessions(sessions, { upstream: 'corp', subject: 'alice' });
    expect(listed.map(({ name }) => name)).toContain('Build machine 7');

    const browser = new Secret(dump.browser.value);
    const view = await findByUserCode(deps, pending.userCode, browserTag(browser));
    expect(view?.openElsewhere).toBe(true);
    const { trip, arrival, visit } = dump.browser;
    expect(await takeTrip(deps, browser, trip.state)).toMatchObject({
      outcome: 'taken',
      trip: { purpose: 'manage' },
    });
    expect(await openArrival(deps, browser, arrival.tag, arrival.grantId)).toEqual({ account: 'alice' });
    expect(await openArrival(deps, browser, visit.tag)).toEqual({ account: 'alice' });
  });

  it('expires as that release meant it to', async () => {
    const device = (await restored(dump)).device();
    await test.advance(11 * 60 * SECOND);
    expect((await device.poll(pending.deviceCode)).body.error).toBe('expired_token');
    await test.advance(11 * 60 * SECOND);
    expect((await device.poll(pending.deviceCode)).body.error).toBe('invalid_grant');
  });
});

describe('what a newer release stored in a form that this one does not know', () => {
  const [dump] = dumps as [StorageDump];
  const sealing = createSealing([new Secret(dump.environment['SEALING_KEY'] ?? '')]);
  /** As a newer release would write it: with the next format number, and vouched for by the same key. */
  const newer = (key: string, value: string): string =>
    key.endsWith(':grant') ? sealing.vouch(key, sealing.check(key, value).replace('|[1,', '|[2,')) : value;

  it('is answered with 503 and Retry-After, and nothing is written: a newer replica can still serve it', async () => {
    const device = (await restored(dump, newer)).device();
    const answer = await device.poll(dump.devices.approved.deviceCode);
    expect([answer.status, answer.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(answer.headers.get('retry-after')).not.toBeNull();
    // A pending poll decodes nothing, and goes on.
    expect((await device.poll(dump.devices.pending.deviceCode)).body.error).toBe('authorization_pending');
    expect(test.lines.find(({ event }) => event === 'request.failed')).toMatchObject({
      status: 503,
      error: { name: 'UnreadableFormatError' },
    });
  });

  it('is a page that says “try again”, not an error of ours', async () => {
    await restored(dump, newer);
    const led: typeof fetch = (input, init) => {
      const url = new URL(input instanceof Request ? input.url : input);
      return fetch(url.href.replace(dump.publicUrl, test.origin), init);
    };
    const browser = new ScriptedPerson({ fetch: led });
    const form = await browser.visit(`${dump.publicUrl}/device`);
    const codeForm = form.forms.find(({ fields }) => fields.has('user_code'));
    const page = await browser.submit(form, codeForm as never, { user_code: dump.devices.pending.userCode });
    expect(page.status).toBe(503);
  });
});

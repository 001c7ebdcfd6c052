import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decide, ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { grantId } from '../../src/grants/device-code.ts';
import { grantEntry } from '../../src/ledger/entry-keys.ts';
import { sealToDevice } from '../../src/sealing/device-seal.ts';
import { createSealing, type Sealing } from '../../src/sealing/sealing.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { startRedisServer, type TestRedis } from '../support/redis/redis.ts';
import { movableRedis } from '../support/redis/storage-under-test.ts';
import { sampleApproval } from '../unit/tokens/token-samples.ts';

/**
 * Plays somebody who may read and write everything in Redis and has no sealing key. He may destroy sign-ins and put an
 * older value back; he gets no token, and nobody else gets one that no person approved.
 */
describe('who writes to Redis', { timeout: 60_000 }, () => {
  let redis: TestRedis;
  let client: Redis;
  let test: TestBroker;
  let prefix: string;
  let sealing: Sealing;
  beforeAll(async () => {
    redis = await startRedisServer();
    client = new Redis(redis.url);
    const settings = redis.settings();
    prefix = settings.keyPrefix;
    const yaml = {
      clients: { other: { name: 'Other' }, pkce: { name: 'PKCE', require: ['pkce'] } },
      limits: { wrong_codes_per_source: 0, wrong_codes_total: 0, approvals_per_subject: 0 },
    };
    test = await createTestBroker({ store: await movableRedis(settings), yaml });
    sealing = test.broker.processContext.sealing;
  });
  afterAll(async () => {
    client.disconnect();
    await test.close();
    await test.store.close();
    await redis.stop();
  });
  beforeEach(() => {
    test.lines.length = 0;
  });

  const keyOf = (deviceCode: string, entry: string) => `${prefix}{${grantId(new Secret(deviceCode))}}:${entry}`;
  async function storedAt(deviceCode: string, entry: string): Promise<string> {
    const value = await client.get(keyOf(deviceCode, entry));
    if (value === null) throw new Error(`no ${entry}`);
    return value;
  }
  const write = (deviceCode: string, entry: string, value: string) =>
    client.set(keyOf(deviceCode, entry), value, 'PX', 600_000);
  async function start(state: 'pending' | 'approved' | 'denied' = 'pending') {
    const { body } = await test.device().start();
    if (state === 'approved') await test.approve(body.user_code);
    if (state === 'denied') await test.deny(body.user_code);
    return { code: body.device_code, userCode: body.user_code };
  }
  async function poll(code: string, device = test.device()): Promise<string> {
    const { status, body } = await device.poll(code);
    return status === 200 ? '200' : `${status} ${body.error}`;
  }
  const loggedForgeries = () => test.lines.filter(({ event }) => event === 'storage.rejected').length;
  const publicKeyOf = (grant: string): string => JSON.parse(grant.split('|').slice(7, -2).join('|'))[6];

  describe('a forged decision never gives a token', () => {
    it.each<[string, (facts: { grant: string; code: string }) => Promise<string> | string]>([
      ['a flag', () => 'approved'],
      ['a flag where an attempt belongs', () => 'attempt|approved'],
      ['JSON', () => `attempt|${JSON.stringify([1, { decision: 'approved' }])}`],
      [
        'an approval sealed to the device, which anybody can write',
        async ({ grant }) => {
          return `attempt|${sealToDevice(sampleApproval(), publicKeyOf(grant))}`;
        },
      ],
      [
        'the same inside a seal of another key',
        async ({ grant, code }) => {
          const own = createSealing([new Secret(randomBytes(32).toString('base64url'))]);
          const inner = sealToDevice(sampleApproval(), publicKeyOf(grant));
          const id = grantId(new Secret(code));
          return `attempt|${await own.seal([1, { decision: 'approved', inner, browser: 'x' }], `decision ${id}`)}`;
        },
      ],
      [
        'the same, which then names our key',
        async ({ grant, code }) => {
          const own = createSealing([new Secret(randomBytes(32).toString('base64url'))]);
          const inner = sealToDevice(sampleApproval(), publicKeyOf(grant));
          const id = grantId(new Secret(code));
          const sealed = await own.seal([1, { decision: 'approved', inner, browser: 'x' }], `decision ${id}`);
          const [, ...rest] = sealed.split('.');
          const header = { alg: 'dir', enc: 'A256GCM', kid: sealing.firstKeyName, ctx: `decision ${id}` };
          return `attempt|${[Buffer.from(JSON.stringify(header)).toString('base64url'), ...rest].join('.')}`;
        },
      ],
      ['nothing', () => ''],
    ])('%s', async (_what, forge) => {
      const { code } = await start();
      await write(code, 'decision', await forge({ grant: await storedAt(code, 'grant'), code }));
      expect(await poll(code)).toMatch(/^400 invalid_grant$|^503/);
      await client.del(keyOf(code, 'decision'));
      expect(await poll(code)).toBe('400 authorization_pending');
    });

    it('and it is logged', async () => {
      const { code } = await start();
      await write(code, 'decision', 'attempt|approved');
      await poll(code);
      expect(loggedForgeries()).toBe(1);
    });
  });

  describe('a decision counts for its grant only', () => {
    it.each(['approved', 'denied'] as const)('%s and copied to another grant', async (state) => {
      const [mine, victim] = [await start(state), await start()];
      await write(victim.code, 'decision', await storedAt(mine.code, 'decision'));
      expect(await poll(victim.code)).toBe('400 invalid_grant');
    });

    it('a denial replaced by the approval of another grant', async () => {
      const [mine, victim] = [await start('approved'), await start('denied')];
      await write(victim.code, 'decision', await storedAt(mine.code, 'decision'));
      expect(await poll(victim.code)).toBe('400 invalid_grant');
    });

    it('a whole grant with its decision, moved to another id', async () => {
      const [mine, victim] = [await start('approved'), await start()];
      for (const entry of ['grant', 'decision']) await write(victim.code, entry, await storedAt(mine.code, entry));
      expect(await poll(victim.code)).toBe('400 invalid_grant');
    });
  });

  describe('a changed grant is not believed', () => {
    const head = (index: number, put: string) => (grant: string) => grant.split('|').with(index, put).join('|');
    it.each<[string, (grant: string) => string]>([
      ['given to another client', head(1, 'other')],
      ['living longer', head(5, '4000000000000')],
      ['kept longer', head(6, '4000000000000')],
      ['with another interval', head(4, '1000')],
      ['with another attempt', head(0, 'another')],
      ['with wider scopes', (grant) => grant.replace('"openid"', '"openid packages:read"')],
      [
        'with the public key of somebody else',
        (grant) =>
          grant.replace(
            publicKeyOf(grant),
            publicKeyOf(grant).replace(/^./, (c) => (c === 'A' ? 'B' : 'A')),
          ),
      ],
      ['with another source', (grant) => grant.replace('127.0.0.1', '127.0.0.2')],
      ['without its MAC', (grant) => grant.slice(0, grant.lastIndexOf('|'))],
    ])('%s', async (what, change) => {
      const { code, userCode } = await start('approved');
      await write(code, 'grant', change(await storedAt(code, 'grant')));
      for (const clientId of ['build-cli', 'other']) {
        expect(await poll(code, test.device({ clientId })), what).toMatch(
          /^400 (invalid_grant|authorization_pending)$/,
        );
      }
      await expect(test.approve(userCode)).rejects.toThrow('no pending grant');
    });

    it('without its challenge: a stolen device code stays worth nothing without the verifier', async () => {
      const verifier = randomBytes(32).toString('base64url');
      const challenge = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(verifier))).toString('base64url');
      const device = test.device({ clientId: 'pkce' });
      const { body } = await device.start({ code_challenge: challenge, code_challenge_method: 'S256' });
      await test.approve(body.user_code);
      await write(body.device_code, 'grant', head(2, '')(await storedAt(body.device_code, 'grant')));
      expect(await poll(body.device_code, device)).toBe('400 invalid_grant');
    });

    it('the public key of a pending grant, swapped before a person approves: the code is not found', async () => {
      const [mine, victim] = [await start(), await start()];
      const [own, grant] = [await storedAt(mine.code, 'grant'), await storedAt(victim.code, 'grant')];
      await write(victim.code, 'grant', grant.replace(publicKeyOf(grant), publicKeyOf(own)));
      const page = await decide({
        verificationUri: `${test.publicUrl}/device`,
        userCode: victim.userCode,
        user: 'alice',
      });
      expect(page.status).toBe(400);
      expect(await poll(victim.code)).toBe('400 authorization_pending');
      expect(await client.exists(keyOf(victim.code, 'decision'))).toBe(0);
    });
  });

  it('no change of one character, and no cut, makes a token of an approval', async () => {
    for (let round = 0; round < 60; round += 1) {
      const { code } = await start('approved');
      const entry = round % 2 === 0 ? 'grant' : 'decision';
      const value = await storedAt(code, entry);
      // Before its seal a decision has the id of the attempt that wrote it, which decides nothing any more.
      const from = entry === 'decision' ? value.indexOf('|') + 1 : 0;
      const at = from + (randomBytes(2).readUInt16BE() % (value.length - from));
      const put = round % 3 === 0 ? '' : value[at] === 'A' ? 'Q' : 'A';
      const changed = round % 5 === 0 ? value.slice(0, at) : value.slice(0, at) + put + value.slice(at + 1);
      if (isSame(changed, value)) continue;
      await write(code, entry, changed);
      expect(await poll(code), `${entry} ${at} of ${value.length}: ${put}`).not.toBe('200');
    }
  });

  it('the code of a grant led to another grant: the code is not found', async () => {
    const [mine, victim] = [await start(), await start()];
    const tagOf = (code: string) => sealing.tag('user code', code.replace('-', ''));
    const own = await client.get(`${prefix}code:${tagOf(mine.userCode)}`);
    await client.set(`${prefix}code:${tagOf(victim.userCode)}`, String(own), 'PX', 600_000);
    const page = await decide({
      verificationUri: `${test.publicUrl}/device`,
      userCode: victim.userCode,
      user: 'alice',
    });
    expect(page.status).toBe(400);
    expect([await poll(mine.code), await poll(victim.code)]).toEqual(Array(2).fill('400 authorization_pending'));
  });

  describe('marks destroy, and are not needed to be believed', () => {
    it.each([
      ['spent', '400 invalid_grant'],
      ['ended', '400 access_denied'],
    ])('a forged %s', async (entry, expected) => {
      const { code } = await start('approved');
      await write(code, entry, 'attempt|1|whatever');
      expect(await poll(code)).toBe(expected);
    });

    it('a forged answer to be delivered again is not delivered', async () => {
      test.reload({
        clients: { 'build-cli': { name: 'CLI', redelivery: '30s' } },
        limits: { approvals_per_subject: 0 },
      });
      const { code } = await start('approved');
      expect(await poll(code)).toBe('200');
      const other = await start('approved');
      expect(await poll(other.code)).toBe('200');
      await write(code, 'delivered', await storedAt(other.code, 'delivered'));
      expect(await poll(code)).toBe('400 invalid_grant');
      await write(code, 'delivered', JSON.stringify(['', { access_token: 'forged' }]));
      expect(await poll(code)).toBe('400 invalid_grant');
      test.reload({
        clients: { other: { name: 'Other' }, pkce: { name: 'PKCE', require: ['pkce'] } },
        limits: { wrong_codes_per_source: 0, wrong_codes_total: 0, approvals_per_subject: 0 },
      });
    });
  });

  describe('taking away', () => {
    it.each(['grant', 'decision', 'pace', 'opened'])(
      '%s of an approved grant: no 5xx, and no token without approval',
      async (entry) => {
        const { code } = await start('approved');
        await client.del(keyOf(code, entry));
        const outcome = await poll(code);
        expect(outcome).toMatch(entry === 'pace' || entry === 'opened' ? /^200$/ : /^400 /);
      },
    );

    it('a denial: the grant is pending again, and only a person can approve it', async () => {
      const { code } = await start('denied');
      await client.del(keyOf(code, 'decision'));
      expect(await poll(code)).toBe('400 authorization_pending');
    });

    it('the spent mark and the session: who has the device code gets the same session again, never a second one', async () => {
      const { code } = await start('approved');
      const first = (await test.device().poll(code)).body;
      await client.del(keyOf(code, 'spent'), keyOf(code, 'session'), keyOf(code, 'refresh'));
      const second = (await test.device().poll(code)).body;
      const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
      expect(second.refresh_token).toBe(first.refresh_token);
      expect(claimsOf(second.access_token).jti).toBe(claimsOf(first.access_token).jti);
      expect(claimsOf(second.access_token).sid).toBe(claimsOf(first.access_token).sid);
    });

    it('an older value put back: the decision of a spent grant gives nothing', async () => {
      const { code } = await start('approved');
      const [grant, decision] = [await storedAt(code, 'grant'), await storedAt(code, 'decision')];
      expect(await poll(code)).toBe('200');
      await write(code, 'grant', grant);
      await write(code, 'decision', decision);
      expect(await poll(code)).toBe('400 invalid_grant');
    });

    it('an approval put back over a later end: nothing', async () => {
      const { code } = await start('approved');
      const decision = await storedAt(code, 'decision');
      await test.advance(620_000);
      await write(code, 'decision', decision);
      expect(await poll(code)).toBe('400 expired_token');
    });
  });

  it('values of another kind on a pending grant: no token, no 500', async () => {
    for (const entry of ['grant', 'decision', 'spent', 'ended', 'pace']) {
      const { code } = await start();
      await client.del(keyOf(code, entry));
      await client.rpush(keyOf(code, entry), 'x');
      expect(await poll(code), entry).toMatch(/^400 |^503 /);
    }
  });

  it('values of another kind are no way in, and the process bears them', async () => {
    for (const entry of ['grant', 'decision', 'spent', 'ended', 'pace']) {
      const { code } = await start('approved');
      await client.del(keyOf(code, entry));
      await client.rpush(keyOf(code, entry), 'x');
      // The pace of a grant that is decided is looked at by nobody.
      expect((await poll(code)) === '200', entry).toBe(entry === 'pace');
    }
    const { code } = await start('approved');
    expect(await poll(code)).toBe('200');
  });

  it('what a newer release wrote is refused politely: 503 with Retry-After, and the page says try again', async () => {
    const { code, userCode } = await start();
    const name = grantEntry(grantId(new Secret(code)));
    const content = sealing.check(name, await storedAt(code, 'grant'));
    const newer = `${content.split('|').slice(0, 7).join('|')}|${JSON.stringify([2, { new: 'format' }])}`;
    await write(code, 'grant', sealing.vouch(name, newer));
    await write(code, 'ended', 'so that the poll must look at it');
    const polled = await test.device().poll(code);
    expect([polled.status, polled.body.error]).toEqual([503, 'temporarily_unavailable']);
    expect(Number(polled.headers.get('retry-after'))).toBeGreaterThan(0);
    await client.del(keyOf(code, 'ended'));
    const page = await decide({ verificationUri: `${test.publicUrl}/device`, userCode, user: 'alice' });
    expect(page.status).toBe(503);
  });

  describe('at the pages', () => {
    const confirmForm = (page: VisitedPage) =>
      page.forms.find(({ buttons }) => buttons.some(({ value }) => value === 'approve'));
    /** Goes to where the person would decide. */
    async function reachConfirm(userCode: string) {
      const person = new ScriptedPerson();
      const first = await person.visit(`${test.publicUrl}/device`);
      const form = first.forms.find(({ fields }) => fields.has('user_code'));
      if (form === undefined) throw new Error(first.heading);
      const page = await person.submit(first, form, { user_code: userCode });
      return { person, page };
    }
    const keysLike = async (pattern: string) => client.keys(`${prefix}${pattern}`);

    it('an arrival of another browser or grant opens nothing', async () => {
      const [mine, victim] = [await start(), await start()];
      const own = await reachConfirm(mine.userCode);
      const theirs = await reachConfirm(victim.userCode);
      const [ownKey] = await keysLike(`{${grantId(new Secret(mine.code))}}:arrival:*`);
      const [theirKey] = await keysLike(`{${grantId(new Secret(victim.code))}}:arrival:*`);
      await client.set(String(theirKey), String(await client.get(String(ownKey))), 'KEEPTTL');
      const form = confirmForm(theirs.page);
      if (form === undefined) throw new Error(theirs.page.heading);
      const page = await theirs.person.submit(theirs.page, form, { decision: 'approve' });
      expect(page.status).toBeGreaterThanOrEqual(400);
      expect(page.status).toBeLessThan(500);
      expect(await poll(victim.code)).toBe('400 authorization_pending');
      const fine = confirmForm(own.page);
      if (fine === undefined) throw new Error(own.page.heading);
      expect((await own.person.submit(own.page, fine, { decision: 'approve' })).status).toBe(200);
    });

    it.each([
      ['approve', 'an approval of another grant', (other: string) => other],
      ['deny', 'an approval of another grant', (other: string) => other],
      ['report', 'garbage', () => 'garbage'],
      ['approve', 'nothing at all', () => ''],
    ])(
      'a decision put there while a person presses %s: %s; the same calm page as when it was there before',
      async (decision, _, forge) => {
        const { code, userCode } = await start();
        const approved = await start('approved');
        const other = await storedAt(approved.code, 'decision');
        const theirs = await reachConfirm(userCode);
        const { ledger } = test.store.storage;
        const { commit } = ledger;
        ledger.commit = async (change) => {
          if (change.writes[0].key.endsWith(':decision')) await write(code, 'decision', forge(other));
          return commit.call(ledger, change);
        };
        const form = confirmForm(theirs.page);
        if (form === undefined) throw new Error(theirs.page.heading);
        const page = await theirs.person.submit(theirs.page, form, { decision });
        ledger.commit = commit;
        expect(page.status).toBeGreaterThanOrEqual(400);
        expect(page.status).toBeLessThan(500);
        expect(test.lines.filter(({ event }) => event === 'request.failed')).toEqual([]);
        expect(test.lines.filter(({ event }) => event === 'storage.rejected')).toMatchObject([
          { grant: grantId(new Secret(code)).slice(0, 8), client: 'build-cli' },
        ]);

        const earlier = await start();
        const before = await reachConfirm(earlier.userCode);
        await write(earlier.code, 'decision', forge(other));
        const sameForm = confirmForm(before.page);
        if (sameForm === undefined) throw new Error(before.page.heading);
        expect((await before.person.submit(before.page, sameForm, { decision })).heading).toBe(page.heading);
        expect((await poll(code)).startsWith('200')).toBe(false);
      },
    );

    it('a browser session under another name, or a forged one, opens nothing', async () => {
      const [mine, victim] = [await start(), await start()];
      await reachConfirm(mine.userCode);
      const sessionKeys = () => keysLike('browser-session:*');
      const before = await sessionKeys();
      const theirs = await reachConfirm(victim.userCode);
      const added = (await sessionKeys()).filter((key) => !before.includes(key));
      expect(added.length, before.join()).toBeGreaterThan(0);
      const stored = await client.get(String(before.at(-1)));
      for (const forged of [stored ?? '{}', '{"cookie":{},"browser":"forged"}', 'garbage']) {
        for (const key of added) await client.set(key, forged, 'KEEPTTL');
        const form = confirmForm(theirs.page);
        if (form === undefined) throw new Error(theirs.page.heading);
        const page = await theirs.person.submit(theirs.page, form, { decision: 'approve' });
        expect(page.status, forged.slice(0, 20)).toBeGreaterThanOrEqual(400);
        expect(await poll(victim.code)).toMatch(/authorization_pending|slow_down/);
      }
    });

    it('a trip whose mark of being taken is deleted brings nothing back a second time', async () => {
      test.upstream.behaviour = { authorize: { asksPerson: true } };
      const { code, userCode } = await start();
      const callbacks: string[] = [];
      const person = new ScriptedPerson({
        fetch: (input, init) => {
          const { url } = new Request(input);
          if (url.includes('/callback/')) callbacks.push(url);
          return fetch(input, init);
        },
      });
      const before = await keysLike('trip:*');
      const first = await person.visit(`${test.publicUrl}/device`);
      const codeForm = first.forms.find(({ fields }) => fields.has('user_code'));
      if (codeForm === undefined) throw new Error(first.heading);
      const atUpstream = await person.submit(first, codeForm, { user_code: userCode });
      const trip = (await keysLike('trip:*')).find((key) => !before.includes(key)) ?? '';
      const [signIn] = atUpstream.links;
      if (signIn === undefined) throw new Error(atUpstream.heading);
      await person.visit(signIn, atUpstream);
      test.upstream.behaviour = {};
      expect(await client.del(`${trip}:answered`)).toBe(1);
      const again = await person.visit(callbacks[0] ?? '');
      expect(again.status).toBeGreaterThanOrEqual(400);
      expect([again.status < 500 || again.status === 502, confirmForm(again)]).toEqual([true, undefined]);
      expect(await poll(code)).toBe('400 authorization_pending');
    });

    it('a trip of another browser brings nobody back', async () => {
      test.upstream.behaviour = { authorize: { asksPerson: true } };
      const [mine, victim] = [await start(), await start()];
      await reachConfirm(mine.userCode);
      const before = await keysLike('trip:*');
      const theirs = await reachConfirm(victim.userCode);
      const added = (await keysLike('trip:*')).find((key) => !before.includes(key));
      await client.set(String(added), String(await client.get(String(before.at(-1)))), 'KEEPTTL');
      const [signIn] = theirs.page.links;
      if (signIn === undefined) throw new Error(theirs.page.heading);
      const page = await theirs.person.visit(signIn, theirs.page);
      test.upstream.behaviour = {};
      expect([page.status, confirmForm(page)]).toEqual([400, undefined]);
      expect(await poll(victim.code)).toBe('400 authorization_pending');
    });
  });
});

/** The last character of a Base64url text may have bits that mean nothing. */
function isSame(left: string, right: string): boolean {
  const bytes = (text: string) => text.split(/[.|]/).map((part) => Buffer.from(part, 'base64url').toString('hex'));
  return left === right || (left.length === right.length && bytes(left).join('.') === bytes(right).join('.'));
}

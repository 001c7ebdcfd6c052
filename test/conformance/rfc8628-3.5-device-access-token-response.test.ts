import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { grantId } from '../../src/grants/device-code.ts';
import { endGrant } from '../../src/grants/end-grant.ts';
import { Secret } from '../../src/sealing/secret.ts';
import { DEVICE_CLIENTS, DEVICE_SECRETS } from '../support/broker/device-clients.ts';
import { createTestBroker, type TestBroker, type YamlChanges } from '../support/broker/test-broker.ts';
import type { DeviceAnswer, TestDevice } from '../support/broker/test-device.ts';
import { redisForTests } from '../support/redis/redis.ts';
import { movableMemory, movableRedis } from '../support/redis/storage-under-test.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;

const YAML: YamlChanges = {
  ...DEVICE_CLIENTS,
  clients: {
    ...DEVICE_CLIENTS.clients,
    again: { name: 'Asks again', redelivery: '30s' },
    held: { name: 'Held', safeguards: { profile: 'standard', hold: '10s' } },
    picky: { name: 'Picky', approvers: { groups: ['engineering'] } },
  },
};

let redis: Awaited<ReturnType<typeof redisForTests>>;
beforeAll(async () => {
  redis = await redisForTests();
});
afterAll(() => redis.stop());

const ending = ({ broker }: TestBroker) => ({ ...broker.processContext, ledger: broker.processContext.storage.ledger });

const drivers = [
  ['memory', movableMemory],
  ['Redis', () => movableRedis(redis.settings())],
] as const;

describe.each(drivers)(
  'RFC 8628 §3.5, device access token response, on %s',
  { timeout: 60_000 },
  (_driver, openStore) => {
    let test: TestBroker;
    let tv: TestDevice;
    beforeAll(async () => {
      const store = await openStore();
      test = await createTestBroker({ yaml: YAML, environment: DEVICE_SECRETS, store });
      tv = test.device({ clientId: 'tv' });
    });
    afterAll(async () => {
      await test.close();
      await test.store.close();
    });

    const outcome = ({ status, body }: DeviceAnswer) => (status === 200 ? 200 : `${status} ${body.error}`);
    const PENDING = '400 authorization_pending';
    async function start(device = tv) {
      const { body } = await device.start();
      return { code: body.device_code, userCode: body.user_code };
    }
    /** Polls after these waits, in seconds. */
    async function pollAfter(code: string, ...waits: number[]): Promise<(number | string)[]> {
      const answers: (number | string)[] = [];
      for (const wait of waits) {
        await test.advance(wait * SECOND);
        const answer = await tv.poll(code);
        const { error, interval } = answer.body;
        answers.push(error === 'slow_down' ? `slow_down ${String(interval)}` : outcome(answer));
      }
      return answers;
    }

    it('authorization_pending while nobody has decided (R24)', async () => {
      const { code } = await start();
      expect(await pollAfter(code, 0, 5, 5, 5)).toEqual([PENDING, PENDING, PENDING, PENDING]);
    });

    describe('slow_down: still pending, and the interval grows by 5 seconds for this and all later polls (R25)', () => {
      it.each<[string, number[], (number | string)[]]>([
        ['never on the first poll, which may come at once', [0], [PENDING]],
        ['1.6 s after a counted poll', [0, 1.6], [PENDING, 'slow_down 10']],
        [
          'the next is in time after the new interval only',
          [0, 1.6, 4.4, 4.1],
          [PENDING, 'slow_down 10', 'slow_down 15', 'slow_down 20'],
        ],
        ['an early poll does not move the reference time', [0, 1.6, 8.4], [PENDING, 'slow_down 10', PENDING]],
        ['the grown interval stays', [0, 1.6, 8.4, 5], [PENDING, 'slow_down 10', PENDING, 'slow_down 15']],
        ['two polls within a second are one', [0, 0.3, 0.3], [PENDING, PENDING, PENDING]],
        [
          'a slow_down within a second is the same slow_down',
          [0, 2, 0.3, 0.3],
          [PENDING, 'slow_down 10', 'slow_down 10', 'slow_down 10'],
        ],
        ['a little early is early enough', [0, 4.7], [PENDING, PENDING]],
      ])('%s', async (_rule, waits, answers) => {
        const { code } = await start();
        expect(await pollAfter(code, ...waits)).toEqual(answers);
      });

      it('up to 60 seconds, and a device that then waits is heard', async () => {
        const { code } = await start();
        const answers = await pollAfter(code, 0, ...Array.from({ length: 14 }, () => 1.5));
        expect(answers.at(-1)).toBe('slow_down 60');
        expect(await pollAfter(code, 60, 60)).toEqual([PENDING, PENDING]);
      });

      it('never once it is approved: the tokens come at once', async () => {
        const { code, userCode } = await start();
        await pollAfter(code, 0, 2);
        await test.approve(userCode);
        expect(await pollAfter(code, 0)).toEqual([200]);
      });

      it('never once it is denied', async () => {
        const { code, userCode } = await start();
        await pollAfter(code, 0, 2);
        await test.deny(userCode);
        expect(await pollAfter(code, 0, 0, 2)).toEqual(Array(3).fill('400 access_denied'));
      });

      it('golang.org/x/oauth2: every poll twice, 1 ms apart; no slow_down, and one of the pair gets the tokens', async () => {
        const { code, userCode } = await start();
        const tick = async () => [
          outcome(
            await tv.poll(code, { client_id: '' }, { authorization: `Basic ${Buffer.from('tv:').toString('base64')}` }),
          ),
          outcome(await tv.poll(code)),
        ];
        for (let n = 0; n < 4; n += 1) {
          await test.advance(5 * SECOND);
          expect(await tick()).toEqual([PENDING, PENDING]);
        }
        await test.approve(userCode);
        await test.advance(5 * SECOND);
        expect(await tick()).toEqual([200, '400 invalid_grant']);
      });
    });

    it('access_denied after the person refused, as often as it is asked (R26)', async () => {
      const { code, userCode } = await start();
      await test.deny(userCode);
      expect(await pollAfter(code, 0, 5, 300)).toEqual(Array(3).fill('400 access_denied'));
      expect(await pollAfter(code, 400)).toEqual(['400 access_denied']);
    });

    it('expired_token after the lifetime, for a grace period; then the code is not known any more (R27)', async () => {
      const { code } = await start();
      expect(await pollAfter(code, 599, 2, 300)).toEqual([PENDING, '400 expired_token', '400 expired_token']);
      expect(await pollAfter(code, 600)).toEqual(['400 invalid_grant']);
    });

    it('approved in time and polled within one interval after the end still gets its tokens', async () => {
      const { code, userCode } = await start();
      await test.advance(599 * SECOND);
      await test.approve(userCode);
      expect(await pollAfter(code, 5)).toEqual([200]);
      const late = await start();
      await test.advance(599 * SECOND);
      await test.approve(late.userCode);
      expect(await pollAfter(late.code, 7)).toEqual(['400 expired_token']);
    });

    it('success is RFC 6749 §5.1: exactly 200, no-store, the members (R28)', async () => {
      const { code, userCode } = await start();
      await test.approve(userCode);
      const { status, headers, body } = await tv.poll(code);
      expect([status, headers.get('cache-control'), headers.get('pragma')]).toEqual([200, 'no-store', 'no-cache']);
      expect(headers.get('content-type')).toBe('application/json');
      expect(body).toMatchObject({
        access_token: expect.any(String),
        token_type: 'Bearer',
        expires_in: 600,
        refresh_token: expect.any(String),
        id_token: expect.any(String),
        scope: 'openid',
      });
      expect(body).not.toHaveProperty('error');
    });

    it('… and says the scopes that were granted, where they are not all that were asked', async () => {
      const started = await tv.start({ scope: 'openid profile email' });
      await test.approve(started.body.user_code, { scopes: ['openid', 'email'] });
      expect((await tv.poll(started.body.device_code)).body['scope']).toBe('openid email');
    });

    it('tokens come exactly once', async () => {
      const { code, userCode } = await start();
      await test.approve(userCode);
      expect(await pollAfter(code, 0, 0, 1, 10)).toEqual([
        200,
        '400 invalid_grant',
        '400 invalid_grant',
        '400 invalid_grant',
      ]);
    });

    it('a spent code has the body and header names of an unknown one', async () => {
      const { code, userCode } = await start();
      await test.approve(userCode);
      await tv.poll(code);
      const [spent, unknown] = [await tv.poll(code), await tv.poll('never-issued')];
      expect(spent.text).toBe(unknown.text);
      expect([...spent.headers.keys()]).toEqual([...unknown.headers.keys()]);
    });

    describe('a spent code that comes again', () => {
      it('within redelivery: the same answer, with the life that is left of it; later invalid_grant', async () => {
        const device = test.device({ clientId: 'again' });
        const { code, userCode } = await start(device);
        await test.approve(userCode);
        const first = await device.poll(code);
        await test.advance(10 * SECOND);
        const second = await device.poll(code);
        expect([second.status, second.body]).toEqual([200, { ...first.body, expires_in: 590 }]);
        expect(outcome(await tv.poll(code))).toBe('400 invalid_grant');
        await test.advance(25 * SECOND);
        expect(outcome(await device.poll(code))).toBe('400 invalid_grant');
      });

      it('within 30 seconds is the client’s own retry, and the session stands', async () => {
        const { code, userCode } = await start();
        await test.approve(userCode);
        const { body } = await tv.poll(code);
        await test.advance(20 * SECOND);
        expect(outcome(await tv.poll(code))).toBe('400 invalid_grant');
        expect((await tv.refresh(body.refresh_token)).status).toBe(200);
      });

      it('later ends the session that it made', async () => {
        const { code, userCode } = await start();
        await test.approve(userCode);
        const { body } = await tv.poll(code);
        await test.advance(40 * SECOND);
        expect(outcome(await tv.poll(code))).toBe('400 invalid_grant');
        expect(outcome(await tv.refresh(body.refresh_token))).toBe('400 invalid_grant');
      });
    });

    it('ended before it was redeemed: access_denied, however it was decided', async () => {
      for (const decide of [async () => undefined, test.approve]) {
        const { code, userCode } = await start();
        await decide(userCode);
        await endGrant(ending(test), grantId(new Secret(code)), 'undo', (await test.now()) + MINUTE);
        expect(outcome(await tv.poll(code))).toBe('400 access_denied');
      }
    });

    it('held approvals are pending until the hold is over', async () => {
      const device = test.device({ clientId: 'held' });
      const { code, userCode } = await start(device);
      const heldUntilMs = (await test.now()) + 10 * SECOND;
      await test.approve(userCode, { heldUntilMs });
      expect(outcome(await device.poll(code))).toBe(PENDING);
      await test.advance(9 * SECOND);
      expect(outcome(await device.poll(code))).toBe(PENDING);
      await test.advance(1.5 * SECOND);
      expect(outcome(await device.poll(code))).toBe(200);
    });

    describe('policy is judged again at redemption, by today’s configuration', () => {
      const redeemAfter = async (clientId: string, changes: Record<string, unknown> | null) => {
        const device = test.device({ clientId });
        const { body } = await device.start({ scope: 'openid packages:read' });
        await test.approve(body.user_code, { groups: ['engineering'] });
        test.reload({ ...YAML, clients: { ...YAML.clients, [clientId]: changes as Record<string, unknown> } });
        const answer = await device.poll(body.device_code);
        test.reload(YAML);
        return answer;
      };

      it('an approver who may no longer: access_denied', async () => {
        const answer = await redeemAfter('picky', { name: 'Picky', approvers: { groups: ['sales'] } });
        expect(outcome(answer)).toBe('400 access_denied');
      });

      it('a scope that is no longer allowed is dropped, and the answer says so', async () => {
        const answer = await redeemAfter('tv', { name: 'TV', scopes: { allowed: ['openid'], default: ['openid'] } });
        expect([answer.status, answer.body['scope']]).toEqual([200, 'openid']);
      });

      it('no scope left: access_denied', async () => {
        const answer = await redeemAfter('tv', { name: 'TV', scopes: { allowed: ['profile'], default: ['profile'] } });
        expect(outcome(answer)).toBe('400 access_denied');
      });

      it('a client that was removed: invalid_client', async () => {
        expect(outcome(await redeemAfter('api', null))).toBe('401 invalid_client');
      });
    });

    it('fixed cadence, jitter or hostility: every poller has its tokens one interval after the approval', async () => {
      const cadences = [() => 5, () => 4.6, () => 3, () => 1, (n: number) => [0.2, 7, 4, 5.5][n % 4] as number];
      for (const cadence of cadences) {
        const { code, userCode } = await start();
        for (let n = 0; n < 12; n += 1) await pollAfter(code, cadence(n));
        await test.approve(userCode);
        expect(await pollAfter(code, 1)).toEqual([200]);
      }
    });

    it('200 parallel polls while it is pending move the pace once', async () => {
      const { code } = await start();
      const answers = await Promise.all(Array.from({ length: 200 }, () => tv.poll(code)));
      expect(new Set(answers.map(outcome))).toEqual(new Set([PENDING]));
      expect(await pollAfter(code, 5)).toEqual([PENDING]);
    });

    it('a known pending code never gets 429, 5xx or HTML, however it is polled (R29)', async () => {
      const { code } = await start();
      for (let n = 0; n < 40; n += 1) {
        await test.advance((n % 7) * 400);
        const answer = await tv.poll(code);
        expect([400, 'application/json']).toEqual([answer.status, answer.headers.get('content-type')]);
        expect(['authorization_pending', 'slow_down']).toContain(answer.body.error);
      }
    });

    it('random codes are all invalid_grant and disturb nobody', async () => {
      const { code } = await start();
      const guesses = Array.from({ length: 300 }, (_, n) => tv.poll(Buffer.from(`guess ${n}`).toString('base64url')));
      expect(new Set((await Promise.all(guesses)).map(outcome))).toEqual(new Set(['400 invalid_grant']));
      expect(await pollAfter(code, 5)).toEqual([PENDING]);
    });

    it('nothing outlives its time: minutes after the last end the storage has nothing of a grant', async () => {
      const { code } = await start();
      await test.advance(30 * MINUTE);
      expect(await pollAfter(code, 0)).toEqual(['400 invalid_grant']);
    });
  },
);

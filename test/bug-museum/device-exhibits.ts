import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { BASE20, newUserCode } from '../../src/grants/start/user-code.ts';
import { StorageUnavailableError } from '../../src/ledger/ledger.ts';
import { ENVIRONMENT, type Exhibit, heard, ROBOT, SECOND, started } from './exhibit.ts';

const DENIAL_ROUNDS = 20;

/** At the device door: client authentication, binding, pace, redemption, refresh. */
export const DEVICE_EXHIBITS: readonly Exhibit[] = [
  {
    peer: 'authkestra, vouch',
    source: 'authkestra GH#145, vouch GH#1399',
    did: 'dropped the client secret at the device authorization endpoint',
    rule: 'a client with a secret must authenticate at the start',
    yaml: ROBOT,
    async prove(test) {
      assert.equal((await test.device({ clientId: 'robot' }).start()).status, 401);
      assert.equal((await test.device({ clientId: 'robot', secret: 'wrong' }).start()).status, 401);
      assert.equal((await test.device({ clientId: 'robot', secret: ENVIRONMENT.ROBOT_SECRET }).start()).status, 200);
    },
  },
  {
    peer: 'authentik',
    source: 'GH#21700',
    did: 'did not ask for the client secret at the token endpoint',
    rule: 'a client with a secret must authenticate at each poll',
    yaml: ROBOT,
    async prove(test) {
      const robot = test.device({ clientId: 'robot', secret: ENVIRONMENT.ROBOT_SECRET });
      const { deviceCode, userCode } = await started(robot);
      await test.approve(userCode);
      assert.equal((await test.device({ clientId: 'robot' }).poll(deviceCode)).status, 401);
      assert.equal((await robot.poll(deviceCode)).status, 200);
    },
  },
  {
    peer: 'authentik',
    source: 'GH#20454',
    did: 'refused public clients that send Basic with an empty password',
    rule: 'a public client’s Basic with an empty password is that public client',
    async prove(test) {
      const device = test.device({ secret: '' });
      const { deviceCode } = await started(device);
      assert.equal(heard(await device.poll(deviceCode)), 'authorization_pending');
    },
  },
  {
    peer: 'Keycloak, Zitadel, dex',
    source: 'CVE-2023-2585, CVE-2026-16089, GHSA-xqxv-4jc2-x56x; dex `grants/devicecode.go`',
    did: 'gave the tokens of a code to another client',
    rule: 'a code polled by another client is an unknown code, and nothing happens to it',
    yaml: ROBOT,
    async prove(test) {
      const { deviceCode, userCode } = await started(test.device());
      await test.approve(userCode);
      const foreign = await test.device({ clientId: 'tv' }).poll(deviceCode);
      const unknown = await test.device({ clientId: 'tv' }).poll('x'.repeat(43));
      assert.deepEqual([foreign.status, foreign.text], [unknown.status, unknown.text]);
      assert.equal(heard(foreign), 'invalid_grant');
      assert.equal(heard(await test.device().poll(deviceCode)), 200);
    },
  },
  {
    peer: 'better-auth',
    source: 'pull request GH#10135',
    did: 'checked scopes before ownership, and so told a foreign client the scopes of a grant',
    rule: 'whose code it is comes before everything that could be told about it',
    yaml: ROBOT,
    async prove(test) {
      const { deviceCode, userCode } = await started(test.device(), { scope: 'openid packages:read' });
      await test.approve(userCode);
      const tv = test.device({ clientId: 'tv' });
      const foreign = await tv.poll(deviceCode, { scope: 'nonsense', resource: 'urn:nobody' });
      assert.equal(foreign.text, (await tv.poll('x'.repeat(43))).text);
    },
  },
  {
    peer: 'idenplane',
    source: 'GH#858',
    did: 'answered `authorization_pending` for codes that do not exist, so that devices polled for ever',
    rule: 'an unknown code is invalid_grant',
    async prove(test) {
      assert.equal(heard(await test.device().poll('x'.repeat(43))), 'invalid_grant');
    },
  },
  {
    peer: 'Abblix',
    source: 'GH#281, GH#293',
    did: 'answered `slow_down` to the first poll',
    rule: 'the first poll may come at once',
    async prove(test) {
      const { deviceCode } = await started(test.device());
      assert.equal(heard(await test.device().poll(deviceCode)), 'authorization_pending');
    },
  },
  {
    peer: 'H2CK',
    source: 'GH#716',
    did: 'let a refused poll move the reference time too, so that a device with a fixed cadence was locked out for good',
    rule: 'a device that is too early with every poll still gets its tokens',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      for (let poll = 0; poll < 10; poll += 1) {
        const answer = heard(await device.poll(deviceCode));
        assert(answer === 'authorization_pending' || answer === 'slow_down');
        await test.advance(2 * SECOND);
      }
      await test.approve(userCode);
      assert.equal(heard(await device.poll(deviceCode)), 200);
    },
  },
  {
    peer: 'octokit',
    source: 'its device client',
    did: 'waits longer once after `slow_down`, and then returns to its old interval',
    rule: 'a client that forgets slow_down is told again, and is never locked out',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      const answers = new Set<number | string>();
      for (const wait of [0, 3, 12, 5, 17, 5, 22, 5]) {
        await test.advance(wait * SECOND);
        answers.add(heard(await device.poll(deviceCode)));
      }
      assert.deepEqual(answers, new Set(['authorization_pending', 'slow_down']));
      await test.approve(userCode);
      assert.equal(heard(await device.poll(deviceCode)), 200);
    },
  },
  {
    peer: 'better-auth',
    source: '`routes.ts`',
    did: 'answered `slow_down` and left the interval as it was',
    rule: 'slow_down lengthens the interval by five seconds, for this and all later polls',
    async prove(test) {
      const device = test.device();
      const { deviceCode } = await started(device);
      await device.poll(deviceCode);
      await test.advance(2 * SECOND);
      assert.equal((await device.poll(deviceCode)).body['interval'], 10);
      await test.advance(6 * SECOND);
      assert.equal((await device.poll(deviceCode)).body['interval'], 15);
    },
  },
  {
    peer: 'OpenArtifacts, dex',
    source: 'OpenArtifacts GH#62; dex `grants/devicecode.go`',
    did: 'read interval and last poll outside the update that wrote them, so that parallel polls were not counted',
    rule: 'parallel polls are judged one by one: many at once raise the interval by one step',
    async prove(test) {
      const device = test.device();
      const { deviceCode } = await started(device);
      await device.poll(deviceCode);
      await test.advance(2 * SECOND);
      const answers = await Promise.all(Array.from({ length: 50 }, () => device.poll(deviceCode)));
      for (const { body } of answers) assert.deepEqual([body.error, body['interval']], ['slow_down', 10]);
    },
  },
  {
    peer: 'node-oidc-provider, fosite',
    source: 'their device grants (`SlowDown` has no caller; `ShouldRateLimit` is always false); fosite GH#701',
    did: 'never answers `slow_down`, and the start carries no `interval`',
    rule: 'the start says the interval, and polling faster is told to slow down',
    async prove(test) {
      const device = test.device();
      const { deviceCode, body } = await started(device);
      assert.equal(body['interval'], 5);
      await device.poll(deviceCode);
      await test.advance(1500);
      assert.equal(heard(await device.poll(deviceCode)), 'slow_down');
    },
  },
  {
    peer: 'kin (PHP)',
    source: 'its token endpoint',
    did: 'counted polls in a fixed one-minute bucket',
    rule: 'pace is kept for each grant, from its own last poll',
    async prove(test) {
      const device = test.device();
      const grants = await Promise.all(Array.from({ length: 20 }, () => started(device)));
      for (const { deviceCode } of grants) {
        assert.equal(heard(await device.poll(deviceCode)), 'authorization_pending');
      }
    },
  },
  {
    peer: 'dex, ferriskey, artifact-keeper',
    source: 'dex `grants/devicecode.go`, ferriskey GH#1236, artifact-keeper GH#3549',
    did: 'answered a redeemed code with tokens again until it expired',
    rule: 'a second poll after success is invalid_grant, and a late one ends the session',
    async prove(test) {
      const device = test.device();
      const tokens = await test.signIn(device);
      assert.equal(heard(await device.poll(tokens.device_code)), 'invalid_grant');
      await test.advance(31 * SECOND);
      assert.equal(heard(await device.poll(tokens.device_code)), 'invalid_grant');
      assert.equal(heard(await device.refresh(tokens.refresh_token)), 'invalid_grant');
    },
  },
  {
    peer: 'd-inference, better-auth-rs, pipeshub, node-oidc-provider, openauth',
    source: 'd-inference GH#125, better-auth-rs GH#63, pipeshub GH#3197; read-then-write in the last two',
    did: 'read “approved”, made tokens, and marked the code as used afterwards',
    rule: 'of fifty parallel polls of an approved code one gets tokens',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      await test.approve(userCode);
      const answers = await Promise.all(Array.from({ length: 50 }, () => device.poll(deviceCode)));
      assert.equal(answers.filter(({ status }) => status === 200).length, 1);
    },
  },
  {
    peer: 'AutoGPT',
    source: 'GH#14062',
    did: 'gave the loser of that race half of a success',
    rule: 'who loses the race hears invalid_grant and nothing else',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      await test.approve(userCode);
      const answers = await Promise.all(Array.from({ length: 10 }, () => device.poll(deviceCode)));
      for (const { status, body, text } of answers) {
        if (status === 200) continue;
        assert.equal(body.error, 'invalid_grant');
        assert.doesNotMatch(text, /token|scope/);
      }
    },
  },
  {
    peer: 'vouch',
    source: 'GH#266',
    did: 'wrote the whole record back at each poll, over a decision that had come in between',
    rule: 'no poll undoes a decision',
    async prove(test) {
      const device = test.device();
      for (let round = 0; round < DENIAL_ROUNDS; round += 1) {
        const { deviceCode, userCode } = await started(device);
        await Promise.all([...Array.from({ length: 5 }, () => device.poll(deviceCode)), test.deny(userCode)]);
        assert.equal(heard(await device.poll(deviceCode)), 'access_denied');
      }
    },
  },
  {
    peer: 'Abblix',
    source: 'GH#459',
    did: 'let a late approval bring a redeemed code back to life',
    rule: 'what is redeemed cannot be approved again',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      await test.approve(userCode);
      assert.equal(heard(await device.poll(deviceCode)), 200);
      await assert.rejects(test.approve(userCode));
      assert.equal(heard(await device.poll(deviceCode)), 'invalid_grant');
    },
  },
  {
    peer: 'Keycloak',
    source: '`OAuth2DeviceCodeModel`, later mended',
    did: 'let a denial read as pending',
    rule: 'a denied device hears access_denied, as often as it asks',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      await test.deny(userCode);
      for (let poll = 0; poll < 3; poll += 1) assert.equal(heard(await device.poll(deviceCode)), 'access_denied');
    },
  },
  {
    peer: 'better-auth',
    source: '`routes.ts`',
    did: 'checked “pending”, and then approved or denied without looking again',
    rule: 'of an approval and a denial at once one stands, and the device hears that one',
    async prove(test) {
      const device = test.device();
      for (let round = 0; round < DENIAL_ROUNDS; round += 1) {
        const { deviceCode, userCode } = await started(device);
        const [approval] = await Promise.allSettled([test.approve(userCode), test.deny(userCode)]);
        const expected = approval.status === 'fulfilled' ? 200 : 'access_denied';
        assert.equal(heard(await device.poll(deviceCode)), expected);
      }
    },
  },
  {
    peer: 'django-oauth-toolkit',
    source: 'GH#1692',
    did: 'resolved default scopes at redemption, after the person had read something else',
    rule: 'defaults are resolved at the start: what is added later is not issued',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      await test.approve(userCode);
      const allowed = ['openid', 'profile', 'packages:read'];
      test.reload({ clients: { 'build-cli': { scopes: { allowed, default: allowed } } } });
      assert.doesNotMatch(String((await device.poll(deviceCode)).body['scope']), /packages|profile/);
    },
  },
  {
    peer: 'Abblix',
    source: 'GH#409',
    did: 'did not judge again what had been approved',
    rule: 'a scope that is no longer allowed is not issued, approved or not',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device, { scope: 'openid packages:read' });
      await test.approve(userCode);
      test.reload({ clients: { 'build-cli': { scopes: { allowed: ['openid'], default: ['openid'] } } } });
      assert.equal((await device.poll(deviceCode)).body['scope'], 'openid');
    },
  },
  {
    peer: 'nanoidp, vouch',
    source: 'nanoidp GH#276, vouch GH#1347',
    did: 'redeemed codes of clients that had been switched off meanwhile',
    rule: 'a client that is gone gets nothing, whatever was approved before',
    yaml: ROBOT,
    async prove(test) {
      const tv = test.device({ clientId: 'tv' });
      const { deviceCode, userCode } = await started(tv);
      await test.approve(userCode);
      test.reload({});
      assert.equal(heard(await tv.poll(deviceCode)), 'invalid_client');
    },
  },
  {
    peer: 'Keycloak',
    source: 'CVE-2026-88770',
    did: 'redeemed codes after the upstream session had been logged out',
    rule: 'a logout between approval and redemption counts',
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      await test.approve(userCode);
      await test.advance(10);
      const body = new URLSearchParams({ logout_token: await test.upstream.logoutToken() });
      assert.equal((await device.send('/backchannel-logout/corp', { method: 'POST', body })).status, 200);
      assert.equal(heard(await device.poll(deviceCode)), 'access_denied');
    },
  },
  {
    peer: 'league/oauth2-server',
    source: 'GH#1506',
    did: 'gave two refreshes at once two successors, or ended an honest session',
    rule: 'of twenty parallel refreshes each gets the same successor',
    async prove(test) {
      const device = test.device();
      const { refresh_token } = await test.signIn(device);
      const answers = await Promise.all(Array.from({ length: 20 }, () => device.refresh(refresh_token)));
      assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
      assert.equal(new Set(answers.map(({ body }) => body.refresh_token)).size, 1);
    },
  },
  {
    peer: 'Hydra',
    source: 'advisory on pagination tokens',
    did: 'used one secret for several purposes, so that who learned a token’s key could forge another kind',
    rule: 'the storage’s key signs nothing: a token made with it is no token',
    yaml: ROBOT,
    async prove(test) {
      const claims = { iss: test.publicUrl, sub: 'corp|alice', aud: test.publicUrl, client_id: 'robot', jti: 'x' };
      const key = Buffer.from(ENVIRONMENT.SEALING_KEY, 'base64url');
      const sign = new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' });
      const forged = await sign.setIssuedAt().setExpirationTime('5m').sign(key);
      const robot = test.device({ clientId: 'robot', secret: ENVIRONMENT.ROBOT_SECRET });
      assert.deepEqual((await robot.introspect(forged)).body, { active: false });
    },
  },
  {
    peer: 'django-oauth-toolkit',
    source: 'GH#1734',
    did: 'drew user codes from `random`, which can be foreseen',
    rule: 'user codes come from the system’s randomness, every letter as likely as another',
    async prove() {
      const count = new Map<string, number>();
      for (let code = 0; code < 20_000; code += 1) {
        for (const letter of newUserCode(BASE20, 8, randomBytes)) count.set(letter, (count.get(letter) ?? 0) + 1);
      }
      const expected = (20_000 * 8) / BASE20.length;
      const chiSquare = BASE20.split('').reduce(
        (sum, each) => sum + ((count.get(each) ?? 0) - expected) ** 2 / expected,
        0,
      );
      // 19 degrees of freedom: beyond this once in a million runs.
      assert(chiSquare < 64, `chi square ${chiSquare}`);
      const drawn: number[] = [];
      newUserCode(BASE20, 8, (size) => {
        drawn.push(size);
        return randomBytes(size);
      });
      assert(drawn.length > 0);
    },
  },
  {
    peer: 'dex',
    source: '`device.go` `handleDeviceCode`',
    did: 'answered a wrong method with a page and JSON in one body, and a storage failure with 500 `invalid_request`',
    rule: 'one body for each answer; a storage that is away is 503 temporarily_unavailable, to be tried again',
    async prove(test) {
      const wrong = await test.device().send('/device_authorization');
      assert.equal(wrong.status, 405);
      assert.equal((JSON.parse(wrong.text) as { error: string }).error, 'invalid_request');
      const away = () => Promise.reject(new StorageUnavailableError('away'));
      Object.assign(test.store.storage.ledger, { now: away, commit: away });
      const answer = await test.device().start();
      assert.deepEqual([answer.status, answer.body.error], [503, 'temporarily_unavailable']);
      assert(Number(answer.headers.get('retry-after')) > 0);
    },
  },
  {
    peer: 'atproto',
    source: '`error-parser.ts`',
    did: 'took each `TypeError` for the caller’s mistake, and showed its text',
    rule: 'a bug of ours is server_error, and nothing of it is shown',
    async prove(test) {
      const { deviceCode } = await started(test.device());
      const bug = () => Promise.reject(new TypeError('cannot read properties of the database password'));
      Object.assign(test.store.storage.ledger, { poll: bug });
      const answer = await test.device().poll(deviceCode);
      assert.deepEqual([answer.status, answer.body.error], [500, 'server_error']);
      assert.doesNotMatch(answer.text, /password|TypeError/);
      assert(test.lines.some((line) => JSON.stringify(line).includes('TypeError')));
    },
  },
  {
    peer: 'agent-bom',
    source: 'GH#3686',
    did: 'took the first `X-Forwarded-Host` for its own name, for everybody',
    rule: 'no header of a request changes an address that we give out',
    yaml: { trusted_proxies: ['127.0.0.1/32'] },
    async prove(test) {
      const device = test.device();
      const headers = {
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'https',
        forwarded: 'host=evil.example',
      };
      const { body } = await device.start({}, headers);
      assert.equal(body['verification_uri'], `${test.publicUrl}/device`);
      const path = '/.well-known/oauth-authorization-server';
      assert.equal((await device.send(path, { headers })).text, (await device.send(path)).text);
    },
  },
  {
    peer: 'oauth2-proxy',
    source: 'CVE-2026-40575, GH#3506',
    did: 'believed forwarding headers of everybody, and then trusted 0.0.0.0/0 by default',
    rule: 'without a stated proxy the peer’s own address counts, and trusting everybody is refused',
    yaml: { limits: { starts_per_source: 2 } },
    async prove(test) {
      const statuses: number[] = [];
      for (let n = 0; n < 4; n += 1) {
        statuses.push((await test.device().start({}, { 'x-forwarded-for': `203.0.113.${n}` })).status);
      }
      assert.deepEqual(statuses, [200, 200, 429, 429]);
      assert.throws(
        () => test.reload({ trusted_proxies: ['0.0.0.0/0'] }),
        /believe the forwarding header of everybody/,
      );
    },
  },
  {
    peer: 'oauth2-proxy',
    source: 'CVE-2025-64484',
    did: 'let `X_Forwarded_For` pass where `X-Forwarded-For` was stripped',
    rule: 'a header whose name only resembles the stated one is not read',
    yaml: { limits: { starts_per_source: 2 }, trusted_proxies: ['127.0.0.1/32'] },
    async prove(test) {
      const statuses: number[] = [];
      for (let n = 0; n < 4; n += 1) {
        const headers = { 'x-forwarded-for': '198.51.100.7', x_forwarded_for: `203.0.113.${n}` };
        statuses.push((await test.device().start({}, headers)).status);
      }
      assert.deepEqual(statuses, [200, 200, 429, 429]);
    },
  },
  {
    peer: 'Zitadel',
    source: 'pull request GH#5646',
    did: 'logged device codes and user codes',
    rule: 'no code and no token is in the log, at any level',
    yaml: { log: { level: 'trace' } },
    async prove(test) {
      const device = test.device();
      const { deviceCode, userCode } = await started(device);
      await device.poll(deviceCode);
      await test.approveInBrowser(userCode);
      const { body } = await device.poll(deviceCode);
      await device.refresh(body.refresh_token);
      const log = JSON.stringify(test.lines);
      assert(log.includes('grant.polled'));
      const compact = userCode.replace('-', '');
      for (const secret of [deviceCode, userCode, compact, body.access_token, body.refresh_token]) {
        assert(!log.includes(secret));
      }
    },
  },
];

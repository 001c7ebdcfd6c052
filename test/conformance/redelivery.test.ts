import { createHash, randomBytes } from 'node:crypto';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setMark } from '../../src/grants/revocation-marks.ts';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

const SECOND = 1000;

describe('a device code that comes again after its redemption', () => {
  let test: TestBroker;
  beforeEach(async () => {
    test = await createTestBroker({
      yaml: { clients: { patient: { redelivery: '30s' }, other: { redelivery: '30s' } } },
    });
  });
  afterEach(() => test.close());

  const foreign = { status: 400, body: { error: 'invalid_grant' } };

  async function redeem(device = test.device({ clientId: 'patient' })) {
    const started = await device.start();
    await test.approve(started.body.user_code);
    const first = await device.poll(started.body.device_code);
    expect(first.status).toBe(200);
    return { device, code: started.body.device_code, first };
  }

  describe('with redelivery', () => {
    it('gets the same answer for 30 s, with the life that is left of its tokens', async () => {
      const { device, code, first } = await redeem();
      let elapsedMs = 0;
      for (const waitMs of [0, 10 * SECOND, 19 * SECOND]) {
        await test.advance(waitMs);
        const again = await device.poll(code);
        elapsedMs += waitMs;
        const expected = { ...first.body, expires_in: 600 - elapsedMs / SECOND };
        expect([again.status, again.body]).toEqual([200, expected]);
      }
      expect(test.lines.filter(({ event }) => event === 'grant.redeemed')).toHaveLength(1);
      expect((await device.refresh(first.body.refresh_token)).status).toBe(200);
    });

    it('another resource gets a token of its own beside the same refresh token, and one that is not allowed its error', async () => {
      const [a, b] = ['https://a.example.com', 'https://b.example.com'];
      test.reload({ clients: { patient: { redelivery: '30s', resources: [a, b] } } });
      const device = test.device({ clientId: 'patient' });
      const { body } = await device.start({ resource: [a, b] });
      await test.approve(body.user_code);
      const first = await device.poll(body.device_code, { resource: a });
      const other = await device.poll(body.device_code, { resource: b });
      const [one, two] = [first, other].map((answer) => decodeJwt(answer.body.access_token));
      expect([one?.aud, two?.aud]).toEqual([a, b]);
      expect(two?.jti).not.toBe(one?.jti);
      expect(other.body.refresh_token).toBe(first.body.refresh_token);
      const wide = await device.poll(body.device_code, { resource: 'https://c.example.com' });
      expect(wide).toMatchObject({ status: 400, body: { error: 'invalid_target' } });
      expect((await device.poll(body.device_code, { resource: a })).body).toEqual(first.body);
    });

    it('but not another client', async () => {
      const { code } = await redeem();
      expect(await test.device({ clientId: 'other' }).poll(code)).toMatchObject(foreign);
    });

    it('nor another DPoP key, nor none, where one was shown at redemption', async () => {
      const dpop = await newDpopKey();
      const first = await test.device({ clientId: 'patient' }).start();
      await test.approve(first.body.user_code);
      const device = test.device({ clientId: 'patient', dpop });
      const tokens = await device.poll(first.body.device_code);
      expect(tokens.body['token_type']).toBe('DPoP');
      const code = first.body.device_code;
      expect(await test.device({ clientId: 'patient' }).poll(code)).toMatchObject(foreign);
      const thief = test.device({ clientId: 'patient', dpop: await newDpopKey() });
      expect(await thief.poll(code)).toMatchObject(foreign);
      expect((await device.poll(code)).text).toBe(tokens.text);
    });

    it('nor who lacks the PKCE verifier', async () => {
      const verifier = randomBytes(32).toString('base64url');
      const challenge = createHash('sha256').update(verifier).digest('base64url');
      const device = test.device({ clientId: 'patient' });
      const { body } = await device.start({ code_challenge: challenge, code_challenge_method: 'S256' });
      await test.approve(body.user_code);
      const first = await device.poll(body.device_code, { code_verifier: verifier });
      expect(await device.poll(body.device_code)).toMatchObject(foreign);
      expect((await device.poll(body.device_code, { code_verifier: verifier })).text).toBe(first.text);
    });

    it('nor after the session has ended', async () => {
      const { device, code, first } = await redeem();
      await device.revoke(first.body.refresh_token);
      expect(await device.poll(code)).toMatchObject(foreign);
    });

    it('nor after a kill switch', async () => {
      const { device, code } = await redeem();
      await test.advance(SECOND);
      const { storage, sealing } = test.broker.processContext;
      const nowMs = await test.now();
      await setMark({ ledger: storage.ledger, sealing }, { mark: 'all' }, nowMs, nowMs + 60 * SECOND);
      expect(await device.poll(code)).toMatchObject(foreign);
    });

    it('nor later than 30 s: then the session has ended', async () => {
      const { device, code, first } = await redeem();
      await test.advance(31 * SECOND);
      expect(await device.poll(code)).toMatchObject(foreign);
      expect((await device.refresh(first.body.refresh_token)).body.error).toBe('invalid_grant');
    });
  });

  describe('without redelivery, as by default', () => {
    it('is invalid_grant, and within 30 s nothing more happens: a client retries', async () => {
      const { device, code, first } = await redeem(test.device());
      await test.advance(29 * SECOND);
      expect(await device.poll(code)).toMatchObject(foreign);
      expect((await device.refresh(first.body.refresh_token)).status).toBe(200);
    });

    it('later it ends the session that it made', async () => {
      const { device, code, first } = await redeem(test.device());
      await test.advance(31 * SECOND);
      expect(await device.poll(code)).toMatchObject(foreign);
      expect((await device.refresh(first.body.refresh_token)).body.error).toBe('invalid_grant');
      expect(test.lines).toContainEqual(expect.objectContaining({ event: 'grant.replayed' }));
    });

    it('that end holds as long as the access token, whatever refresh_absolute is by then', async () => {
      const lifetimes = { access_token: '24h', refresh_absolute: '10m' };
      test.reload({ clients: { 'build-cli': { refresh_tokens: 'never', lifetimes } } });
      const { device, code, first } = await redeem(test.device());
      const headers = { authorization: `Bearer ${first.body.access_token}` };
      expect((await device.send('/userinfo', { headers })).status).toBe(200);
      await test.advance(31 * SECOND);
      await device.poll(code);
      for (const hours of [0, 12]) {
        await test.advance(hours * 3600 * SECOND);
        expect((await device.send('/userinfo', { headers })).status).toBe(401);
      }
    });

    it('of another client, or without its key, it does nothing however late', async () => {
      const { device, code, first } = await redeem(test.device());
      await test.advance(31 * SECOND);
      expect(await test.device({ clientId: 'other' }).poll(code)).toMatchObject(foreign);
      expect((await device.refresh(first.body.refresh_token)).status).toBe(200);
    });
  });
});

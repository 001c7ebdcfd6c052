import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { decodeJwt, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryLedger } from '../../src/storage/memory/memory-ledger.ts';
import { type DpopKey, newDpopKey, type ProofFacts } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { DeviceAnswer, TestDevice } from '../support/broker/test-device.ts';

const MINUTE = 60 * 1000;

describe('RFC 9449: DPoP at the device door', () => {
  let test: TestBroker;
  let key: DpopKey;
  let device: TestDevice;
  beforeEach(async () => {
    test = await createTestBroker({ yaml: { clients: { strict: { require: ['dpop'] } } } });
    key = await newDpopKey();
    device = test.device({ dpop: key });
  });
  afterEach(() => test.close());

  const broken = { status: 400, body: { error: 'invalid_dpop_proof' } };
  const foreign = { status: 400, body: { error: 'invalid_grant' } };

  /** A pending poll with a proof that a test spoils. */
  async function pollWith(changes: Partial<ProofFacts>): Promise<DeviceAnswer> {
    const { body } = await test.device().start();
    const address = `${test.publicUrl}/token`;
    const dpop = await key.proof({ method: 'POST', address, nowMs: await test.now(), ...changes });
    return test.device().poll(body.device_code, {}, { dpop });
  }

  describe('§5: binding', () => {
    it('tokens of a poll with a proof are bound to its key', async () => {
      const tokens = await test.signIn(device);
      expect(tokens['token_type']).toBe('DPoP');
      expect(decodeJwt(tokens.access_token)['cnf']).toEqual({ jkt: key.jkt });
    });

    it('without a proof they are bearer tokens', async () => {
      const tokens = await test.signIn();
      expect([tokens['token_type'], decodeJwt(tokens.access_token)['cnf']]).toEqual(['Bearer', undefined]);
    });

    it.each(['ES256', 'RS256', 'PS256', 'Ed25519', 'EdDSA'])('a key for %s does', async (alg) => {
      const tokens = await test.signIn(test.device({ dpop: await newDpopKey(alg) }));
      expect(tokens['token_type']).toBe('DPoP');
    });
  });

  describe('§10, in this grant: the device code is bound from the start', () => {
    const starts: [string, () => Promise<DeviceAnswer>][] = [
      ['a proof at device authorization', () => device.start()],
      ['dpop_jkt there', () => test.device().start({ dpop_jkt: key.jkt })],
    ];

    it.each(starts)('by %s: only that key polls and redeems, and the others change nothing', async (_what, start) => {
      const { body } = await start();
      const thief = test.device({ dpop: await newDpopKey() });
      expect(await test.device().poll(body.device_code)).toMatchObject(foreign);
      expect(await thief.poll(body.device_code)).toMatchObject(foreign);
      expect((await device.poll(body.device_code)).body.error).toBe('authorization_pending');
      await test.approve(body.user_code);
      expect(await test.device().poll(body.device_code)).toMatchObject(foreign);
      expect(await thief.poll(body.device_code)).toMatchObject(foreign);
      expect((await device.poll(body.device_code)).body['token_type']).toBe('DPoP');
    });

    it('a proof and another dpop_jkt contradict each other', async () => {
      const other = await newDpopKey();
      expect(await device.start({ dpop_jkt: other.jkt })).toMatchObject(broken);
      expect((await device.start({ dpop_jkt: key.jkt })).status).toBe(200);
    });

    it('a dpop_jkt that is no thumbprint: invalid_request', async () => {
      expect((await test.device().start({ dpop_jkt: 'abc' })).body.error).toBe('invalid_request');
    });

    it('a client that must use DPoP cannot start without', async () => {
      expect((await test.device({ clientId: 'strict' }).start()).body.error).toBe('invalid_request');
      expect((await test.device({ clientId: 'strict', dpop: key }).start()).status).toBe(200);
    });
  });

  describe('§4.3: a proof that does not check is invalid_dpop_proof', () => {
    it.each<[string, Partial<ProofFacts>]>([
      ['another htm', { method: 'GET' }],
      ['another htu', { address: 'https://evil.example/token' }],
      ['the htu of another endpoint', { claims: { htu: 'http://127.0.0.1/introspect' } }],
      ['no htu', { claims: { htu: undefined } }],
      ['no jti', { claims: { jti: undefined } as never }],
      ['no iat', { claims: { iat: undefined } as never }],
      ['another typ', { header: { typ: 'JWT' } }],
      ['no jwk', { header: { jwk: undefined } }],
    ])('%s', async (_what, changes) => {
      expect(await pollWith(changes)).toMatchObject(broken);
    });

    describe('an RSA key costs no more than others', () => {
      const rsaKey = async (modulusLength: number, publicExponent = 65_537) => {
        const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength, publicExponent });
        return { privateKey, jwk: publicKey.export({ format: 'jwk' }) };
      };
      const signedBy = async ({ privateKey, jwk }: Awaited<ReturnType<typeof rsaKey>>) => {
        const { body } = await test.device().start();
        const claims = { htm: 'POST', htu: `${test.publicUrl}/token`, jti: randomUUID() };
        const dpop = await new SignJWT({ ...claims, iat: Math.floor((await test.now()) / 1000) })
          .setProtectedHeader({ alg: 'RS256', typ: 'dpop+jwt', jwk })
          .sign(privateKey);
        return test.device().poll(body.device_code, {}, { dpop });
      };

      it.each([2048, 3072, 4096])('%i bits do', async (bits) => {
        expect((await signedBy(await rsaKey(bits))).body.error).toBe('authorization_pending');
      });

      it.each([3, 17, 65_539])('the exponent %i does not', async (exponent) => {
        expect(await signedBy(await rsaKey(2048, exponent))).toMatchObject(broken);
      });

      it.each([
        ['2047 bits', () => Buffer.from([0x7f, ...randomBytes(255)])],
        ['4097 bits', () => Buffer.from([1, ...randomBytes(512)])],
        ['8192 bits', () => randomBytes(1024)],
        ['nothing but zeros', () => Buffer.alloc(256)],
        ['no modulus', () => Buffer.alloc(0)],
      ])('%s are refused before anything is computed with them', async (_what, modulus) => {
        const key = await rsaKey(2048);
        const jwk = { ...key.jwk, n: modulus().toString('base64url') };
        const answer = await signedBy({ ...key, jwk });
        expect(answer).toMatchObject(broken);
        expect(answer.body['error_description']).toContain('2048 to 4096 bits');
      });

      it('an exponent as long as the key, which costs forty times as much, is refused before that', async () => {
        const key = await rsaKey(3072);
        const { d } = key.privateKey.export({ format: 'jwk' });
        const answer = await signedBy({ ...key, jwk: { ...key.jwk, e: d ?? '' } });
        expect(answer).toMatchObject(broken);
        expect(answer.body['error_description']).toContain('the exponent 65537');
      });

      it.each([null, 'AQAB', 7, []])('a jwk that is %j is none', async (jwk) => {
        expect(await pollWith({ header: { jwk } })).toMatchObject(broken);
      });
    });

    it('a jwk with its private part', async () => {
      expect(await pollWith({ header: { jwk: { ...key.jwk, d: 'AAAA' } } })).toMatchObject(broken);
    });

    it('the signature of another key', async () => {
      const other = await newDpopKey();
      expect(await pollWith({ header: { jwk: other.jwk } })).toMatchObject(broken);
    });

    it.each(['', 'abc', 'a.b.c'])('“%s”', async (dpop) => {
      const { body } = await test.device().start();
      const answer = await test.device().send('/token', {
        method: 'POST',
        headers: { dpop },
        body: new URLSearchParams({
          grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
          client_id: 'build-cli',
          device_code: body.device_code,
        }),
      });
      expect(answer).toMatchObject(broken);
    });

    it('two proofs in one request', async () => {
      const { body } = await test.device().start();
      const [one, two] = [await device.proof('/token'), await device.proof('/token')];
      expect(await test.device().poll(body.device_code, {}, { dpop: `${one}, ${two}` })).toMatchObject(broken);
    });

    it('htu is compared without query and fragment, host and scheme in any case', async () => {
      const address = `${test.publicUrl.replace('http:', 'HTTP:')}/token?x=1#y`;
      expect((await pollWith({ address })).body.error).toBe('authorization_pending');
    });
  });

  it('§11.1: a proof counts once, at whichever endpoint', async () => {
    const { body } = await device.start();
    const dpop = await device.proof('/token');
    expect((await test.device().poll(body.device_code, {}, { dpop })).body.error).toBe('authorization_pending');
    await test.advance(6000);
    expect(await test.device().poll(body.device_code, {}, { dpop })).toMatchObject(broken);
  });

  it('§11.1: with a code that nobody has, a proof leaves nothing behind: it still counts for a real one', async () => {
    const { body } = await test.device().start();
    const address = `${test.publicUrl}/token`;
    const dpop = await key.proof({ method: 'POST', address, nowMs: await test.now() });
    expect(await test.device().poll('made-up', {}, { dpop })).toMatchObject(foreign);
    expect((await test.device().poll(body.device_code, {}, { dpop })).body.error).toBe('authorization_pending');
    expect(await test.device().poll(body.device_code, {}, { dpop })).toMatchObject(broken);
  });

  describe('§11.1: only what could be replayed to an effect is noted, one by one', () => {
    const size = () => (test.store.storage.ledger as MemoryLedger).size;
    const polled = async (code: string, more: Partial<ProofFacts> = {}) => {
      const dpop = await key.proof({
        ...{ method: 'POST', address: `${test.publicUrl}/token`, nowMs: await test.now() },
        ...more,
      });
      return { dpop, answer: await test.device().poll(code, {}, { dpop }) };
    };
    const again = (code: string, dpop: string) => test.device().poll(code, {}, { dpop });

    it('a thousand polls of a pending code leave one number behind', async () => {
      const { body } = await test.device().start();
      const before = size();
      for (let n = 0; n < 1000; n += 1) await polled(body.device_code);
      expect(size() - before).toBe(1);
    });

    it('so do polls of a code that was denied, has run out, or waits for the confirmation code', async () => {
      const denied = (await test.device().start()).body;
      await test.deny(denied.user_code);
      const waits = (await test.device().start({ confirmation: 'required' })).body;
      await test.approve(waits.user_code, { confirmationCode: '4711' });
      const old = (await test.device().start()).body;
      await test.advance(11 * MINUTE);
      for (const [code, error] of [
        [denied.device_code, 'access_denied'],
        [old.device_code, 'expired_token'],
      ] as const) {
        const before = size();
        for (let n = 0; n < 100; n += 1) expect((await polled(code)).answer.body.error).toBe(error);
        expect(size() - before).toBeLessThanOrEqual(1);
      }
    });

    it('a pending poll’s proof redeems nothing later, and the device still gets its tokens', async () => {
      const { body } = await test.device().start();
      const pending: string[] = [];
      for (let n = 0; n < 4; n += 1) {
        pending.push((await polled(body.device_code)).dpop);
        await test.advance(6000);
      }
      await test.approve(body.user_code);
      for (const dpop of pending) {
        const { status, body: told } = await again(body.device_code, dpop);
        expect([status, ['invalid_dpop_proof', 'authorization_pending'].includes(told.error)]).toEqual([400, true]);
      }
      const redeemed = await polled(body.device_code);
      expect(redeemed.answer.body['token_type']).toBe('DPoP');
      expect(await again(body.device_code, redeemed.dpop)).toMatchObject(broken);
    });

    it('nor does one that came while the approval was held, or that waited for the confirmation code', async () => {
      const held = (await test.device().start()).body;
      await test.approve(held.user_code, { heldUntilMs: (await test.now()) + 10_000 });
      const early = await polled(held.device_code);
      expect(early.answer.body.error).toBe('authorization_pending');
      await test.advance(11_000);
      expect(await again(held.device_code, early.dpop)).toMatchObject(broken);
      expect((await polled(held.device_code)).answer.status).toBe(200);
    });

    it('a device whose clock was set back meanwhile gets its tokens once it is newer than its last poll', async () => {
      const { body } = await test.device().start();
      await polled(body.device_code, { nowMs: (await test.now()) + 20_000 });
      await test.approve(body.user_code);
      expect((await polled(body.device_code)).answer.body.error).toBe('authorization_pending');
      await test.advance(21_000);
      expect((await polled(body.device_code)).answer.status).toBe(200);
    });

    it('a redemption’s proof sent again much later neither ends the session nor is forgotten before it is stale', async () => {
      const { body } = await test.device().start();
      await test.approve(body.user_code);
      const nonce = (await polled(body.device_code, { nowMs: 0 })).answer.headers.get('dpop-nonce') ?? '';
      const redeemed = await polled(body.device_code, { nonce });
      expect(redeemed.answer.status).toBe(200);
      await test.advance(2 * MINUTE);
      expect(await again(body.device_code, redeemed.dpop)).toMatchObject(broken);
      const refreshed = await device.refresh(redeemed.answer.body.refresh_token);
      expect(refreshed.status).toBe(200);
    });

    it('an answer that is given again is for a new proof each time', async () => {
      test.reload({ ...test.yaml, clients: { 'build-cli': { redelivery: '30s' } } });
      const { body } = await test.device().start();
      await test.approve(body.user_code);
      const first = await polled(body.device_code);
      const second = await polled(body.device_code);
      expect([first.answer.status, second.answer.status]).toEqual([200, 200]);
      expect(await again(body.device_code, first.dpop)).toMatchObject(broken);
      expect(await again(body.device_code, second.dpop)).toMatchObject(broken);
    });

    it.each([1000, 29_000, 40_000])(
      'after %i ms, a proof older than the newest is told so, and ends nothing',
      async (ms) => {
        test.reload({ ...test.yaml, clients: { 'build-cli': { redelivery: '30s' } } });
        const { body } = await test.device().start();
        await test.approve(body.user_code);
        const unsent = { method: 'POST', address: `${test.publicUrl}/token`, nowMs: (await test.now()) - 1000 };
        const older = await key.proof(unsent);
        const { answer } = await polled(body.device_code);
        await test.advance(ms);
        expect(await again(body.device_code, older)).toMatchObject(broken);
        expect((await device.refresh(answer.body.refresh_token)).status).toBe(200);
      },
    );

    it('one session has three hundred notes in five minutes, and then waits', async () => {
      const tokens = await test.signIn(device);
      const ask = async () => {
        const proof = await device.proof('/userinfo', { accessToken: tokens.access_token, method: 'GET' });
        const headers = { authorization: `DPoP ${tokens.access_token}`, dpop: proof };
        return device.send('/userinfo', { headers });
      };
      // The first was the redemption’s.
      for (let n = 1; n < 300; n += 1) expect((await ask()).status).toBe(200);
      const refused = await ask();
      expect(refused).toMatchObject({ status: 429, body: { error: 'temporarily_unavailable' } });
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await test.signIn(test.device({ dpop: await newDpopKey() })))['token_type']).toBe('DPoP');
      await test.advance(5 * MINUTE + 1000);
      const { body: renewed } = await device.refresh(tokens.refresh_token);
      expect(renewed['token_type']).toBe('DPoP');
    });
  });

  describe('§8: nonces, for devices whose clock is off', () => {
    it.each([-10 * MINUTE, -2 * MINUTE, 2 * MINUTE, 24 * 60 * MINUTE])(
      'a clock that is off by %i ms gets a nonce, and polls with it',
      async (offMs) => {
        const { body } = await test.device().start({ dpop_jkt: key.jkt });
        const address = `${test.publicUrl}/token`;
        const poll = async (nonce?: string) => {
          const dpop = await key.proof({ method: 'POST', address, nonce, nowMs: (await test.now()) + offMs });
          return test.device().poll(body.device_code, {}, { dpop });
        };
        const first = await poll();
        expect(first).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
        const nonce = first.headers.get('dpop-nonce') ?? '';
        expect(nonce).not.toBe('');
        expect((await poll(nonce)).body.error).toBe('authorization_pending');
        await test.approve(body.user_code);
        expect((await poll(nonce)).body['token_type']).toBe('DPoP');
      },
    );

    it('a clock that is off by less than a minute does without', async () => {
      for (const offMs of [-50_000, 50_000]) {
        const answer = await pollWith({ nowMs: (await test.now()) + offMs });
        expect(answer.body.error).toBe('authorization_pending');
      }
    });

    it('a nonce is good for minutes, then another is asked for', async () => {
      const nonce = (await pollWith({ nowMs: 0 })).headers.get('dpop-nonce') ?? '';
      await test.advance(4 * MINUTE);
      expect((await pollWith({ nonce, nowMs: 0 })).body.error).toBe('authorization_pending');
      await test.advance(7 * MINUTE);
      expect((await pollWith({ nonce, nowMs: 0 })).body.error).toBe('use_dpop_nonce');
    });

    it('a made-up nonce is none, whatever the time', async () => {
      const answer = await pollWith({ nonce: 'made-up' });
      expect(answer).toMatchObject({ status: 400, body: { error: 'use_dpop_nonce' } });
    });

    it('asking for a nonce neither counts as a poll nor touches the grant', async () => {
      const { body } = await device.start();
      for (let n = 0; n < 3; n += 1) {
        const dpop = await key.proof({ method: 'POST', address: `${test.publicUrl}/token`, nowMs: 0 });
        expect((await test.device().poll(body.device_code, {}, { dpop })).body.error).toBe('use_dpop_nonce');
      }
      expect((await device.poll(body.device_code)).body.error).toBe('authorization_pending');
    });
  });

  it('§5.1: the metadata names the algorithms, all asymmetric', async () => {
    const { body } = await device.send('/.well-known/oauth-authorization-server');
    const algs = body['dpop_signing_alg_values_supported'];
    expect(algs).toEqual(expect.arrayContaining(['ES256', 'RS256']));
    expect(JSON.stringify(algs)).not.toMatch(/HS|none/);
  });
});

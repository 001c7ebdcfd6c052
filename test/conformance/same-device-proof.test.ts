import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import type { Parameters } from '../support/broker/test-device.ts';

const PATH = 'Zm9ydHktdHdvIHJhbmRvbS';
const LOOPBACK = { confirmation: 'loopback', loopback_port: '49152', loopback_path: PATH };
const PROOF = 'cHJvb2Ytb2YtMTI4LWJpdA';
const CONFIRMED = { confirmationCode: '4711', confirmationProof: PROOF };

let test: TestBroker;
beforeEach(async () => {
  test = await createTestBroker();
});
afterEach(() => test.close());

const safeguards = (changes: unknown) => test.reload({ clients: { 'build-cli': { safeguards: changes } } });

/** Started with `loopback`, and approved with a proof and digits. */
async function approved(): Promise<string> {
  const { body } = await test.device().start(LOOPBACK);
  await test.approve(body.user_code, CONFIRMED);
  return body.device_code;
}

async function poll(code: string, confirmation_code?: string): Promise<string> {
  const answer = await test.device().poll(code, confirmation_code === undefined ? {} : { confirmation_code });
  return answer.status === 200 ? 'tokens' : answer.body.error;
}

const logged = (event: string) => test.lines.filter((line) => line.event === event);

describe('the device authorization request', () => {
  it('is answered with what will be asked: the proof where it is offered', async () => {
    expect((await test.device().start(LOOPBACK)).body['confirmation']).toBe('loopback');
    expect((await test.device().start()).body['confirmation']).toBeUndefined();
  });

  it.each([
    ['open', LOOPBACK, undefined],
    [{ profile: 'open', reverse_code: 'supported' }, LOOPBACK, 'required'],
    ['standard', { confirmation: 'supported' }, undefined],
    ['strict', {}, undefined],
    ['strict', LOOPBACK, 'loopback'],
    ['strict', { confirmation: 'supported' }, 'required'],
    [{ local: 'required' }, LOOPBACK, 'loopback'],
    [{ local: 'required' }, { confirmation: 'supported' }, 'required'],
    [{ reverse_code: 'required' }, LOOPBACK, 'loopback'],
  ])('with %o for a device that sends %o: %s', async (changes, sent: Parameters, asked) => {
    safeguards(changes);
    const { status, body } = await test.device().start(sent);
    expect([status, body['confirmation']]).toEqual([200, asked]);
  });

  it('that says nothing is refused where a proof or digits are required', async () => {
    safeguards({ local: 'required' });
    const { status, body } = await test.device().start();
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });

  it.each([
    ['no port', { loopback_port: '' }],
    ['a port of a service', { loopback_port: '1023' }],
    ['a port that is none', { loopback_port: '65536' }],
    ['a port in another notation', { loopback_port: '0xC000' }],
    ['a port with a zero before it', { loopback_port: '049152' }],
    ['a host in the port', { loopback_port: '49152@evil.example' }],
    ['no path', { loopback_path: '' }],
    ['a path that can be guessed', { loopback_path: 'callback' }],
    ['a path that leads elsewhere', { loopback_path: '../../../../../../admin' }],
    ['a path with a query', { loopback_path: 'Zm9ydHktdHdvIHJhbmRv?x' }],
    ['another kind', { confirmation: 'localhost' }],
  ])('with %s is invalid_request', async (_, changes) => {
    const { status, body } = await test.device().start({ ...LOOPBACK, ...changes });
    expect([status, body.error]).toEqual([400, 'invalid_request']);
  });

  it('takes a port from 1024 to 65535 and 22 characters of base64url, and nothing else', async () => {
    const port = fc.oneof(fc.integer({ min: 0, max: 70_000 }).map(String), fc.string({ maxLength: 8 }));
    const path = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-]{20,24}$/), fc.string({ maxLength: 30 }));
    await fc.assert(
      fc.asyncProperty(port, path, async (loopback_port, loopback_path) => {
        const isGood =
          /^\d{4,5}$/.test(loopback_port) &&
          String(Number(loopback_port)) === loopback_port &&
          Number(loopback_port) >= 1024 &&
          Number(loopback_port) <= 65_535 &&
          /^[\w-]{22}$/.test(loopback_path);
        const { status } = await test.device().start({ ...LOOPBACK, loopback_port, loopback_path });
        expect(status).toBe(isGood ? 200 : 400);
      }),
      { numRuns: 60 },
    );
  });

  it('is announced in the metadata, where a client may have it', async () => {
    const methods = async () => {
      const { body } = await test.device().send('/.well-known/oauth-authorization-server');
      return body['confirmation_methods_supported'];
    };
    expect(await methods()).toEqual(['digits', 'loopback']);
    safeguards({ profile: 'open', reverse_code: 'supported' });
    expect(await methods()).toEqual(['digits']);
    safeguards('open');
    expect(await methods()).toBeUndefined();
  });
});

describe('a poll after the approval', () => {
  it('without the proof is pending, with it there are tokens', async () => {
    const code = await approved();
    expect(await poll(code)).toBe('authorization_pending');
    expect(await poll(code, PROOF)).toBe('tokens');
    expect(logged('grant.redeemed')).toMatchObject([{ confirmation: 'loopback' }]);
  });

  it('may bring the digits in its place', async () => {
    const code = await approved();
    expect(await poll(code, '4711')).toBe('tokens');
    expect(logged('grant.redeemed')).toMatchObject([{ confirmation: 'digits' }]);
  });

  it('is pending with wrong ones, and the third denies: proofs and digits share the tries', async () => {
    const code = await approved();
    expect(await poll(code, PROOF.toLowerCase())).toBe('authorization_pending');
    expect(await poll(code, '0001')).toBe('authorization_pending');
    expect(await poll(code, `${PROOF}A`)).toBe('access_denied');
    expect(await poll(code, PROOF)).toBe('access_denied');
    expect(logged('confirmation.refused').map(({ reason }) => reason)).toEqual(['wrong', 'wrong', 'wrong', 'ended']);
    expect(logged('grant.refused')).toMatchObject([{ reason: 'confirmation_code' }]);
  });

  it('may bring the same one again and again, as during a hold', async () => {
    const { body } = await test.device().start(LOOPBACK);
    await test.approve(body.user_code, { ...CONFIRMED, heldUntilMs: (await test.now()) + 20_000 });
    for (let n = 0; n < 4; n += 1) expect(await poll(body.device_code, PROOF)).toBe('authorization_pending');
    await test.advance(20_000);
    expect(await poll(body.device_code, PROOF)).toBe('tokens');
  });

  it('redeems once, though the same proof comes many times at once', async () => {
    const code = await approved();
    const answers = await Promise.all(Array.from({ length: 20 }, () => poll(code, PROOF)));
    expect(answers.filter((answer) => answer === 'tokens')).toHaveLength(1);
    expect(new Set(answers)).toEqual(new Set(['tokens', 'invalid_grant']));
  });

  it('is refused and logged with a proof that was used', async () => {
    const code = await approved();
    await poll(code, PROOF);
    expect(await poll(code, PROOF)).toBe('invalid_grant');
    expect(logged('confirmation.refused')).toMatchObject([{ reason: 'spent', client: 'build-cli' }]);
  });

  it('is refused and logged with the proof of another grant', async () => {
    const [code, other] = [await approved(), (await test.device().start(LOOPBACK)).body];
    await test.approve(other.user_code, { ...CONFIRMED, confirmationProof: 'YW5vdGhlci1wcm9vZi1oZQ' });
    expect(await poll(other.device_code, PROOF)).toBe('authorization_pending');
    expect(logged('confirmation.refused')).toMatchObject([{ reason: 'wrong' }]);
    expect(await poll(code, PROOF)).toBe('tokens');
  });

  it('is refused and logged after a denial', async () => {
    const { body } = await test.device().start(LOOPBACK);
    await test.deny(body.user_code);
    expect(await poll(body.device_code, PROOF)).toBe('access_denied');
    expect(logged('confirmation.refused')).toMatchObject([{ reason: 'denied' }]);
  });

  it('brings nothing to another client that has heard the proof', async () => {
    test.reload({ clients: { other: {} } });
    const code = await approved();
    const answer = await test.device({ clientId: 'other' }).poll(code, { confirmation_code: PROOF });
    expect(answer.body.error).toBe('invalid_grant');
    expect(await poll(code, PROOF)).toBe('tokens');
  });

  it('is counted, by how it was confirmed', async () => {
    await poll(await approved(), PROOF);
    await poll(await approved(), 'wrong');
    const { body } = await test.broker.processContext.metrics.text();
    expect(body).toContain('gatehouse_confirmations_total{client="build-cli",outcome="loopback"} 1');
    expect(body).toContain('gatehouse_confirmations_total{client="build-cli",outcome="wrong"} 1');
  });
});

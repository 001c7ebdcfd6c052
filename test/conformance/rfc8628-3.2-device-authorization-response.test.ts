import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEVICE_CLIENTS, DEVICE_SECRETS } from '../support/broker/device-clients.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

describe('RFC 8628 §3.2, device authorization response', () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await createTestBroker({ yaml: DEVICE_CLIENTS, environment: DEVICE_SECRETS });
  });
  afterAll(() => test.close());

  it('is 200 with application/json and no-store, and has every member (R9)', async () => {
    const { status, headers, body } = await test.device({ clientId: 'tv' }).start();
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      device_code: expect.stringMatching(/^[\w-]{43}$/),
      user_code: expect.stringMatching(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/),
      verification_uri: `${test.publicUrl}/device`,
      verification_uri_complete: `${test.publicUrl}/device?user_code=${body.user_code}`,
      expires_in: 600,
      interval: 5,
    });
  });

  it('errors have no-store too, and a reference like every answer', async () => {
    const { headers } = await test.device({ clientId: 'nobody' }).start();
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{8,}$/);
    expect(headers.get('set-cookie')).toBeNull();
  });

  it('codes are unique among those alive (R10)', async () => {
    const device = test.device({ clientId: 'tv' });
    const started = await Promise.all(Array.from({ length: 200 }, () => device.start()));
    expect(new Set(started.map(({ body }) => body.device_code)).size).toBe(200);
    expect(new Set(started.map(({ body }) => body.user_code)).size).toBe(200);
  });

  it('codes are limited in time: after expires_in neither works (R10)', async () => {
    const device = test.device({ clientId: 'tv' });
    const { body } = await device.start();
    await test.advance(601_000);
    expect((await device.poll(body.device_code)).body.error).toBe('expired_token');
    await expect(test.approve(body.user_code)).rejects.toThrow('no pending grant');
  });

  it('verification_uri is short, without query, and is served without a redirect (R11)', async () => {
    const { body } = await test.device({ clientId: 'tv' }).start();
    const uri = new URL(String(body['verification_uri']));
    expect(uri.href.length).toBeLessThanOrEqual(40);
    expect([uri.search, uri.pathname]).toEqual(['', '/device']);
    expect((await fetch(uri, { redirect: 'manual' })).status).toBe(200);
  });

  it('user_code is NOT in verification_uri (R12)', async () => {
    const { body } = await test.device({ clientId: 'tv' }).start();
    expect(body['verification_uri']).not.toContain(body.user_code);
    expect(body['verification_uri']).not.toContain(body.user_code.replace('-', ''));
  });

  it('verification_uri_complete carries the code; a client may be without it (R13)', async () => {
    const { body } = await test.device({ clientId: 'quiet' }).start();
    expect(body).not.toHaveProperty('verification_uri_complete');
    expect(body).toHaveProperty('verification_uri');
  });

  it('verification_uri_complete follows the template of the configuration', async () => {
    const other = await createTestBroker({
      yaml: { user_codes: { verification_uri_complete: '{verification_uri}?code={user_code}' } },
    });
    const { body } = await other.device().start();
    expect(body['verification_uri_complete']).toBe(`${other.publicUrl}/device?code=${body.user_code}`);
    await other.close();
  });

  it('interval is always sent, as an integer of at least 1 (R14)', async () => {
    test.reload({ ...DEVICE_CLIENTS, clients: { tv: { name: 'TV', interval: '1s', lifetimes: { code: '90s' } } } });
    const { body } = await test.device({ clientId: 'tv' }).start();
    expect([body['interval'], body['expires_in']]).toEqual([1, 90]);
    test.reload(DEVICE_CLIENTS);
  });

  it('errors have the format of RFC 6749 §5.2, whatever is sent (R15)', async () => {
    const bodies = [
      '',
      'client_id=nobody',
      'client_id=robot',
      'client_id=tv&scope=%22%5C',
      'client_id=tv&resource=x',
      'client_id=tv&client_id=tv',
      'client_id=%',
      'client_id=tv&code_challenge=x',
      'client_id=tv&device_label=%00',
      'client_id=tv&confirmation=x',
      'client_id=tv&dpop_jkt=x',
      'client_id=tv&client_assertion=x',
      'client_id=tv&client_assertion=x&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      'x'.repeat(9000),
    ];
    const registered = ['invalid_request', 'invalid_client', 'invalid_scope', 'invalid_target', 'unauthorized_client'];
    for (const body of bodies) {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await test.device().send('/device_authorization', { method: 'POST', headers, body });
      expect([400, 401], body).toContain(answer.status);
      expect(answer.headers.get('content-type'), body).toBe('application/json');
      expect(registered, body).toContain(answer.body.error);
      expect(answer.body['error_description'], body).toMatch(/^[\x20\x21\x23-\x5B\x5D-\x7E]+$/);
    }
  });

  it('a code grows longer while many are alive or many wrong ones were entered', async () => {
    const crowded = await createTestBroker({ yaml: { user_codes: { alphabet: 'numeric', length: 9, group: 3 } } });
    const { body } = await crowded.device().start();
    expect(body.user_code).toMatch(/^\d{3}-\d{3}-\d{3}$/);
    for (let n = 0; n < 1000; n += 1) await crowded.device().start();
    expect((await crowded.device().start()).body.user_code).toMatch(/^\d{3}-\d{3}-\d{3}-\d$/);
    await crowded.close();
  });

  it('too many starts of one source get 429 with Retry-After, and count only that source', async () => {
    const strict = await createTestBroker({
      yaml: { limits: { starts_per_source: 5 }, trusted_proxies: ['127.0.0.1/32'] },
    });
    const from = (address: string) => strict.device().start({}, { 'x-forwarded-for': address });
    for (let n = 0; n < 5; n += 1) expect((await from('192.0.2.1')).status).toBe(200);
    const refused = await from('192.0.2.1');
    expect([refused.status, refused.body.error]).toEqual([429, 'temporarily_unavailable']);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await from('198.51.100.1')).status).toBe(200);
    await strict.close();
  });
});

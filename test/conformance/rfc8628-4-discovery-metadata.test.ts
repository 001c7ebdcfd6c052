import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

describe('RFC 8628 §4, discovery metadata', () => {
  let test: TestBroker;
  beforeAll(async () => {
    test = await createTestBroker();
  });
  afterAll(() => test.close());

  it.each(['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'])(
    '%s has device_authorization_endpoint and the grant type, and both work (R31)',
    async (path) => {
      const { body } = await test.device().send(path);
      expect(body['grant_types_supported']).toContain(DEVICE_CODE_GRANT);
      const started = await fetch(String(body['device_authorization_endpoint']), {
        method: 'POST',
        body: new URLSearchParams({ client_id: 'build-cli' }),
      });
      const { device_code: code } = (await started.json()) as { device_code: string };
      const form = { client_id: 'build-cli', grant_type: DEVICE_CODE_GRANT, device_code: code };
      const polled = await fetch(String(body['token_endpoint']), { method: 'POST', body: new URLSearchParams(form) });
      expect(await polled.json()).toMatchObject({ error: 'authorization_pending' });
    },
  );
});

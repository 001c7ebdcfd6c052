import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { createTestBroker } from '../support/broker/test-broker.ts';

it('a client with `require: [pkce]` cannot start without a challenge', async () => {
  const test = await createTestBroker({ yaml: { clients: { strict: { require: ['pkce'] } } } });
  try {
    const strict = test.device({ clientId: 'strict' });
    expect(await strict.start()).toMatchObject({ status: 400, body: { error: 'invalid_request' } });
    const code_challenge = createHash('sha256').update('a'.repeat(43)).digest('base64url');
    expect((await strict.start({ code_challenge, code_challenge_method: 'S256' })).status).toBe(200);
  } finally {
    await test.close();
  }
});

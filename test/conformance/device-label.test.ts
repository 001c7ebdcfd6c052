import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';

let test: TestBroker;
beforeAll(async () => {
  test = await createTestBroker();
});
afterAll(() => test.close());

it.each(['TV\u2028Approve this', 'TV\u2029', '\u3164', 'e\u0301\u0302\u0303\u0304', 'T\u200bV', ' ', 'a'.repeat(65)])(
  'a device that calls itself %j cannot start',
  async (device_label) => {
    const { status, body } = await test.device().start({ device_label });
    expect([status, body.error]).toEqual([400, 'invalid_request']);
    expect(body['error_description']).toMatch(/one line of at most 64 characters/);
  },
);

it.each(['MacBook\u00a0Pro de Zoë', 'پخش\u200cکننده', 'ทีวีที่บ้าน', '📺 1\ufe0f\u20e3', 'Build server "7"'])(
  'a device that calls itself %j can',
  async (device_label) => expect((await test.device().start({ device_label })).status).toBe(200),
);

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ScriptedPerson, type VisitedPage } from '../../demo/scripted-person.ts';
import { DEVICE_SECRETS } from '../support/broker/device-clients.ts';
import { createTestBroker, type TestBroker, type TestBrokerOptions } from '../support/broker/test-broker.ts';

const brokers: TestBroker[] = [];
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((test) => test.close()));
});

async function broker(yaml: TestBrokerOptions['yaml'] = {}): Promise<TestBroker> {
  const test = await createTestBroker({ yaml, environment: { ROBOT_SECRET: DEVICE_SECRETS.POST_SECRET } });
  brokers.push(test);
  return test;
}

const codeForm = (page: VisitedPage) => page.forms.find(({ fields }) => fields.has('user_code'));

/** Types a code as somebody at an address of their own, with a browser of their own. */
async function typeCode(test: TestBroker, code: string, person = new ScriptedPerson()): Promise<VisitedPage> {
  const page = await person.visit(`${test.publicUrl}/device`);
  const form = codeForm(page);
  if (form === undefined) return page;
  return person.submit(page, form, { user_code: code });
}

function personAt(address: string): ScriptedPerson {
  return new ScriptedPerson({
    fetch: (input, init) =>
      fetch(input, { ...init, headers: { ...(init?.headers as Record<string, string>), 'x-forwarded-for': address } }),
  });
}

describe('RFC 8628 §5.1, user code brute forcing', () => {
  it('attempts are limited per source: then 429, for right codes too (R32)', async () => {
    const test = await broker({ limits: { wrong_codes_per_source: 5 }, trusted_proxies: ['127.0.0.1/32'] });
    const { body } = await test.device().start();
    for (let n = 0; n < 5; n += 1) {
      expect((await typeCode(test, 'BBBB-BBBB', personAt('192.0.2.1'))).status).toBe(400);
    }
    expect((await typeCode(test, 'BBBB-BBBC', personAt('192.0.2.1'))).status).toBe(429);
    expect((await typeCode(test, body.user_code, personAt('192.0.2.1'))).status).toBe(429);
    expect((await typeCode(test, 'BBBB-BBBB', personAt('198.51.100.1'))).status).toBe(400);
  });

  it('a success resets nothing, nor do expired codes (R32)', async () => {
    const test = await broker({ limits: { wrong_codes_per_source: 5 }, trusted_proxies: ['127.0.0.1/32'] });
    const expired = (await test.device().start()).body.user_code;
    await test.advance(601_000);
    for (let n = 0; n < 4; n += 1) await typeCode(test, n % 2 === 0 ? expired : 'BBBB-BBBB', personAt('192.0.2.1'));
    const { body } = await test.device().start();
    expect((await typeCode(test, body.user_code, personAt('192.0.2.1'))).status).toBe(200);
    expect((await typeCode(test, 'BBBB-BBBB', personAt('192.0.2.1'))).status).toBe(400);
    expect((await typeCode(test, 'BBBB-BBBB', personAt('192.0.2.1'))).status).toBe(429);
  });

  it('a wrong, an expired, a used and a denied code look alike (R32)', async () => {
    const test = await broker();
    const codeOf = async () => (await test.device().start()).body;
    const expired = await codeOf();
    await test.advance(601_000);
    const used = await codeOf();
    await test.approve(used.user_code);
    await test.device().poll(used.device_code);
    const denied = await codeOf();
    await test.deny(denied.user_code);
    const pages = await Promise.all(
      ['BBBB-BBBB', expired.user_code, used.user_code, denied.user_code].map((code) => typeCode(test, code)),
    );
    const withoutChance = ({ html }: VisitedPage, code: string) =>
      html
        .replaceAll(code, 'CODE')
        .replace(/value="[^"]{20,}"/g, '')
        .replace(/[\w-]{12,}/g, '');
    const codes = ['BBBB-BBBB', expired.user_code, used.user_code, denied.user_code];
    expect(new Set(pages.map(({ status }) => status))).toEqual(new Set([400]));
    expect(new Set(pages.map((page, index) => withoutChance(page, codes[index] ?? ''))).size).toBe(1);
  });

  it('ten thousand guesses against a hundred live codes find none (R33)', async () => {
    const test = await broker({
      limits: { wrong_codes_per_source: 0, wrong_codes_total: 0, wrong_codes_per_browser: 0, pending_per_source: 0 },
    });
    for (let n = 0; n < 100; n += 1) await test.device().start();
    // Straight at the form: the domain judges each of them.
    const { findByUserCode } = await import('../../src/grants/view-grant.ts');
    const { storage, sealing, randomBytes } = test.broker.processContext;
    const deps = {
      ledger: storage.ledger,
      sealing,
      randomBytes,
      userCodes: { alphabet: 'BCDFGHJKLMNPQRSTVWXZ', length: 8, group: 4 },
    };
    const { newUserCode } = await import('../../src/grants/start/user-code.ts');
    let hits = 0;
    for (let n = 0; n < 10_000; n += 1) {
      const guess = newUserCode(deps.userCodes.alphabet, 8, randomBytes);
      if ((await findByUserCode(deps, guess, 'guesser')) !== undefined) hits += 1;
    }
    expect(hits).toBe(0);
  });

  it('a configuration whose codes could be guessed is refused at the start (R33)', async () => {
    await expect(broker({ user_codes: { alphabet: 'numeric', length: 6, group: 3 } })).rejects.toThrow(/user_codes/);
    await broker({ user_codes: { alphabet: 'numeric', length: 8, group: 4 } });
  });
});

describe('RFC 8628 §5.2, device code brute forcing', () => {
  it('device codes have 256 bits, in 43 characters (R34)', async () => {
    const test = await broker();
    const codes = await Promise.all(
      Array.from({ length: 100 }, async () => (await test.device().start()).body.device_code),
    );
    expect(codes.every((code) => Buffer.from(code, 'base64url').length === 32)).toBe(true);
    const ones = codes
      .flatMap((code) => [...Buffer.from(code, 'base64url')])
      .reduce((sum, byte) => sum + byte.toString(2).replaceAll('0', '').length, 0);
    // 25 600 fair coins: 12 800 ± 80; six times that happens to nobody.
    expect(Math.abs(ones - 12_800)).toBeLessThan(480);
  });
});

describe('RFC 8628 §5.4, remote phishing', () => {
  let test: TestBroker;
  let confirm: VisitedPage;
  beforeAll(async () => {
    test = await createTestBroker();
    const { body } = await test.device().start({ device_label: 'Kitchen <b>radio</b>' });
    confirm = await typeCode(test, body.user_code);
  });
  afterAll(() => test.close());

  it('the page says that a device is being authorised, and asks whether it is in front of the person (R35)', () => {
    expect(confirm.html).toContain('in front of you');
    expect(confirm.html.toLowerCase()).toContain('device');
  });

  it('the page says which program asks, from which address and when (R36)', () => {
    expect(confirm.html).toContain('Build CLI');
    expect(confirm.html).toContain('127.0.0.1');
    expect(confirm.html).toMatch(/\d+ seconds? ago|just now|\d{1,2}:\d{2}/i);
  });

  it('what the device calls itself is text, and never the client’s name (R36, R38)', () => {
    expect(confirm.html).not.toContain('<b>radio</b>');
    expect(confirm.html).toContain('&lt;b&gt;radio');
  });

  it('codes live for ten minutes unless the administrator says otherwise (R37)', async () => {
    expect((await test.device().start()).body['expires_in']).toBe(600);
  });
});

describe('RFC 8628 §5.6, non-confidential clients', () => {
  it('a client with a secret gets nothing that a public one does not: the person decides alike (R38)', async () => {
    const test = await broker({
      clients: { robot: { name: 'Robot', authentication: 'client_secret', client_secret: { env: 'ROBOT_SECRET' } } },
    });
    const page = async (clientId: string, secret?: string) => {
      const device = test.device({ clientId, ...(secret !== undefined && { secret }) });
      return typeCode(test, (await device.start()).body.user_code);
    };
    const secret = DEVICE_SECRETS.POST_SECRET;
    const [open, confidential] = [await page('build-cli'), await page('robot', secret)];
    const fieldsOf = ({ forms }: VisitedPage) => forms.map(({ fields }) => [...fields.keys()].join());
    expect(fieldsOf(confidential)).toEqual(fieldsOf(open));
  });
});

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedPerson } from '../../demo/scripted-person.ts';
import { memoryStorage } from '../../src/storage/memory/memory-storage.ts';
import { newDpopKey } from '../support/broker/dpop-key.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';

const SECRET = 'kq3vY0m1PzW8sD5xH2nR7t';
const FLOODER = '203.0.113.7';
const HONEST = '198.51.100.20';
/** What all share here; a process has a hundred times as much. */
const ROOM = 3500;
const EACH = 300;
/** More than there is room for: what each could leave behind without a limit. */
const MANY = 4000;
const LEAVES_SOMETHING = new Set(['starts', 'secrets of clients that are not there', 'sign-ins for the devices page']);

describe('the memory driver, flooded from one address with all that needs no account', () => {
  let test: TestBroker;
  beforeEach(async () => {
    const storage = memoryStorage({ maxEntries: ROOM });
    await storage.open();
    test = await createTestBroker({
      store: { storage, replica: storage, advance: async () => undefined, close: () => storage.close() },
      environment: { SECRET },
      yaml: {
        trusted_proxies: ['127.0.0.1/32'],
        // As they are by default.
        limits: { starts_per_source: 60, pending_per_source: 1000 },
        clients: { robot: { client_secret: { env: 'SECRET' } } },
      },
    });
  });
  afterEach(() => test.close());

  type Sent = { method: string; path: string; form?: Record<string, string>; headers?: Record<string, string> };

  /** Each request on one of a few connections, without waiting for the answer before. */
  async function flood(requests: readonly Sent[]): Promise<Map<string, number>> {
    const told = new Map<string, number>();
    const lanes = Array.from({ length: 8 }, (_, lane) => requests.filter((_sent, index) => index % 8 === lane));
    await Promise.all(
      lanes.map(async (lane) => {
        const socket = connect({ port: Number(new URL(test.origin).port), host: '127.0.0.1' }).setEncoding('latin1');
        await once(socket, 'connect');
        let answered = 0;
        socket.on('data', (text: string) => {
          for (const [, status = ''] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
            answered += 1;
            told.set(status, (told.get(status) ?? 0) + 1);
          }
        });
        socket.setMaxListeners(0);
        for (let n = 0; n < lane.length; n += 20) {
          const some = lane.slice(n, n + 20);
          socket.write(some.map(bytesOf).join(''));
          while (answered < n + some.length && !socket.destroyed) {
            await Promise.race([once(socket, 'data'), once(socket, 'close')]);
          }
        }
        socket.destroy();
      }),
    );
    return told;
  }

  function bytesOf({ method, path, form, headers = {} }: Sent): string {
    const body = form === undefined ? '' : new URLSearchParams(form).toString();
    const head = {
      Host: new URL(test.origin).host,
      'X-Forwarded-For': FLOODER,
      ...(form !== undefined && { 'Content-Type': 'application/x-www-form-urlencoded' }),
      'Content-Length': String(body.length),
      ...headers,
    };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
    return `${method} ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
  }

  async function kinds(): Promise<Record<string, (n: number) => Sent>> {
    const { body } = await test.device().start({}, { 'x-forwarded-for': FLOODER });
    const key = await newDpopKey();
    const address = `${test.publicUrl}/token`;
    const proofs = await Promise.all(
      Array.from({ length: 50 }, async () => key.proof({ method: 'POST', address, nowMs: await test.now() })),
    );
    const post = (path: string, form: Record<string, string>, headers?: Record<string, string>): Sent => ({
      method: 'POST',
      path,
      form,
      ...(headers !== undefined && { headers }),
    });
    const get = (path: string): Sent => ({ method: 'GET', path });
    const poll = { grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli' };
    return {
      starts: () => post('/device_authorization', { client_id: 'build-cli' }),
      'polls of made-up codes': () => post('/token', { ...poll, device_code: randomUUID() }),
      'polls with DPoP': (n) =>
        post('/token', { ...poll, device_code: body.device_code }, { DPoP: proofs[n % proofs.length] ?? '' }),
      'wrong secrets': (n) => post('/token', { ...poll, client_id: 'robot', client_secret: `guess-number-${n}` }),
      'secrets of clients that are not there': (n) =>
        post('/introspect', { token: 'x', client_id: `nobody-${n}`, client_secret: 'x' }),
      'refresh tokens': () => post('/token', { ...poll, grant_type: 'refresh_token', refresh_token: randomUUID() }),
      revocations: () => post('/revoke', { client_id: 'build-cli', token: randomUUID() }),
      'logout tokens': (n) => post('/backchannel-logout/corp', { logout_token: `x.${n}.y` }),
      'code pages': () => get('/device'),
      'code pages by a link': () => ({
        ...get('/device?user_code=BCDF-GHJK'),
        headers: { Referer: 'https://evil.example/' },
      }),
      'code pages of its own code': () => get(`/device?user_code=${body.user_code}`),
      'sign-ins for the devices page': () => get('/sessions?upstream=corp'),
      callbacks: (n) => get(`/callback/corp?state=${n}&code=x`),
      'language forms': () => post('/language', { lang: 'de' }),
      'confirm forms': (n) => post('/device/confirm', { decision: 'approve', ticket: `t${n}` }),
    };
  }

  /** Its form without cookies, as a program would send it again and again. */
  async function codeForms(count: number, userCode: string): Promise<void> {
    const fetchFrom: typeof fetch = (input, init) =>
      fetch(input, {
        ...init,
        headers: { ...Object.fromEntries(new Headers(init?.headers)), 'x-forwarded-for': FLOODER },
      });
    for (let n = 0; n < count; n += 1) {
      const person = new ScriptedPerson({ fetch: fetchFrom });
      const page = await person.visit(`${test.publicUrl}/device`);
      const form = page.forms.find(({ fields }) => fields.has('user_code'));
      if (form !== undefined) await person.submit(page, form, { user_code: userCode });
    }
  }

  it('serves others: a whole sign-in from another address, pages included', { timeout: 120_000 }, async () => {
    const all = await kinds();
    const requests = Object.entries(all).flatMap(([kind, make]) =>
      Array.from({ length: LEAVES_SOMETHING.has(kind) ? MANY : EACH }, (_, n) => make(n)),
    );
    const told = await flood(requests.toSorted(() => Math.random() - 0.5));
    // A process that has too much to do refuses starts with 503 for a moment; a storage that is full says so.
    const isFull = () => test.lines.some((line) => JSON.stringify(line).includes('is full'));
    expect([...told.keys()].filter((status) => status >= '500' && status !== '503')).toEqual([]);
    expect(isFull()).toBe(false);
    expect([...told.values()].reduce((sum, count) => sum + count, 0)).toBe(requests.length);
    const own = await test.device().start({}, { 'x-forwarded-for': '203.0.113.8' });
    await codeForms(60, own.body.user_code);

    for (let n = 0; n < 20; n += 1) {
      const { status, body } = await test.device().start({}, { 'x-forwarded-for': HONEST });
      expect(status).toBe(200);
      expect(await test.approveInBrowser(body.user_code)).toBe('Approved');
      const polled = await test.device().poll(body.device_code);
      expect(polled.status).toBe(200);
      expect((await test.device().refresh(polled.body.refresh_token)).status).toBe(200);
    }
    expect(isFull()).toBe(false);
    const robot = test.device({ clientId: 'robot', secret: SECRET });
    expect((await robot.start({}, { 'x-forwarded-for': HONEST })).status).toBe(200);
  });
});

import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { pipelinedBurst } from '../support/broker/pipelined-burst.ts';
import { createTestBroker, type TestBroker } from '../support/broker/test-broker.ts';
import { DEVICE_CODE_GRANT } from '../support/broker/test-device.ts';
import { movableMemory } from '../support/redis/storage-under-test.ts';

describe('requests that a connection sends before it is answered', () => {
  let test: TestBroker;
  /** Polls that the storage has been asked and does not answer yet. */
  let held: (() => void)[];
  let isHolding: boolean;
  let code: string;
  beforeEach(async () => {
    held = [];
    isHolding = false;
    const store = await movableMemory();
    const { ledger } = store.storage;
    const poll: Ledger['poll'] = async (...asked) => {
      if (isHolding) await new Promise<void>((resolve) => held.push(resolve));
      return ledger.poll(...asked);
    };
    const holding = new Proxy(ledger, {
      get(target, name) {
        const value: unknown = name === 'poll' ? poll : Reflect.get(target, name, target);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const storage = { ...store.storage, ledger: holding };
    test = await createTestBroker({ store: { ...store, storage, replica: storage } });
    code = (await test.device().start()).body.device_code;
  });
  afterEach(async () => {
    isHolding = false;
    for (const answer of held) answer();
    await test.close();
  });

  const form = () => ({ grant_type: DEVICE_CODE_GRANT, client_id: 'build-cli', device_code: code });
  function pollBytes(): string {
    const body = new URLSearchParams(form()).toString();
    const type = 'Content-Type: application/x-www-form-urlencoded';
    return `POST /token HTTP/1.1\r\nHost: 127.0.0.1\r\n${type}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  }

  async function flood(count: number) {
    const { hostname, port } = new URL(test.origin);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    let text = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.write(pollBytes().repeat(count));
    return {
      socket,
      statuses: () => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status),
      text: () => text,
    };
  }

  it('are worked at a few at a time, and nobody else waits behind them', async () => {
    isHolding = true;
    const floods = await Promise.all(Array.from({ length: 5 }, () => flood(400)));
    await expect.poll(() => held.length).toBe(5 * 32);
    isHolding = false;
    expect((await test.device().poll(code)).body.error).toBe('authorization_pending');
    expect(held.length).toBe(5 * 32);
    for (const answer of held.splice(0)) answer();
    for (const { socket, statuses } of floods) {
      await expect.poll(() => statuses().length).toBe(400);
      expect(new Set(statuses())).toEqual(new Set(['400']));
      socket.destroy();
    }
  });

  it('get their answers in order up to a number, and then a 429 that closes the connection', async () => {
    isHolding = true;
    const { socket, statuses, text } = await flood(560);
    const closed = once(socket, 'close');
    await expect.poll(() => held.length).toBe(32);
    isHolding = false;
    for (const answer of held.splice(0)) answer();
    await closed;
    expect(statuses()).toEqual([...Array.from({ length: 512 }, () => '400'), '429']);
    const last = text().slice(text().lastIndexOf('HTTP/1.1'));
    expect(last).toMatch(/^Connection: close\r$/im);
    expect(last).toMatch(/^Retry-After: 5\r$/im);
    expect(last).toContain('send one after the other');
  });

  it('of a connection that is gone are let go', async () => {
    isHolding = true;
    const { socket } = await flood(400);
    await expect.poll(() => held.length).toBe(32);
    socket.destroy();
    await once(socket, 'close');
    expect((await fetch(`${test.origin}/jwks`)).status).toBe(200);
    for (const answer of held.splice(0)) answer();
    expect((await fetch(`${test.origin}/jwks`)).status).toBe(200);
    expect(held).toEqual([]);
  });

  it('of a burst as tests and tools send it are all answered', async () => {
    const answers = await pipelinedBurst(
      test.origin,
      Array.from({ length: 500 }, () => ({ path: '/token', form: form() })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
  });
});

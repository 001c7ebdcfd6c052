import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { createTestBroker } from '../support/broker/test-broker.ts';

it('a broker that is closed by its host delivers what waits, also what is gathered for ten seconds', async () => {
  const events: Record<string, unknown>[] = [];
  const receiver = createServer((message, response) => {
    let text = '';
    message.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    message.on('end', () => {
      events.push(JSON.parse(text));
      response.writeHead(204).end();
    });
  }).listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const test = await createTestBroker({ yaml: { audit: { webhook: { url } } } });
  for (let count = 0; count < 3; count += 1) await test.device({ clientId: 'nobody' }).start();
  await test.device().start();
  await test.broker.close();
  expect(events.map(({ event }) => String(event)).toSorted()).toEqual(['client.refused', 'grant.started']);
  expect(events.find(({ event }) => event === 'client.refused')).toMatchObject({ count: 3, source: '127.0.0.1' });
  await test.close();
  receiver.closeAllConnections();
  receiver.close();
});

/** Opens keep-alive connections to a broker and keeps them, with a request in 50 s on each, until its stdin ends. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { port: { type: 'string' }, count: { type: 'string' } } });
const port = Number(values.port);
const count = Number(values.count);
const AT_ONCE = 100;
/** Below the 60 s that a device's interval grows to at most, and the 75 s after which the broker closes. */
const ASKS_EVERY_MS = 50_000;
const REQUEST = 'HEAD /jwks HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n';

const open = new Set<Socket>();
let next = 0;

async function lane(): Promise<void> {
  while (next < count) {
    next += 1;
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('error', () => undefined);
    try {
      await once(socket, 'connect');
      open.add(socket);
      const asking = setInterval(() => socket.write(REQUEST), ASKS_EVERY_MS);
      socket.on('close', () => {
        clearInterval(asking);
        open.delete(socket);
      });
      socket.write(REQUEST);
      await once(socket, 'data');
      socket.resume();
    } catch {
      // Refused or cut: then it is not held.
    }
  }
}

const say = (): boolean => process.stdout.write(`${JSON.stringify({ held: open.size, isDone: next >= count })}\n`);
process.stdin.resume().on('end', () => process.exit());
setInterval(say, 500);
await Promise.all(Array.from({ length: AT_ONCE }, lane));

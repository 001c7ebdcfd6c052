import { connect, createServer, type Socket } from 'node:net';

/** A network between devices and Gatehouse that can be made slow. */
export interface SlowProxy {
  port: number;
  /** From now on, each way. */
  delayMs: number;
  close(): Promise<void>;
}

/** @param targetPort where the connections lead, asked at each one, since it may not listen yet */
export async function slowProxy(targetPort: () => number): Promise<SlowProxy> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(targetPort(), '127.0.0.1');
    const ways: [Socket, Socket][] = [
      [near, far],
      [far, near],
    ];
    for (const [from, to] of ways) {
      sockets.add(from);
      // Timers of one length fire in the order in which they were set, so bytes keep theirs.
      from.on('data', (chunk) => later(() => to.writable && to.write(chunk)));
      from.on('end', () => later(() => to.end()));
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  const proxy: SlowProxy = {
    port: 0,
    delayMs: 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  const later = (work: () => void) => (proxy.delayMs === 0 ? work() : void setTimeout(work, proxy.delayMs));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  proxy.port = address === null || typeof address === 'string' ? 0 : address.port;
  return proxy;
}

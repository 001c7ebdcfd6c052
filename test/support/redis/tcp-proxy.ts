import { once } from 'node:events';
import { createConnection, createServer, type Socket } from 'node:net';

/** A connection to a server that a test can cut or hold at a chosen moment. */
export interface TcpProxy {
  port: number;
  /** Lets the next answer come out of the server, throws it away, and cuts the connection that it was for. */
  cutBeforeNextReply(): void;
  /** Cuts all connections now; new ones are let through. */
  cut(): void;
  /** Lets nothing through any more on the connections that stand; new ones are let through. */
  hang(): void;
  /** Whether connections that are made from now on are accepted and then hear nothing. */
  mute(isMute: boolean): void;
  /** Leads the connections that are made from now on to another server. */
  leadTo(port: number): void;
  connections(): number;
  /** How often something was sent after an answer had come: with a delay, what is sent together counts as one. */
  roundTrips(): number;
  close(): Promise<void>;
}

/** @param delayMs how much later everything arrives, in both directions */
export async function tcpProxy(firstTargetPort: number, { delayMs = 0 } = {}): Promise<TcpProxy> {
  // Timers of one length keep their order.
  const later = (step: () => void): void => {
    if (delayMs === 0) step();
    else setTimeout(step, delayMs);
  };
  let targetPort = firstTargetPort;
  const pairs = new Set<{ near: Socket; far: Socket }>();
  let isCutting = false;
  let isMute = false;
  let roundTrips = 0;
  let isAnswered = true;
  const server = createServer((near) => {
    const far = createConnection(targetPort, '127.0.0.1');
    const pair = { near, far };
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      socket.on('error', end).on('close', end);
    }
    if (isMute) {
      return;
    }
    near.on('data', (chunk) => {
      if (isAnswered) roundTrips += 1;
      isAnswered = false;
      later(() => far.write(chunk));
    });
    far.on('data', (chunk) => {
      if (isCutting) {
        isCutting = false;
        end();
        return;
      }
      later(() => {
        isAnswered = true;
        near.write(chunk);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') {
    throw new Error('no port');
  }
  const cut = (): void => {
    for (const { near } of pairs) {
      near.destroy();
    }
  };
  return {
    port: address.port,
    cutBeforeNextReply: () => {
      isCutting = true;
    },
    cut,
    hang: () => {
      for (const { near, far } of pairs) {
        near.removeAllListeners('data').pause();
        far.removeAllListeners('data').pause();
      }
    },
    mute: (mute) => {
      isMute = mute;
    },
    leadTo: (port) => {
      targetPort = port;
    },
    connections: () => pairs.size,
    roundTrips: () => roundTrips,
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

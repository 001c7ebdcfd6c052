import type { Server } from 'node:http';
import { Server as NetServer } from 'node:net';

/** How long what is still running after the drain may take, before the process leaves it. */
const FINISH_MS = 5000;

/** Idle connections are closed at once, the others with their answers. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const giveUp = setTimeout(() => server.closeAllConnections(), FINISH_MS);
    server.close(() => {
      clearTimeout(giveUp);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Takes no new connection and closes none: ends when their peers, or their time, have closed all. */
export function leaveServer(server: Server): Promise<void> {
  // By the server below: that of HTTP would close those on which a request may be on its way.
  return new Promise((resolve) => NetServer.prototype.close.call(server, () => resolve()));
}

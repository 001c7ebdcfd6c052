import { chmodSync, lstatSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { connect, type ListenOptions } from 'node:net';
import type { Listen } from '../../config/config.ts';
import { handedOverSocket } from '../../config/environment.ts';
import { HANDED_OVER } from '../../config/read/read-listen.ts';

const BACKLOG = 4096;
/** Its owner and its group: whoever may write to the socket is believed about where requests came from. */
const SOCKET_MODE = 0o660;

/** A listener that cannot be had, in words for the administrator; no fault of ours. */
export class ListenError extends Error {
  override readonly name = 'ListenError';
}

/** @throws {ListenError} */
export async function listen(server: Server, place: Listen): Promise<void> {
  await prepareToListen(place);
  await listenAsPrepared(server, place);
}

/** What is done once, also where several processes listen. @throws {ListenError} */
export async function prepareToListen({ socket }: Listen): Promise<void> {
  if (socket === HANDED_OVER) fileDescriptor(process.pid);
  else if (socket !== undefined) await removeStale(socket);
}

/** @param pid of the process that was started: what systemd hands over is for that one */
export async function listenAsPrepared(
  server: Server,
  { host, port, socket }: Listen,
  pid = process.pid,
): Promise<void> {
  if (socket === undefined) return bind(server, { host, port });
  if (socket === HANDED_OVER) return bind(server, { fd: fileDescriptor(pid) });
  await bind(server, { path: socket });
  chmodSync(socket, SOCKET_MODE);
}

function fileDescriptor(pid: number): number {
  const fd = handedOverSocket(pid);
  if (fd !== undefined) return fd;
  throw new ListenError('listen.socket is systemd, and it handed no socket over: start the .socket unit');
}

function bind(server: Server, at: ListenOptions & { fd?: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      const { syscall, message } = error;
      // A port that is taken or not ours to take is a matter for the administrator, and no fault with a stack.
      const isTheirs = ['listen', 'getaddrinfo', 'bind'].includes(syscall ?? '');
      reject(isTheirs ? new ListenError(`cannot listen (${message}): see listen and operations there`) : error);
    };
    server.once('error', failed);
    server.listen({ ...at, backlog: BACKLOG }, () => {
      server.off('error', failed);
      resolve();
    });
  });
}

/** A process that was killed leaves its socket behind, at which nobody listens any more. */
async function removeStale(path: string): Promise<void> {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return;
  const isRefused = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    const answered = (refused: boolean): void => {
      probe.destroy();
      resolve(refused);
    };
    probe.once('connect', () => answered(false));
    probe.once('error', ({ code }: NodeJS.ErrnoException) => answered(code === 'ECONNREFUSED'));
  });
  if (isRefused) unlinkSync(path);
}

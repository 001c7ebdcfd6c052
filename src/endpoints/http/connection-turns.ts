import type { Socket } from 'node:net';
import { OAuthError, RETRY_LATER } from '../../oauth/oauth-error.ts';
import type { DeviceReply, DeviceRequest, Endpoint } from './endpoint.ts';

/** Requests of one connection that are worked at together. */
const AT_ONCE = 32;
/** Those that wait behind them, of one connection and of all. */
const MAX_WAITING = 480;
const MAX_WAITING_IN_ALL = 10_000;

interface Line {
  atWork: number;
  waiting: (() => void)[];
}

/**
 * The turns of the requests that a connection has sent before it was answered (pipelining, RFC 9112 §9.3.2). No client in
 * the field does that in numbers; twenty connections with twenty thousand each would otherwise hold all commands that may
 * wait for the storage, and everybody else would be turned away. A connection that asks one by one never waits.
 */
export class ConnectionTurns {
  readonly #lines = new WeakMap<Socket, Line>();
  #waitingInAll = 0;

  /** @throws {OAuthError} 429, with which the connection is closed */
  async answer(socket: Socket, endpoint: Endpoint, request: DeviceRequest): Promise<DeviceReply> {
    const line = this.#lineOf(socket);
    if (line.atWork >= AT_ONCE) await this.#wait(line);
    else line.atWork += 1;
    try {
      if (socket.destroyed) throw new OAuthError('invalid_request', 'the connection was closed');
      return await endpoint(request);
    } finally {
      const next = line.waiting.shift();
      if (next === undefined) line.atWork -= 1;
      else next();
    }
  }

  #lineOf(socket: Socket): Line {
    let line = this.#lines.get(socket);
    if (line === undefined) {
      line = { atWork: 0, waiting: [] };
      this.#lines.set(socket, line);
    }
    return line;
  }

  /** Who leaves hands the place over, so that nobody comes in between. */
  async #wait({ waiting }: Line): Promise<void> {
    if (waiting.length >= MAX_WAITING || this.#waitingInAll >= MAX_WAITING_IN_ALL) {
      throw new OAuthError('temporarily_unavailable', 'too many requests before an answer: send one after the other', {
        status: 429,
        headers: { ...RETRY_LATER, Connection: 'close' },
      });
    }
    this.#waitingInAll += 1;
    await new Promise<void>((resolve) => waiting.push(resolve));
    this.#waitingInAll -= 1;
  }
}

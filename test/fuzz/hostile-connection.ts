import { connect, type Socket } from 'node:net';
import type { Answer } from './judge-answer.ts';

/** An answer that never came whole is one too: how it ended says whether that is allowed. */
export type Outcome = { end: 'answered'; answers: Answer[] } | { end: 'closed'; answers: Answer[] } | { end: 'hung' };

const HUNG_AFTER_MS = 25_000;

/** One keep-alive connection to the broker, which sends bytes as they are and reads answers by their lengths. */
export class HostileConnection {
  readonly #port: number;
  #socket: Socket | undefined;

  constructor(port: number) {
    this.#port = port;
  }

  /** @param isLast the connection is ended after these bytes, and all answers are waited for */
  send(bytes: Buffer, { isHead, isLast }: { isHead: boolean; isLast: boolean }): Promise<Outcome> {
    if (isLast) this.close();
    const socket = this.#open();
    return new Promise((resolve) => {
      const answers: Answer[] = [];
      let text = '';
      const done = (outcome: Outcome, isOver: boolean): void => {
        clearTimeout(timer);
        socket.removeAllListeners('data').removeAllListeners('close');
        if (isOver) this.close();
        resolve(outcome);
      };
      const timer = setTimeout(() => done({ end: 'hung' }, true), HUNG_AFTER_MS);
      socket.on('data', (chunk: string) => {
        text += chunk;
        for (let read = readAnswer(text, isHead); read !== undefined; read = readAnswer(text, isHead)) {
          text = text.slice(read.length);
          if (read.answer.status >= 200) answers.push(read.answer);
        }
        const last = answers.at(-1);
        if (!isLast && last !== undefined) {
          done({ end: 'answered', answers }, last.headers.get('connection') === 'close');
        }
      });
      socket.on('close', () => done({ end: 'closed', answers }, true));
      if (isLast) socket.end(bytes);
      else socket.write(bytes);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Socket {
    if (this.#socket === undefined || this.#socket.destroyed) {
      this.#socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
      this.#socket.on('error', () => undefined);
    }
    return this.#socket;
  }
}

function readAnswer(text: string, isHead: boolean): { answer: Answer; length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(first.split(' ')[1]);
  const begin = headEnd + 4;
  if (headers.get('transfer-encoding') === 'chunked' && !isHead) {
    const end = text.indexOf('0\r\n\r\n', begin);
    return end < 0 ? undefined : { answer: { status, headers, body: text.slice(begin, end) }, length: end + 5 };
  }
  const length =
    isHead || status < 200 || status === 204 || status === 304 ? 0 : Number(headers.get('content-length') ?? 0);
  if (text.length < begin + length) return undefined;
  return { answer: { status, headers, body: text.slice(begin, begin + length) }, length: begin + length };
}

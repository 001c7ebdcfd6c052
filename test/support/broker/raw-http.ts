import { once } from 'node:events';
import { connect } from 'node:net';

/** Sends bytes as they are, and answers all that comes until the other side closes or falls silent. */
export async function rawHttp(origin: string, bytes: string | Buffer, silenceMs = 300): Promise<string> {
  const { hostname, port } = new URL(origin);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  socket.on('error', () => undefined);
  socket.write(bytes);
  const ended = once(socket, 'close');
  let before = -1;
  while (text.length !== before || text === '') {
    before = text.length;
    const timeout = new Promise((resolve) => setTimeout(() => resolve('silent'), silenceMs));
    if ((await Promise.race([ended, timeout])) !== 'silent') break;
  }
  socket.destroy();
  return text;
}

export interface RawAnswer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** The first answer in what came. */
export function answerIn(text: string): RawAnswer {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...lines] = head.split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  return { status: Number(statusLine.split(' ')[1]), headers, body: rest.join('\r\n\r\n') };
}

import { once } from 'node:events';
import { connect } from 'node:net';

export interface BurstAnswer {
  status: number;
  headers: ReadonlyMap<string, string>;
  body: string;
}

export interface BurstRequest {
  path: string;
  form: Readonly<Record<string, string>>;
  headers?: Readonly<Record<string, string>>;
}

/**
 * Sends all requests before it reads an answer, pipelined over a few connections: nothing is nearer to at once.
 *
 * @returns the answers in the order of the requests
 */
export async function pipelinedBurst(
  origin: string,
  requests: readonly BurstRequest[],
  connections = 4,
): Promise<BurstAnswer[]> {
  const { hostname, port } = new URL(origin);
  const parts = Array.from({ length: connections }, (_, part) =>
    requests.filter((_request, index) => index % connections === part),
  );
  const answers = await Promise.all(parts.map((part) => overOne(hostname, Number(port), part)));
  return requests.map(
    (_request, index) => answers[index % connections]?.[Math.floor(index / connections)] as BurstAnswer,
  );
}

async function overOne(host: string, port: number, requests: readonly BurstRequest[]): Promise<BurstAnswer[]> {
  if (requests.length === 0) return [];
  const socket = connect({ host, port, noDelay: true }).setEncoding('latin1');
  await once(socket, 'connect');
  socket.write(requests.map(requestBytes).join(''));
  const answers: BurstAnswer[] = [];
  let text = '';
  try {
    while (answers.length < requests.length) {
      const [chunk] = (await once(socket, 'data', { signal: AbortSignal.timeout(60_000) })) as [string];
      text += chunk;
      for (let read = answerIn(text); read !== undefined; read = answerIn(text)) {
        text = text.slice(read.length);
        answers.push(read.answer);
      }
    }
  } finally {
    socket.destroy();
  }
  return answers;
}

export function requestBytes({ path, form, headers = {} }: BurstRequest): string {
  const body = new URLSearchParams({ ...form }).toString();
  const lines = Object.entries({
    Host: '127.0.0.1',
    'Content-Type': 'application/x-www-form-urlencoded',
    'Content-Length': String(body.length),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

function answerIn(text: string): { answer: BurstAnswer; length: number } | undefined {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const length = headEnd + 4 + Number(headers.get('content-length') ?? 0);
  if (text.length < length) return undefined;
  return { answer: { status: Number(first.split(' ')[1]), headers, body: text.slice(headEnd + 4, length) }, length };
}

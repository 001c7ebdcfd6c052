import { connect } from 'node:net';

/** Sends each of these requests once, over a few keep-alive connections; answers how often each status came. */
export async function runRequests(
  port: number,
  requests: readonly string[],
  connections: number,
): Promise<Record<string, number>> {
  const statuses: Record<string, number> = {};
  let next = 0;
  await Promise.all(Array.from({ length: connections }, overOne));
  return statuses;

  function overOne(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true }).setEncoding('latin1');
      let answer = '';
      const send = () => {
        const request = requests[next];
        next += 1;
        if (request !== undefined) return socket.write(request);
        socket.end();
        return resolve();
      };
      socket.on('connect', send).on('error', reject);
      socket.on('data', (chunk: string) => {
        answer += chunk;
        const headEnd = answer.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? 0);
        const isChunked = /\r\ntransfer-encoding: chunked/i.test(answer.slice(0, headEnd));
        if (isChunked ? !answer.endsWith('0\r\n\r\n') : answer.length < headEnd + 4 + length) return;
        const status = answer.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        answer = '';
        send();
      });
    });
  }
}

import { connect } from 'node:net';

/**
 * The load: keep-alive connections, each with one request under way at a time, to loopback only, for a bounded time.
 * Requests are prepared as bytes and answers are only looked at for their end, so that the generator, which shares the
 * machine, stays cheap.
 */
export interface Load {
  port: number;
  path: string;
  bodies: readonly string[];
  connections: number;
  seconds: number;
}

export interface LoadResult {
  requests: number;
  seconds: number;
  /** Status → how many. */
  statuses: Record<string, number>;
  /** Milliseconds from request to answer. */
  p50: number;
  p99: number;
}

export async function runLoad({ port, path, bodies, connections, seconds }: Load): Promise<LoadResult> {
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  const requests = bodies.map((body) =>
    Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    ),
  );
  const startedAt = performance.now();
  const endsAt = startedAt + seconds * 1000;
  let next = 0;
  let count = 0;
  await Promise.all(Array.from({ length: connections }, () => poll()));
  latencies.sort((a, b) => a - b);
  const at = (part: number) => latencies[Math.floor(latencies.length * part)] ?? 0;
  return { requests: count, seconds: (performance.now() - startedAt) / 1000, statuses, p50: at(0.5), p99: at(0.99) };

  function poll(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let sentAt = 0;
      let answer = '';
      function send(): void {
        sentAt = performance.now();
        if (sentAt >= endsAt) {
          socket.end();
          resolve();
          return;
        }
        socket.write(requests[next++ % requests.length] ?? '');
      }
      socket.setEncoding('latin1');
      socket.on('connect', send);
      socket.on('error', reject);
      socket.on('data', (chunk: string) => {
        answer += chunk;
        const headEnd = answer.indexOf('\r\n\r\n');
        if (headEnd < 0) return;
        const length = Number(/\r\ncontent-length: (\d+)/i.exec(answer)?.[1] ?? 0);
        if (answer.length < headEnd + 4 + length) return;
        const status = answer.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        latencies.push(performance.now() - sentAt);
        count += 1;
        answer = '';
        send();
      });
    });
  }
}

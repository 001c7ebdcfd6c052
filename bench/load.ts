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
  /** Offered load; as fast as the answers come where it is left out. */
  requestsPerSecond?: number;
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

export async function runLoad({
  port,
  path,
  bodies,
  connections,
  seconds,
  requestsPerSecond,
}: Load): Promise<LoadResult> {
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
  const pauseMs = requestsPerSecond === undefined ? 0 : (connections * 1000) / requestsPerSecond;
  await Promise.all(Array.from({ length: connections }, (_, nth) => poll(startedAt + (pauseMs * nth) / connections)));
  latencies.sort((a, b) => a - b);
  const at = (part: number) => latencies[Math.floor(latencies.length * part)] ?? 0;
  return { requests: count, seconds: (performance.now() - startedAt) / 1000, statuses, p50: at(0.5), p99: at(0.99) };

  function poll(firstAt: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      let sentAt = 0;
      let answer = '';
      let dueAt = firstAt;
      function sendWhenDue(): void {
        const waitMs = dueAt - performance.now();
        dueAt += pauseMs;
        if (waitMs > 1) setTimeout(send, waitMs);
        else send();
      }
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
      socket.on('connect', sendWhenDue);
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
        sendWhenDue();
      });
    });
  }
}

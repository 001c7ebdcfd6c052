/**
 * Hostile input at volume: requests from a seed, sent as bytes to a running broker, and each answer judged. Here is the
 * run; what is sent is in `hostile-requests.ts`, what a valid answer is in `judge-answer.ts`.
 */
import * as fc from 'fast-check';
import { type Alive, comeAlive } from './alive.ts';
import { HostileConnection } from './hostile-connection.ts';
import { type HostileRequest, hostileRequest } from './hostile-requests.ts';
import { judgeAnswer } from './judge-answer.ts';

export interface FuzzOptions {
  origin: string;
  /** The upstream, to which answers may lead. */
  upstream: string;
  requests: number;
  seed: number;
  onProgress?: (sent: number) => void;
}

export interface FuzzResult {
  sent: number;
  /** Status → how many; `closed` where a broken request got none. */
  statuses: Record<string, number>;
  /** The first ones: what was wrong, and the bytes with which it can be sent again. */
  failures: { problem: string; request: string }[];
}

const AT_ONCE = 8;
const ROUND = 2000;
const MAX_FAILURES = 20;

export async function runFuzz({ origin, upstream, requests, seed, onProgress }: FuzzOptions): Promise<FuzzResult> {
  const result: FuzzResult = { sent: 0, statuses: {}, failures: [] };
  const connections = Array.from({ length: AT_ONCE }, () => new HostileConnection(Number(new URL(origin).port)));
  for (let round = 0; result.sent < requests && result.failures.length < MAX_FAILURES; round += 1) {
    const alive = await comeAlive(origin);
    const left = fc.sample(hostileRequest, { seed: seed + round, numRuns: Math.min(ROUND, requests - result.sent) });
    const size = left.length;
    await Promise.all(connections.map((connection) => sendFrom(left, connection)));
    result.sent += size;
    onProgress?.(result.sent);

    async function sendFrom(queue: HostileRequest[], connection: HostileConnection): Promise<void> {
      for (let request = queue.pop(); request !== undefined; request = queue.pop()) {
        const problem = await sendOne(request, connection, alive);
        if (problem === undefined) continue;
        result.failures.push({ problem, request: JSON.stringify(bytesOf(request, alive).toString('latin1')) });
      }
    }
  }
  for (const connection of connections) connection.close();
  return result;

  async function sendOne(request: HostileRequest, connection: HostileConnection, alive: Alive) {
    const bytes = bytesOf(request, alive);
    const isHead = request.method === 'HEAD';
    const outcome = await connection.send(bytes, { isHead, isLast: request.isBroken });
    if (outcome.end === 'hung') return 'no answer';
    count(outcome.answers.length === 0 ? 'closed' : String(outcome.answers[0]?.status));
    if (outcome.end === 'closed' && !request.isBroken) return 'the connection was closed without an answer';
    // Of damaged bytes nobody knows which method they are.
    const judged = request.isBroken ? { ...request, method: isHead ? 'HEAD' : '' } : request;
    return outcome.answers
      .map((answer) => judgeAnswer(answer, judged, [origin, upstream]))
      .find((each) => each !== undefined);
  }

  function count(status: string): void {
    result.statuses[status] = (result.statuses[status] ?? 0) + 1;
  }
}

/** Fills in what is alive, and then the lengths. */
function bytesOf({ text }: HostileRequest, alive: Alive): Buffer {
  const filled = text.replace(/\{\{(\w+)\}\}/g, (whole, name: string) =>
    name in { length: 0, chunk: 0 } ? whole : (alive[name] ?? ''),
  );
  const headEnd = filled.indexOf('\r\n\r\n') + 4;
  const body = Buffer.from(filled.slice(headEnd).replace('{{chunk}}', ''), 'latin1');
  const head = filled.slice(0, headEnd).replace('{{length}}', String(body.length));
  const isChunked = filled.includes('{{chunk}}');
  const framed = isChunked
    ? Buffer.concat([
        Buffer.from(`${body.length.toString(16)}\r\n`),
        body,
        Buffer.from(body.length > 0 ? '\r\n0\r\n\r\n' : '\r\n'),
      ])
    : body;
  return Buffer.concat([Buffer.from(head, 'latin1'), framed]);
}

/** What one poll brought, whichever server was asked (RFC 8628 §3.5). */
export type PollAnswer<T> =
  | { answer: 'tokens'; tokens: T }
  | { answer: 'pending' }
  | { answer: 'slow_down'; intervalSeconds?: number | undefined }
  /** No answer at all, or one that says "later": the grant may still stand, so the poll is worth repeating. */
  | { answer: 'unreachable'; reason: string; retryAfterSeconds?: number | undefined }
  | { answer: 'denied' }
  | { answer: 'expired' }
  | { answer: 'refused'; reason: string };

export type PollEnd<T> = Exclude<PollAnswer<T>, { answer: 'pending' | 'slow_down' | 'unreachable' }>;

export type Waiting =
  | { for: 'person' }
  | { for: 'slower polls'; seconds: number }
  | { for: 'server'; seconds: number; reason: string };

export interface PollingOptions<T> {
  poll: () => Promise<PollAnswer<T>>;
  /** RFC 8628 §3.2: 5 seconds where the server names none. */
  intervalSeconds: number | undefined;
  expiresAtMs: number;
  now: () => number;
  sleep: (milliseconds: number) => Promise<void>;
  onWait: (waiting: Waiting) => void;
}

const usualIntervalSeconds = 5;
const longestBackOffSeconds = 60;
const longestWaitSeconds = 3600;

/**
 * Polls until the grant is decided. The server's word on expiry wins over our clock, so one more poll is made after the
 * code's end; a server that then still says "pending" or nothing is not asked again.
 */
export async function pollUntilDecided<T>(options: PollingOptions<T>): Promise<PollEnd<T>> {
  let intervalSeconds = options.intervalSeconds ?? usualIntervalSeconds;
  let waitSeconds = intervalSeconds;
  options.onWait({ for: 'person' });
  for (;;) {
    // A server may name any number: never wait for longer than the code lives, and one interval.
    const leftSeconds = Math.max(0, (options.expiresAtMs - options.now()) / 1000) + intervalSeconds;
    await options.sleep(Math.min(waitSeconds, leftSeconds, longestWaitSeconds) * 1000);
    const answer = await options.poll();
    switch (answer.answer) {
      case 'pending':
        waitSeconds = intervalSeconds;
        options.onWait({ for: 'person' });
        break;
      case 'slow_down':
        // RFC 8628 §3.5: 5 seconds more for this and all later polls; a server may ask for more than that.
        intervalSeconds = Math.max(intervalSeconds + 5, answer.intervalSeconds ?? 0);
        waitSeconds = intervalSeconds;
        options.onWait({ for: 'slower polls', seconds: waitSeconds });
        break;
      case 'unreachable':
        // RFC 8628 §3.5: fewer polls after each connection time-out, best by doubling the wait.
        waitSeconds = Math.max(intervalSeconds, Math.min(waitSeconds * 2, longestBackOffSeconds));
        waitSeconds = Math.max(waitSeconds, answer.retryAfterSeconds ?? 0);
        options.onWait({ for: 'server', seconds: waitSeconds, reason: answer.reason });
        break;
      default:
        return answer;
    }
    if (options.now() >= options.expiresAtMs) return { answer: 'expired' };
  }
}

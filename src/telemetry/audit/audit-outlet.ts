import { AUDIT_LINES, type AuditLine } from './audit-events.ts';

export interface AuditMessage {
  id: string;
  /** A JSON object as text. */
  body: string;
  /** How many events it stands for. */
  count: number;
}

export interface AuditOutletDeps {
  /** Delivers one message; answers why it could not, in words. */
  post: (id: string, body: string) => Promise<string | undefined>;
  onDelivered: (line: AuditLine, count: number) => void;
  onDropped: (line: AuditLine, count: number, reason: string) => void;
}

export interface AuditOutlet {
  push(line: AuditLine, message: AuditMessage): void;
  /** Ends when nothing waits any more. */
  whenIdle(): Promise<void>;
  /** Gives up what waits. */
  close(): void;
}

const MAX_WAITING = 1000;
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

interface Waiting {
  messages: AuditMessage[];
  bytes: number;
  /** Out of `messages` already. */
  sending: AuditMessage | undefined;
}

/**
 * What goes to one target: three lines side by side, each in order and one at a time, each of bounded length. A target
 * that is away costs its events and no memory; how many of them is told with the next message that goes out.
 */
export function createAuditOutlet({ post, onDelivered, onDropped }: AuditOutletDeps): AuditOutlet {
  const lines = new Map<AuditLine, Waiting>(
    AUDIT_LINES.map((line) => [line, { messages: [], bytes: 0, sending: undefined }]),
  );
  let untold: Partial<Record<AuditLine, number>> = {};
  let whenIdle: (() => void)[] = [];
  let isClosed = false;

  function dropped(line: AuditLine, count: number, reason: string): void {
    untold[line] = (untold[line] ?? 0) + count;
    onDropped(line, count, reason);
  }

  async function sendAll(line: AuditLine, waiting: Waiting): Promise<void> {
    for (let message = waiting.messages.shift(); message !== undefined; message = waiting.messages.shift()) {
      waiting.bytes -= message.body.length;
      waiting.sending = message;
      // Taken along before it is known to arrive, so that two lines that send at once do not both tell it.
      const telling = untold;
      untold = {};
      const failure = await post(message.id, withDropped(message.body, telling));
      if (isClosed) return;
      waiting.sending = undefined;
      if (failure === undefined) {
        onDelivered(line, message.count);
        continue;
      }
      for (const [of, count] of Object.entries(telling)) {
        untold[of as AuditLine] = (untold[of as AuditLine] ?? 0) + count;
      }
      dropped(line, message.count, failure);
    }
    if ([...lines.values()].every(isIdle)) for (const resolve of whenIdle.splice(0)) resolve();
  }

  return {
    push(line, message) {
      const waiting = lines.get(line);
      if (waiting === undefined || isClosed) return dropped(line, message.count, 'the process has ended its work');
      const isFull = waiting.messages.length >= MAX_WAITING || waiting.bytes + message.body.length > MAX_WAITING_BYTES;
      if (isFull) return dropped(line, message.count, 'as many as may wait are waiting already');
      waiting.messages.push(message);
      waiting.bytes += message.body.length;
      if (waiting.sending === undefined) void sendAll(line, waiting);
    },
    whenIdle() {
      if ([...lines.values()].every(isIdle)) return Promise.resolve();
      return new Promise((resolve) => {
        whenIdle.push(resolve);
      });
    },
    close() {
      if (isClosed) return;
      isClosed = true;
      for (const [line, { messages, sending }] of lines) {
        const all = sending === undefined ? messages : [sending, ...messages];
        const count = all.reduce((sum, message) => sum + message.count, 0);
        if (count > 0) dropped(line, count, 'the process ended before the target had taken them');
        messages.length = 0;
      }
      for (const resolve of whenIdle.splice(0)) resolve();
      whenIdle = [];
    },
  };
}

function isIdle({ messages, sending }: Waiting): boolean {
  return messages.length === 0 && sending === undefined;
}

function withDropped(body: string, dropped: Partial<Record<AuditLine, number>>): string {
  return Object.keys(dropped).length === 0 ? body : `${body.slice(0, -1)},"dropped":${JSON.stringify(dropped)}}`;
}

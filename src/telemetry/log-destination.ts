import { write } from 'node:fs';

const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** What may wait besides where a line has reserved room. */
const RESERVED_BYTES = 4 * 1024 * 1024;
const RETRY_MS = 20;
const FLUSH_LIMIT_MS = 500;

export interface LogDestination {
  /** @param isReserved whether the line has room that no other line takes */
  write(line: string, isReserved?: boolean): void;
  /** Ends when all lines are written, or cannot be within half a second. */
  flush(): Promise<void>;
  /** How many lines could not be written. */
  linesLost(): number;
}

export interface PatientLogDestination extends LogDestination {
  /** Ends when all lines are written, however long that takes: whoever has many waits for it, and so loses none. */
  idle(): Promise<void>;
}

/**
 * Writes lines in the background, one write at a time. A full disk, a closed pipe or a reader that has stopped reading
 * costs lines, which are counted, and nothing else: no request waits for the log and no error of it ends the process.
 * (pino's own destination cannot do this: on a full disk its flush at exit tries again for ever.)
 */
export function openLogDestination(fileDescriptor: number): PatientLogDestination {
  let waiting: string[] = [];
  let waitingBytes = 0;
  let lost = 0;
  let isWriting = false;
  let onIdle: (() => void)[] = [];

  function next(): void {
    isWriting = waiting.length > 0;
    if (!isWriting) {
      for (const resolve of onIdle) resolve();
      onIdle = [];
      return;
    }
    const lines = waiting;
    waiting = [];
    waitingBytes = 0;
    put(Buffer.from(lines.join('')), lines.length);
  }

  function put(bytes: Buffer, lines: number): void {
    write(fileDescriptor, bytes, (error, written) => {
      if (error === null && written < bytes.length) return put(bytes.subarray(written), lines);
      if (error?.code === 'EAGAIN') {
        // A pipe in non-blocking mode is full; whoever reads it may catch up. Nobody waits for that.
        setTimeout(() => put(bytes, lines), RETRY_MS).unref();
        return;
      }
      if (error !== null) lost += lines;
      next();
    });
  }

  function idle(): Promise<void> {
    return isWriting ? new Promise((resolve) => onIdle.push(resolve)) : Promise.resolve();
  }

  return {
    write(line, isReserved = false) {
      const most = MAX_WAITING_BYTES + (isReserved ? RESERVED_BYTES : 0);
      if (waitingBytes + line.length > most) {
        lost += 1;
        return;
      }
      waiting.push(line);
      waitingBytes += line.length;
      if (!isWriting) next();
    },
    idle,
    flush() {
      if (!isWriting) return Promise.resolve();
      return new Promise((resolve) => {
        const limit = setTimeout(resolve, FLUSH_LIMIT_MS);
        void idle().then(() => {
          clearTimeout(limit);
          resolve();
        });
      });
    },
    linesLost: () => lost,
  };
}

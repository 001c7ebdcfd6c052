import type { Readable } from 'node:stream';
import type { PatientLogDestination } from '../../../telemetry/log-destination.ts';

/**
 * Passes on whole lines. Several processes that wrote to one pipe themselves would write into each other's lines. While
 * the log cannot be written nothing more is read: the worker then keeps what its own limits let it keep.
 */
export async function forwardLines(from: Readable, to: PatientLogDestination): Promise<void> {
  let rest = '';
  try {
    from.setEncoding('utf8');
    for await (const chunk of from) {
      const end = String(chunk).lastIndexOf('\n') + 1;
      if (end > 0) {
        to.write(rest + String(chunk).slice(0, end), true);
        rest = '';
      }
      rest += String(chunk).slice(end);
      await to.idle();
    }
  } catch {
    // A pipe that breaks is a process that ended.
  }
  if (rest !== '') to.write(`${rest}\n`, true);
}

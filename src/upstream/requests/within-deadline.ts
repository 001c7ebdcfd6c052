import { UpstreamError } from '../upstream.ts';
import { asUpstreamError } from '../upstream-faults.ts';
import type { UpstreamStep } from './refused-request.ts';

/**
 * Gives a whole operation one deadline, whatever number of requests it takes, and turns what it throws into the
 * port's faults. The deadline aborts the request that is under way and answers the caller even if nothing heeds it.
 */
export async function withinDeadline<T>(
  step: UpstreamStep,
  timeoutMs: number,
  work: (deadline: AbortSignal) => Promise<T>,
): Promise<T> {
  const deadline = startDeadline(timeoutMs);
  const expiry = new Promise<never>((_resolve, reject) => {
    deadline.signal.addEventListener('abort', () =>
      reject(new UpstreamError('unavailable', `${step}: no answer in time`)),
    );
  });
  try {
    return await Promise.race([work(deadline.signal), expiry]);
  } catch (error) {
    throw await asUpstreamError(error, step);
  } finally {
    deadline.clear();
  }
}

/**
 * Like `AbortSignal.timeout`, whose timer would live on for all of its seconds after the work is done.
 *
 * @param within the deadline of the whole, which this one is a part of
 */
export function startDeadline(timeoutMs: number, within?: AbortSignal): { signal: AbortSignal; clear: () => void } {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException('no answer in time', 'TimeoutError')), timeoutMs);
  timer.unref();
  const abort = () => controller.abort(within?.reason);
  if (within?.aborted === true) abort();
  else within?.addEventListener('abort', abort);
  const clear = () => {
    clearTimeout(timer);
    within?.removeEventListener('abort', abort);
  };
  return { signal: controller.signal, clear };
}

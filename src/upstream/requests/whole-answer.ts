import type { Dispatcher } from 'undici';
import type { AnswerHeaders } from './buffered-response.ts';

/** An answer whose body is here, as it came over the wire. */
export interface WholeAnswer {
  status: number;
  headers: AnswerHeaders;
  body: Buffer<ArrayBuffer>;
}

/**
 * Sends one request and reads its answer to the end, straight off undici's parser: the streams that undici puts around a
 * body cost more than reading it.
 *
 * @param tooLarge makes the error for more than `maxBytes`
 * @throws the deadline's reason, whatever has become of the request by then
 */
export function wholeAnswer(
  dispatcher: Dispatcher,
  request: Dispatcher.DispatchOptions,
  { deadline, maxBytes, tooLarge }: { deadline: AbortSignal; maxBytes: number; tooLarge: () => Error },
): Promise<WholeAnswer> {
  return new Promise((resolve, reject) => {
    let running: Dispatcher.DispatchController | undefined;
    let status = 0;
    let headers: AnswerHeaders = {};
    const chunks: Buffer[] = [];
    let length = 0;
    const giveUp = (error: Error) => {
      deadline.removeEventListener('abort', onAbort);
      reject(error);
      running?.abort(error);
    };
    const onAbort = () => giveUp(deadline.reason);
    if (deadline.aborted) return onAbort();
    // It may be waiting for a connection still, where there is nothing to abort yet.
    deadline.addEventListener('abort', onAbort);
    dispatcher.dispatch(request, {
      onRequestStart(controller) {
        running = controller;
        if (deadline.aborted) controller.abort(deadline.reason);
      },
      onResponseStart(_controller, statusCode, found) {
        status = statusCode;
        headers = found;
      },
      onResponseData(_controller, chunk) {
        length += chunk.length;
        if (length > maxBytes) giveUp(tooLarge());
        else chunks.push(chunk);
      },
      onResponseEnd() {
        deadline.removeEventListener('abort', onAbort);
        const [first] = chunks;
        const body = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length);
        resolve({ status, headers, body: body as Buffer<ArrayBuffer> });
      },
      onResponseError(_controller, error) {
        deadline.removeEventListener('abort', onAbort);
        reject(error);
      },
    });
  });
}

import type { Storage } from '../../storage/storage.ts';
import { type ReadyLine, readyLine } from './ready-line.ts';

const EVERY_MS = 500;

/**
 * Prints the one line that says that it is ready. Redis away at the start is no fault; who waits for the line is told
 * when that is so. Answers what stops the waiting.
 */
export async function announce(form: ReadyLine, publicUrl: string, storage: Pick<Storage, 'isReady'>) {
  const say = (isReady: boolean) => process.stdout.write(readyLine(form, { publicUrl, isReady }));
  const isReady = await storage.isReady();
  say(isReady);
  if (isReady) return () => {};
  let isAnnounced = false;
  const timer = setInterval(() => {
    void storage.isReady().then((isNowReady) => {
      if (!isNowReady || isAnnounced) return;
      isAnnounced = true;
      clearInterval(timer);
      say(true);
    });
  }, EVERY_MS);
  return () => clearInterval(timer);
}

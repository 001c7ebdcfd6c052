import type { ChosenProfile } from '../profiles/choose-profile.ts';
import { tryLock } from '../profiles/process-lock.ts';
import type { FreshTokenDeps } from './fresh-token.ts';
import { loginArguments, type MoreToAsk } from './login-command.ts';
import { TOKEN_EXIT } from './token-exit.ts';

/** One sign-in for all that want it at the same time: twenty cards on one terminal help nobody. Answers the exit code. */
export async function logInOnce(
  { files, sleep }: FreshTokenDeps,
  chosen: ChosenProfile,
  more: MoreToAsk,
  isServed: () => Promise<boolean>,
): Promise<number> {
  for (let isTold = false; ; ) {
    const lock = tryLock(files.locks, `${chosen.name}.sign-in`);
    if (lock !== undefined) {
      try {
        if (await isServed()) return TOKEN_EXIT.printed;
        const { run } = await import('../login/login.ts');
        return await run(loginArguments(chosen, more));
      } finally {
        lock.release();
      }
    }
    if (!isTold) process.stderr.write('Another gatehouse is signing in to this profile; waiting for it.\n');
    isTold = true;
    await sleep(500);
    if (await isServed()) return TOKEN_EXIT.printed;
  }
}

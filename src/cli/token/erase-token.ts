import { setTimeout as delay } from 'node:timers/promises';
import { processEnvironment } from '../../config/environment.ts';
import { chooseProfile } from '../profiles/choose-profile.ts';
import { waitForLock } from '../profiles/process-lock.ts';
import { profileFiles } from '../profiles/profile-files.ts';
import { stateFolder } from '../profiles/state-folder.ts';
import type { TokenOrder } from './obtain-token.ts';

/**
 * A server refused the token: it is not given again, and the next call refreshes. One that came meanwhile stays.
 *
 * @param refused the token; `undefined` where the tool does not say which it was
 */
export async function eraseToken({ asked }: TokenOrder, refused: string | undefined): Promise<void> {
  const environment = processEnvironment();
  const files = profileFiles(stateFolder(environment));
  const { name } = await chooseProfile(asked, { files, environment, folder: process.cwd() });
  const waiting = { now: Date.now, sleep: (milliseconds: number) => delay(milliseconds) };
  const lock = name === '' ? undefined : await waitForLock(files.locks, name, waiting);
  try {
    const kept = lock === undefined ? undefined : files.read(name);
    // Without a refresh token a person would have to sign in: the server's no may be about the repository alone.
    if (kept?.refreshToken === undefined) return;
    const tokens = kept.tokens.filter(({ accessToken, idToken }) => {
      return refused !== undefined && accessToken.reveal() !== refused && idToken?.reveal() !== refused;
    });
    if (tokens.length < kept.tokens.length) files.write({ ...kept, tokens });
  } finally {
    lock?.release();
  }
}

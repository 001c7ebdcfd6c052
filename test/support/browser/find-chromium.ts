import { existsSync } from 'node:fs';
import { installFromDebian, onPath } from '../programs.ts';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Finds Chromium: `CHROMIUM_PATH`, else on PATH, else from Debian's packages where we may install. */
export async function findChromium(): Promise<{ program: string } | { missing: string }> {
  const named = process.env['CHROMIUM_PATH'] ?? '';
  if (named !== '') {
    return existsSync(named) ? { program: named } : { missing: `CHROMIUM_PATH names ${named}, which is not there.` };
  }
  let found = onPath(...NAMES);
  if (found === undefined) {
    await installFromDebian('chromium', 'fonts-dejavu-core');
    found = onPath(...NAMES);
  }
  if (found !== undefined) return { program: found };
  return {
    missing:
      'The tests need Chromium, and none was found: install it ("apt-get install chromium"), ' +
      'or name its program in CHROMIUM_PATH.',
  };
}

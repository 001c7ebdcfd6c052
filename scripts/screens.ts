import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium } from 'playwright-core';
import { LANGUAGES } from '../src/config/schema/pages-schema.ts';
import { serveBroker } from '../test/support/broker/served-broker.ts';
import { findChromium } from '../test/support/browser/find-chromium.ts';
import { PAGE_STATES, type PageState } from '../test/support/browser/page-states.ts';
import { QUIET, TROUBLED } from '../test/support/samples/sample-status.ts';
import { serveStatus } from '../test/support/samples/served-status.ts';
import { smallPng } from './small-png.ts';
import { terminalPicture } from './terminal-picture.ts';

/** `npm run screens`: a picture of every page and state, into `docs/screens/`, with a page that shows them. */

const FOLDER = join(import.meta.dirname, '../docs/screens');
const DESKTOP: BrowserContextOptions = { viewport: { width: 760, height: 560 }, colorScheme: 'light' };
const PHONE: BrowserContextOptions = { viewport: { width: 390, height: 700 }, colorScheme: 'dark' };
const NARROW: BrowserContextOptions = { viewport: { width: 320, height: 600 }, colorScheme: 'light' };
const WIDE: BrowserContextOptions = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' };
/** The cases that break a page which was only looked at with short names. */
const LONG_CASES = ['confirm-long', 'sessions-details'];
/** What is written left to right in Latin letters breaks lines as German and French do; fonts for the others are rare. */
const PICTURED = ['de', 'fr', 'es', 'ja', 'ar'];
/** Those that are shown from right to left too. */
const RIGHT_TO_LEFT = ['enter-code-wrong', 'stop', 'sign-in', 'confirm-warnings', 'done-approved', 'sessions'];

const BESIDE_THE_TERMINAL = 'confirm.desktop.png';

interface Shot {
  state: PageState;
  file: string;
  language: string;
  look: BrowserContextOptions;
  /** Per cent. */
  textSize?: number;
  isWithoutStyle?: boolean;
  isPrinted?: boolean;
}

function shots(): Shot[] {
  return PAGE_STATES.flatMap((state) => {
    const { name } = state;
    const all: Shot[] = [
      { state, file: `${name}.desktop.png`, language: 'en', look: DESKTOP },
      { state, file: `${name}.phone-dark.png`, language: 'en', look: PHONE },
    ];
    if (LONG_CASES.includes(name)) {
      const light: BrowserContextOptions = { ...PHONE, colorScheme: 'light' };
      all.push(
        { state, file: `${name}.320.png`, language: 'en', look: NARROW },
        { state, file: `${name}.1280.png`, language: 'en', look: WIDE },
        { state, file: `${name}.large-text.png`, language: 'en', look: light, textSize: 200 },
        { state, file: `${name}.forced-colours.png`, language: 'en', look: { ...light, forcedColors: 'active' } },
        { state, file: `${name}.print.png`, language: 'en', look: WIDE, isPrinted: true },
        { state, file: `${name}.no-css.png`, language: 'en', look: light, isWithoutStyle: true },
      );
    }
    if (name === 'confirm-type-suffix') {
      all.push({ state, file: `${name}.320.png`, language: 'en', look: NARROW });
      for (const language of PICTURED) {
        all.push({ state, file: `${name}.${language}.png`, language, look: DESKTOP });
      }
    }
    if (RIGHT_TO_LEFT.includes(name)) all.push({ state, file: `${name}.ar.png`, language: 'ar', look: PHONE });
    return all;
  });
}

/** What operators see, on their own listener; in English alone. */
const STATUS_STATES = [
  { name: 'status', says: '`/status` of the operations listener: a process that has just started', status: QUIET },
  { name: 'status-troubled', says: 'The same, where there is much to read', status: TROUBLED },
] as const;

const STATUS_LOOKS = { desktop: WIDE, 'phone-dark': PHONE } as const;

const statusFile = (name: string, look: string) => `${name}.${look}.png`;

/** Answers how many pictures it took. */
async function takeStatus(browser: Browser, only: string | undefined): Promise<number> {
  let taken = 0;
  for (const { name, status } of STATUS_STATES) {
    for (const [look, options] of Object.entries(STATUS_LOOKS)) {
      const file = statusFile(name, look);
      if (only !== undefined && !file.includes(only)) continue;
      const served = await serveStatus(status);
      const context = await browser.newContext(options);
      try {
        const page = await context.newPage();
        await page.goto(served.url);
        const png = await page.screenshot({ fullPage: true, caret: 'hide', animations: 'disabled' });
        await writeFile(join(FOLDER, file), smallPng(png));
        taken += 1;
      } finally {
        await context.close();
        served.close();
      }
    }
  }
  return taken;
}

async function take(browser: Browser, shot: Shot): Promise<void> {
  const { state, file, language, look } = shot;
  const settings = { title: 'Gatehouse', languages: [...LANGUAGES], theme: {}, ...state.harness?.settings };
  const served = await serveBroker({ ...state.harness, settings });
  const context = await browser.newContext({ ...look, locale: language });
  try {
    const page = await context.newPage();
    if (shot.isWithoutStyle === true) await page.route('**/*.css', (route) => route.abort());
    if (shot.isPrinted === true) await page.emulateMedia({ media: 'print' });
    await state.reach(page, served);
    // By the debugger’s way: the page’s policy lets no style in.
    const size = `${shot.textSize ?? 100}%`;
    await page.evaluate(`document.documentElement.style.setProperty('font-size', '${size}')`);
    await page.mouse.move(0, 0);
    // What stays at the window's edge is shown where it belongs.
    const height = await page.evaluate<number>('document.documentElement.scrollHeight');
    await page.setViewportSize({ width: look.viewport?.width ?? 760, height });
    const png = await page.screenshot({ fullPage: true, caret: 'hide', animations: 'disabled' });
    await writeFile(join(FOLDER, file), smallPng(png));
    if (file === BESIDE_THE_TERMINAL) {
      // The README shows both: one sign-in, one code.
      const [code] = /\b[A-Z]{4}-[A-Z]{4}\b/.exec(await page.innerText('main')) ?? [];
      if (code === undefined) throw new Error('the page shows no code');
      await writeFile(join(FOLDER, 'terminal.svg'), terminalPicture(code));
    }
  } finally {
    await context.close();
    await served.close();
  }
}

function index(all: readonly Shot[]): string {
  const rows = PAGE_STATES.map((state) => {
    const pictures = all
      .filter((shot) => shot.state === state)
      .map(({ file }) => `[${file.split('.').at(-2)}](${file})`);
    return `| ${state.name} | ${state.says} | ${pictures.join(' · ')} |`;
  });
  return [
    '# Every page, and every state of it',
    '',
    'Written by `npm run screens` from the pages themselves, in Chromium without anything added. `desktop` is 760 px wide',
    'and light, `phone-dark` 390 px and dark, `320` and `1280` as wide as they say; `ar` is right to left. The long cases have more:',
    'text at 200 %, forced colours, printed, without a stylesheet. Reached as `test/support/browser/page-states.ts`',
    'says, where axe-core looks at each of them too (`test/browser/accessibility.test.ts`). The machine needs fonts with Japanese',
    'and Arabic letters (Debian: `fonts-vlgothic`, `fonts-noto-core`).',
    '',
    '| page | what it is | pictures |',
    '|---|---|---|',
    ...rows,
    ...STATUS_STATES.map(({ name, says }) => {
      const pictures = Object.keys(STATUS_LOOKS).map((look) => `[${look}](${statusFile(name, look)})`);
      return `| ${name} | ${says} | ${pictures.join(' · ')} |`;
    }),
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const found = await findChromium();
  if ('missing' in found) throw new Error(found.missing);
  const [only] = process.argv.slice(2);
  const all = shots();
  const wanted = all.filter(({ file }) => only === undefined || file.includes(only));
  await mkdir(FOLDER, { recursive: true });
  if (only === undefined) {
    for (const file of await readdir(FOLDER)) if (file.endsWith('.png')) await rm(join(FOLDER, file));
  }
  const browser = await chromium.launch({
    executablePath: found.program,
    args: ['--no-sandbox', '--disable-gpu', '--disable-lcd-text'],
  });
  let more = 0;
  try {
    more = await takeStatus(browser, only);
    for (const shot of wanted) {
      await take(browser, shot).catch((error: unknown) => {
        throw new Error(`${shot.file}: ${String(error)}`);
      });
    }
  } finally {
    await browser.close();
  }
  await writeFile(join(FOLDER, 'README.md'), index(all));
  console.log(`${wanted.length + more} pictures in docs/screens`);
}

await main();

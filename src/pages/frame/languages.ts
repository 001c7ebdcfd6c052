import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createInstance, type i18n } from 'i18next';

/** Texts for people, one file per language; nothing that a person reads stands in code or in a template. */
export interface Languages {
  /** What `pages.languages` offers and a file exists for, in the administrator's order. */
  readonly offered: readonly string[];
  /** The language of a cookie or of `Accept-Language`, if it is offered. */
  speaks(language: string | undefined): boolean;
  in(language: string): Language;
}

/** What a language file has: texts, and sections of them. */
export interface Texts {
  [key: string]: string | Texts;
}

export interface Language {
  code: string;
  direction: 'ltr' | 'rtl';
  /** As its speakers call it. */
  ownName(): string;
  t(key: string, words?: Readonly<Record<string, unknown>>): string;
  has(key: string): boolean;
  /** The name of a country, by its code of two letters; `undefined` for one that nobody knows. */
  region(code: string): string | undefined;
  /** "38 seconds ago", from a difference in milliseconds. */
  ago(ms: number): string;
  /** A day as people write it, in UTC. */
  date(atMs: number): string;
  /** The same to the second, and that it is UTC: for a help desk that looks into a log. */
  moment(atMs: number): string;
  /** Hour and minute, and that it is UTC. */
  time(atMs: number): string;
  /** For a page, where the browser's script tells it in the person's zone. */
  clock(atMs: number, options?: { hasSeconds: boolean }): ClockTime;
}

export interface ClockTime {
  /** RFC 3339, UTC. */
  iso: string;
  /** What stands there where no script runs. */
  text: string;
  hasSeconds: boolean;
}

/** A page that says when something ends. */
export interface TellsTime {
  /** Address of the script that tells it in the person's own zone. */
  timesScript: string | undefined;
}

/** What everything falls back to, key by key. */
const FALLBACK = 'en';
const RIGHT_TO_LEFT = new Set(['ar', 'ckb', 'dv', 'fa', 'he', 'ps', 'sd', 'ug', 'ur', 'yi']);
const FOLDER = fileURLToPath(new URL('../../../views/languages/', import.meta.url));
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const TIME: Intl.DateTimeFormatOptions = {
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
  timeZone: 'UTC',
  timeZoneName: 'short',
};
const EXACT: Intl.DateTimeFormatOptions = { ...TIME, second: '2-digit' };
const MOMENT: Intl.DateTimeFormatOptions = {
  ...TIME,
  year: 'numeric',
  month: 'short',
  day: 'numeric',
  second: '2-digit',
};

/**
 * Reads our files at the first text, not at start-up; an administrator's at once, so that one that breaks later breaks no
 * page, and the reload that finds it is refused.
 *
 * @param overrides a folder whose `languages/xx.json` wins over ours, text by text, or is a language of its own
 */
export function createLanguages(wanted: readonly string[], overrides?: string): Languages {
  const own = readOwnTexts(wanted, overrides);
  const known = new Map<string, Language>();
  let texts: i18n | undefined;
  let offered: readonly string[] | undefined;

  function offer(): readonly string[] {
    if (offered === undefined) {
      const found = wanted.filter((code) => own.has(code) || existsSync(join(FOLDER, `${code}.json`)));
      offered = found.length > 0 ? found : [FALLBACK];
    }
    return offered;
  }

  function load(): i18n {
    const instance = createInstance();
    const codes = [...new Set([FALLBACK, ...offer()])];
    const textsOf = (code: string) => merged(readTexts(FOLDER, code) ?? {}, own.get(code) ?? {});
    const resources = Object.fromEntries(codes.map((code) => [code, { translation: textsOf(code) }]));
    // Templates escape; escaping twice would show `&amp;`.
    const interpolation = { escapeValue: false };
    void instance.init({ resources, lng: FALLBACK, fallbackLng: FALLBACK, initAsync: false, interpolation });
    return instance;
  }

  return {
    get offered() {
      return offer();
    },
    speaks: (language) => language !== undefined && offer().includes(language),
    in(code) {
      let language = known.get(code);
      if (language === undefined) {
        texts ??= load();
        language = languageOf(texts, code);
        known.set(code, language);
      }
      return language;
    },
  };
}

function languageOf(texts: i18n, code: string): Language {
  const translate = texts.getFixedT(code);
  const isRightToLeft = RIGHT_TO_LEFT.has(new Intl.Locale(code).language);
  // Codes and addresses have Western digits; ages and dates beside them are easier to compare in the same.
  const locale = `${code}-u-nu-latn`;
  // Made when first needed: the tables behind them take tens of milliseconds to load.
  let relative: Intl.RelativeTimeFormat | undefined;
  let dates: Intl.DateTimeFormat | undefined;
  let moments: Intl.DateTimeFormat | undefined;
  let times: Intl.DateTimeFormat | undefined;
  let exact: Intl.DateTimeFormat | undefined;
  let name: string | undefined;
  let regions: Intl.DisplayNames | undefined;
  const wordless = new Map<string, string>();
  return {
    code,
    direction: isRightToLeft ? 'rtl' : 'ltr',
    ownName() {
      name ??= capitalised(new Intl.DisplayNames(code, { type: 'language' }).of(code) ?? code);
      return name;
    },
    t(key, words) {
      if (words !== undefined && Object.keys(words).length > 0) {
        return translate(key, isRightToLeft ? isolated(words) : words);
      }
      // Keys come from templates and code, never from a request, so there is an end to them.
      let text = wordless.get(key);
      if (text === undefined) {
        text = translate(key);
        wordless.set(key, text);
      }
      return text;
    },
    has: (key) => texts.exists(key, { lng: code }),
    region(asked) {
      regions ??= new Intl.DisplayNames(code, { type: 'region', fallback: 'none' });
      return regions.of(asked);
    },
    ago(ms) {
      relative ??= new Intl.RelativeTimeFormat(locale, { numeric: 'always' });
      const seconds = Math.max(1, Math.round(ms / 1000));
      if (seconds < MINUTE) return relative.format(-seconds, 'second');
      if (seconds < HOUR) return relative.format(-Math.round(seconds / MINUTE), 'minute');
      if (seconds < DAY) return relative.format(-Math.round(seconds / HOUR), 'hour');
      return relative.format(-Math.round(seconds / DAY), 'day');
    },
    date(atMs) {
      dates ??= new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' });
      return dates.format(atMs);
    },
    moment(atMs) {
      moments ??= new Intl.DateTimeFormat(locale, MOMENT);
      return moments.format(atMs);
    },
    time(atMs) {
      times ??= new Intl.DateTimeFormat(locale, TIME);
      return times.format(atMs);
    },
    clock(atMs, { hasSeconds } = { hasSeconds: false }) {
      const unitMs = hasSeconds ? SECOND_MS : MINUTE_MS;
      // The second or minute that has begun: a person is not told a later end than there is.
      const wholeMs = Math.floor(atMs / unitMs) * unitMs;
      const iso = `${new Date(wholeMs).toISOString().slice(0, 19)}Z`;
      if (!hasSeconds) return { iso, text: this.time(wholeMs), hasSeconds };
      exact ??= new Intl.DateTimeFormat(locale, EXACT);
      return { iso, text: exact.format(wholeMs), hasSeconds };
    },
  };
}

function capitalised(name: string): string {
  const [first = '', ...rest] = name;
  return first.toLocaleUpperCase() + rest.join('');
}

/** A name from left to right, amid text from right to left, keeps its own order and disturbs none (UAX #9). */
function isolated(words: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(words).map(([name, word]) => [name, typeof word === 'string' ? `\u2068${word}\u2069` : word]),
  );
}

/** An administrator's files, as they are now. */
function readOwnTexts(wanted: readonly string[], overrides: string | undefined): Map<string, Texts> {
  const own = new Map<string, Texts>();
  if (overrides === undefined) return own;
  for (const code of new Set([FALLBACK, ...wanted])) {
    const texts = readTexts(join(overrides, 'languages'), code);
    if (texts !== undefined) own.set(code, texts);
  }
  return own;
}

function readTexts(folder: string, code: string): Texts | undefined {
  const file = join(folder, `${code}.json`);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Texts) : undefined;
}

function merged(under: Texts, over: Texts): Texts {
  const all = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const beneath = Object.hasOwn(all, key) ? all[key] : undefined;
    all[key] = typeof value === 'object' && typeof beneath === 'object' ? merged(beneath, value) : value;
  }
  return all;
}

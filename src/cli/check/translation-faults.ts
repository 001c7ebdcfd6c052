import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { LANGUAGES_FOLDER, readTexts } from '../../config/read/language-file.ts';
import { didYouMean } from '../../config/schema/did-you-mean.ts';
import type { Texts } from '../../pages/frame/languages.ts';

const PLURAL = /_(zero|one|two|few|many|other)$/;
/** A form for one or two may say the number in a word. */
const MAY_LACK_COUNT = /_(zero|one|two)$/;
/** What tells the person to press Deny: by the word that the button has, or nobody finds it. */
const NAMING_DENY = [
  'confirm.stop',
  'confirm.advice.open_elsewhere',
  'confirm.advice.campaign',
  'refused.campaign.next',
];
/** Longer sentences are not read by people in a hurry. */
const MAX_WORDS = 32;
/** Chinese, Japanese, Korean and Thai: words have no spaces between them, or are sentences themselves. */
const WITHOUT_SPACES = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;
const CHARACTERS_OF_A_WORD = 2.5;

/** The languages that a folder of an administrator's has words for. */
export function writtenLanguages(views: string): string[] {
  try {
    return readdirSync(join(views, 'languages'))
      .filter((file) => file.endsWith('.json'))
      .map((file) => file.replace(/\.json$/, ''));
  } catch {
    return [];
  }
}

/** What is wrong with a file of words in an administrator's folder; it may have just some of the texts of ours. */
export function faultsOfFile(views: string, language: string): string[] {
  const texts = readTexts(join(views, 'languages', `${language}.json`));
  if (typeof texts === 'string') return [texts];
  const own = readTexts(join(LANGUAGES_FOLDER, `${language}.json`));
  return translationFaults(language, texts, typeof own === 'string' ? undefined : own);
}

/**
 * What is wrong with a translation: texts that no page has, that are missing, or that lack a plural or a place for a fact;
 * and what the pages promise in every language: the button is called as the advice calls it, and sentences are short.
 *
 * @param own our words for the language, which stand where the translation has none
 */
export function translationFaults(language: string, written: Texts, own?: Texts): string[] {
  const english = flat(readTexts(join(LANGUAGES_FOLDER, 'en.json')));
  const known = new Set([...english.keys()].map(withoutPlural));
  const here = flat(written);
  const all = new Map([...flat(own ?? {}), ...here]);
  const has = new Set([...all.keys()].map(withoutPlural));
  const strange = [...here.keys()].filter((key) => !known.has(withoutPlural(key)));
  const missing = [...known].filter((key) => !has.has(key));
  return [
    ...strange.map((key) => {
      const near = didYouMean(key, [...known]);
      return `${key} is no text of any page${near === undefined ? '' : `; did you mean ${near}?`}`;
    }),
    ...(missing.length > 0
      ? [`lacks ${count(missing.length)}, which people read in English: ${missing.join(', ')}`]
      : []),
    ...pluralFaults(language, all, english),
    ...[...here]
      .filter(([key]) => known.has(withoutPlural(key)))
      .flatMap(([key, text]) => textFaults(key, text, english)),
    ...wordingFaults(all),
  ];
}

function pluralFaults(
  language: string,
  all: ReadonlyMap<string, string>,
  english: ReadonlyMap<string, string>,
): string[] {
  const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  const counted = [...english.keys()].filter((key) => key.endsWith('_other')).map(withoutPlural);
  return counted
    .filter((key) => [...all.keys()].some((one) => withoutPlural(one) === key))
    .flatMap((key) =>
      forms.filter((form) => !all.has(`${key}_${form}`)).map((form) => `lacks the plural ${key}_${form}`),
    );
}

function textFaults(key: string, text: string, english: ReadonlyMap<string, string>): string[] {
  if (text.trim() === '') return [`${key} is empty`];
  const expected = factsIn(english.get(key) ?? english.get(`${withoutPlural(key)}_other`) ?? '');
  const found = factsIn(text);
  const strange = [...found].filter((fact) => !expected.has(fact));
  const lacking = [...expected].filter((fact) => !found.has(fact) && !(fact === 'count' && MAY_LACK_COUNT.test(key)));
  const long = sentencesOf(text).find((sentence) => lengthOf(sentence) > MAX_WORDS);
  return [
    ...strange.map((fact) => `${key} has {{${fact}}}, which is not known there`),
    ...lacking.map((fact) => `${key} lacks {{${fact}}}`),
    ...(long === undefined ? [] : [`${key} has a sentence of more than ${MAX_WORDS} words: ${long}`]),
  ];
}

function wordingFaults(all: ReadonlyMap<string, string>): string[] {
  const deny = all.get('confirm.deny');
  if (deny === undefined) return [];
  return [
    ...NAMING_DENY.filter((key) => all.has(key) && all.get(key)?.includes(deny) === false).map(
      (key) => `${key} does not name the button “${deny}” as confirm.deny has it`,
    ),
    ...(all.has('refused.deny') && all.get('refused.deny') !== deny ? ['refused.deny differs from confirm.deny'] : []),
    ...(all.get('confirm.approve') === deny ? ['confirm.approve is confirm.deny'] : []),
  ];
}

/** By dotted keys; a comment at the top is none of them. */
export function flat(texts: Texts | string, before = ''): Map<string, string> {
  if (typeof texts === 'string') return new Map();
  const entries = Object.entries(texts).filter(([key]) => !key.startsWith('$'));
  return new Map(
    entries.flatMap(([key, value]) =>
      typeof value === 'string' ? [[before + key, value] as const] : [...flat(value, `${before}${key}.`)],
    ),
  );
}

/** `days_one`, `days_few`: the plurals of `days`, of which languages have different ones. */
export function withoutPlural(key: string): string {
  return key.replace(PLURAL, '');
}

function factsIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, fact = '']) => fact));
}

function sentencesOf(text: string): string[] {
  return text.split(/(?<=[.!?؟。！？:：;；])\s*/);
}

function lengthOf(sentence: string): number {
  return WITHOUT_SPACES.test(sentence) ? sentence.length / CHARACTERS_OF_A_WORD : sentence.split(/\s+/).length;
}

function count(amount: number): string {
  return `${amount} text${amount === 1 ? '' : 's'}`;
}

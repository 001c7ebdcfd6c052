import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createLanguages } from '../../../src/pages/frame/languages.ts';

const views = join(import.meta.dirname, '../../../views');
const sources = join(import.meta.dirname, '../../../src/pages');
const templates = readdirSync(views)
  .filter((file) => file.endsWith('.ejs'))
  .map((file) => ({ file, text: readFileSync(join(views, file), 'utf8') }));
const code = readdirSync(sources, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(sources, file), 'utf8'));
const languages = readdirSync(join(views, 'languages')).map((file) => file.replace('.json', ''));

interface Texts {
  [key: string]: string | Texts;
}

function keysOf(texts: Texts, before = ''): string[] {
  return Object.entries(texts)
    .filter(([key]) => !key.startsWith('$'))
    .flatMap(([key, value]) => (typeof value === 'string' ? [before + key] : keysOf(value, `${before}${key}.`)));
}

function textsOf(language: string): Map<string, string> {
  const texts = JSON.parse(readFileSync(join(views, 'languages', `${language}.json`), 'utf8')) as Texts;
  const at = (key: string) =>
    key.split('.').reduce<Texts | string>((found, part) => (found as Texts)[part] ?? '', texts);
  return new Map(keysOf(texts).map((key) => [key, at(key) as string]));
}

/** `days_one`, `days_few`: the plurals of `days`, of which languages have different ones. */
const withoutPlural = (key: string) => key.replace(/_(zero|one|two|few|many|other)$/, '');

/** The keys that templates and code name, a part that is put together as `*`. */
function keysUsed(): string[] {
  const inTemplates = templates.flatMap(({ text }) => [
    ...[...text.matchAll(/\bt\('([\w.]+\.)' \+ \w+(?:\.\w+)?(?: \+ '(\.\w+)')?/g)].map(([, a, b = '']) => `${a}*${b}`),
    ...[...text.matchAll(/\? '(\w+\.\w+)' : '(\w+\.\w+)'/g)].flatMap(([, a = '', b = '']) => [a, b]),
  ]);
  const anywhere = [...templates.map(({ text }) => text), ...code].flatMap((text) => [
    ...[...text.matchAll(/\bt\(\s*'([\w.]+)'\s*[,)]/g)].map(([, key = '']) => key),
    ...[...text.matchAll(/\bkey: '([\w.]+)'(?: \+ \w+ \+ '(\.\w+)')?/g)].map(([, a = '', b]) =>
      b === undefined ? a : `${a}*${b}`,
    ),
    ...[...text.matchAll(/\b(?:t|has)\(\s*`([^`]+)`/g)].map(([, key = '']) => key.replace(/\$\{[^}]+\}/g, '*')),
  ]);
  return [...new Set([...inTemplates, ...anywhere])];
}

describe('the texts', () => {
  const english = textsOf('en');
  const known = [...new Set([...english.keys()].map(withoutPlural))];

  it('have every key that a page names', () => {
    const missing = keysUsed().filter((used) => {
      const form = new RegExp(`^${used.replaceAll('.', '\\.').replaceAll('*', '[\\w.]+')}$`);
      return !known.some((key) => form.test(key));
    });
    expect(missing).toEqual([]);
  });

  it('have no key that no page names', () => {
    const forms = keysUsed().map((used) => new RegExp(`^${used.replaceAll('.', '\\.').replaceAll('*', '[\\w.]+')}$`));
    expect(known.filter((key) => !forms.some((form) => form.test(key)))).toEqual([]);
  });

  it.each(languages)('of %s have the same keys and the same places for facts', (language) => {
    const texts = textsOf(language);
    const facts = (text = '') => new Set([...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name));
    expect([...new Set([...texts.keys()].map(withoutPlural))].sort()).toEqual([...known].sort());
    for (const [key, text] of texts) {
      const own = english.get(key) ?? english.get(`${withoutPlural(key)}_other`);
      if (/_(zero|one|two)$/.test(key)) continue;
      expect(facts(text), key).toEqual(facts(own));
      expect(text.trim(), key).not.toBe('');
    }
  });

  it.each(languages)('of %s have the plurals that the language has', (language) => {
    const texts = textsOf(language);
    const needed = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    const counted = [...texts.keys()].filter((key) => key.endsWith('_other')).map(withoutPlural);
    for (const key of counted) for (const form of needed) expect([...texts.keys()]).toContain(`${key}_${form}`);
  });

  it('stand nowhere in a template', () => {
    for (const { file, text } of templates) {
      const words = text
        .replace(/<%[\s\S]*?%>/g, '')
        .replace(/<[^>]*>/g, ' ')
        .replace(/&\w+;|[·(),]/g, ' ');
      expect(words.trim().split(/\s+/).filter(Boolean), file).toEqual([]);
    }
  });

  it('are escaped: what is put in raw is only other templates', () => {
    for (const { file, text } of templates) {
      const raw = [...text.matchAll(/<%-([\s\S]*?)%>/g)].map(([, inner]) => (inner ?? '').trim());
      const allowed = (inner: string) => inner.startsWith("part('") || (file === 'layout.ejs' && inner === 'body');
      expect(
        raw.filter((inner) => !allowed(inner)),
        file,
      ).toEqual([]);
    }
  });
});

describe('the language of a page', () => {
  it('is one that is offered and has a file, in the administrator’s order, English else', () => {
    expect(createLanguages(['tlh', 'en']).offered).toEqual(['en']);
    expect(createLanguages(['tlh']).offered).toEqual(['en']);
  });

  it('tells ages in words', () => {
    const english = createLanguages(['en']).in('en');
    const ages = [0, 1000, 38_000, 60_000, 89_000, 3_600_000, 90_000_000].map((ms) => english.ago(ms));
    expect(ages).toEqual([
      '1 second ago',
      '1 second ago',
      '38 seconds ago',
      '1 minute ago',
      '1 minute ago',
      '1 hour ago',
      '1 day ago',
    ]);
  });
});

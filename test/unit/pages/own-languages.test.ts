import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { faultsOfFile, flat, translationFaults, writtenLanguages } from '../../../src/cli/check/translation-faults.ts';
import { LANGUAGES } from '../../../src/config/schema/pages-schema.ts';
import { createLanguages, type Texts } from '../../../src/pages/frame/languages.ts';
import { openPageHarness } from '../../support/browser/page-harness.ts';

const OURS = join(import.meta.dirname, '../../../views/languages');
const textsOf = (code: string) => JSON.parse(readFileSync(join(OURS, `${code}.json`), 'utf8')) as Texts;

/** An administrator's folder. */
function folderWith(languages: Record<string, unknown>): string {
  const views = mkdtempSync(join(tmpdir(), 'views-'));
  mkdirSync(join(views, 'languages'));
  for (const [code, texts] of Object.entries(languages)) {
    writeFileSync(join(views, 'languages', `${code}.json`), typeof texts === 'string' ? texts : JSON.stringify(texts));
  }
  return views;
}

describe('a language of an administrator’s', () => {
  it('is offered where it has a file, and has English where it has no text', async () => {
    const views = folderWith({ fi: { enter_code: { title: 'Yhdistä laite' } } });
    const languages = createLanguages(['fi', 'en', 'tlh'], views);
    expect(languages.offered).toEqual(['fi', 'en']);
    expect(languages.in('fi').t('enter_code.title')).toBe('Yhdistä laite');
    expect(languages.in('fi').t('confirm.deny')).toBe('Deny');
    const visitor = openPageHarness({ settings: { languages: ['en', 'fi'], views } }).newVisitor();
    visitor.headers = { 'accept-language': 'fi-FI,fi;q=0.9' };
    const page = await visitor.open('/device');
    expect([page.heading, page.text.includes('<html lang="fi" dir="ltr">')]).toEqual(['Yhdistä laite', true]);
  });

  it('is as it was read: what breaks later breaks no page until somebody reads it again', async () => {
    const views = folderWith({
      fi: { enter_code: { title: 'Yhdistä laite' } },
      en: { enter_code: { continue: 'Next' } },
    });
    writeFileSync(join(views, 'enter-code.ejs'), '<p><%= t("enter_code.continue") %></p>');
    const visitor = openPageHarness({ settings: { languages: ['fi'], views } }).newVisitor();
    for (const file of ['languages/fi.json', 'languages/en.json', 'enter-code.ejs']) {
      writeFileSync(join(views, file), '<%');
    }
    const page = await visitor.open('/device');
    expect([page.status, page.heading]).toEqual([200, 'Yhdistä laite']);
    expect(page.text).toContain('<p>Next</p>');
  });

  it('corrects ours text by text', () => {
    const german = createLanguages(['de'], folderWith({ de: { confirm: { approve: 'Zulassen' } } })).in('de');
    expect([german.t('confirm.approve'), german.t('confirm.deny')]).toEqual(['Zulassen', 'Ablehnen']);
  });

  it.each([
    ['fa', 'rtl'],
    ['he', 'rtl'],
    ['sv', 'ltr'],
  ])('%s runs %s', (code, direction) => {
    expect(createLanguages([code], folderWith({ [code]: {} })).in(code).direction).toBe(direction);
  });

  it.each([
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-Hans'],
    ['pt-BR', 'pt-BR'],
    ['pt-PT,pt;q=0.9', 'pt-BR'],
    ['ko-KR,ko;q=0.9', 'ko'],
    ['tlh', 'en'],
  ])('is found by what browsers send: %s', async (accepted, code) => {
    const visitor = openPageHarness({ settings: { languages: [...LANGUAGES] } }).newVisitor();
    visitor.headers = { 'accept-language': accepted };
    expect((await visitor.open('/device')).text).toContain(`<html lang="${code}"`);
  });
});

describe('the judge of translations', () => {
  it.each(LANGUAGES)('finds nothing in ours: %s', (code) => {
    expect(translationFaults(code, textsOf(code))).toEqual([]);
  });

  const german = () => structuredClone(textsOf('de')) as Record<string, Record<string, string>>;

  it.each<[string, (texts: Record<string, Record<string, string>>) => void, RegExp]>([
    ['a text that is missing', (texts) => delete texts['stop'], /lacks 8 texts, .* stop\.title, stop\.from/],
    [
      'a key that is mistyped',
      ({ confirm }) => Object.assign(confirm ?? {}, { titel: 'x' }),
      /confirm\.titel is no text .* did you mean confirm\.title\?/,
    ],
    ['a plural', ({ confirm }) => delete confirm?.['days_one'], /lacks the plural confirm\.days_one/],
    [
      'a fact',
      ({ confirm }) => Object.assign(confirm ?? {}, { consequence: 'als {{account}}' }),
      /confirm\.consequence lacks \{\{client\}\}/,
    ],
    [
      'an unknown fact',
      ({ confirm }) => Object.assign(confirm ?? {}, { deny: 'Ablehnen {{klient}}' }),
      /confirm\.deny has \{\{klient\}\}/,
    ],
    [
      'another name for the button',
      ({ confirm }) => Object.assign(confirm ?? {}, { deny: 'Nein' }),
      /confirm\.stop does not name the button “Nein”/,
    ],
    [
      'two buttons of one name',
      ({ confirm }) => Object.assign(confirm ?? {}, { approve: 'Ablehnen' }),
      /confirm\.approve is confirm\.deny/,
    ],
    ['no words', ({ confirm }) => Object.assign(confirm ?? {}, { asked: ' ' }), /confirm\.asked is empty/],
    [
      'a sentence without end',
      ({ confirm }) => Object.assign(confirm ?? {}, { asked: 'wort '.repeat(40) }),
      /confirm\.asked has a sentence of more than 32 words/,
    ],
  ])('finds %s', (_, change, fault) => {
    const texts = german();
    change(texts);
    expect(translationFaults('de', texts).join('\n')).toMatch(fault);
  });

  it('asks a language for the plurals that it has itself', () => {
    const polish = textsOf('pl') as Record<string, Record<string, string>>;
    delete polish['confirm']?.['days_few'];
    expect(translationFaults('pl', polish)).toEqual(['lacks the plural confirm.days_few']);
  });

  it('judges a correction together with ours, and a file that cannot be read', () => {
    const views = folderWith({
      de: { confirm: { deny: 'Nein' } },
      fr: { confirm: { approve: 'Oui' } },
      fi: '{',
      ar: ['x'],
    });
    expect(writtenLanguages(views).sort()).toEqual(['ar', 'de', 'fi', 'fr']);
    expect(faultsOfFile(views, 'de').join('\n')).toMatch(/confirm\.stop does not name the button “Nein”/);
    expect(faultsOfFile(views, 'fr')).toEqual([]);
    expect(faultsOfFile(views, 'fi').join()).toMatch(/fi\.json is no JSON/);
    expect(faultsOfFile(views, 'ar').join()).toMatch(/ar\.json has no sections of texts/);
    expect(writtenLanguages('/nowhere')).toEqual([]);
  });

  it('does not count a comment', () => {
    expect(flat({ $comment: 'x', a: { b: 'y' } })).toEqual(new Map([['a.b', 'y']]));
  });
});

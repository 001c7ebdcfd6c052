import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LANGUAGES } from '../../../src/config/schema/pages-schema.ts';
import { createLanguages } from '../../../src/pages/frame/languages.ts';
import { callbackOf, openPageHarness } from '../../support/browser/page-harness.ts';
import type { VisitedPage } from '../../support/browser/page-visitor.ts';

type Code = (typeof LANGUAGES)[number];
interface Texts {
  [key: string]: string | Texts;
}

const languages = createLanguages([...LANGUAGES]);
const every = LANGUAGES.map((code) => [code, languages.in(code)] as const);

/** Every text of a language, under its key. */
function textsOf(code: string): Map<string, string> {
  const file = join(import.meta.dirname, `../../../views/languages/${code}.json`);
  const flat = (texts: Texts, before: string): [string, string][] =>
    Object.entries(texts).flatMap(([key, value]) =>
      typeof value === 'string'
        ? key.startsWith('$')
          ? []
          : [[before + key, value]]
        : flat(value, `${before}${key}.`),
    );
  return new Map(flat(JSON.parse(readFileSync(file, 'utf8')) as Texts, ''));
}

/** What approving does, in the words that the title must have. */
const CONSEQUENCE: Record<Code, RegExp> = {
  en: /act as you/,
  de: /in Ihrem Namen handeln/,
  fr: /agir en votre nom/,
  es: /actúe en su nombre/,
  ja: /あなたの権限で操作/,
  ar: /يتصرف باسمك/,
  'pt-BR': /aja em seu nome/,
  'zh-Hans': /以您的身份操作/,
  ko: /대신해 동작/,
  it: /agisca a tuo nome/,
  nl: /namens u handelen/,
  pl: /działać w Twoim imieniu/,
};
const IN_FRONT: Record<Code, RegExp> = {
  en: /in front of you.*did you start this yourself\?/,
  de: /vor sich.*selbst gestartet\?/,
  fr: /devant vous.*lancé cela vous-même.\?/,
  es: /delante.*empezó usted esto\?/,
  ja: /目の前.*始めたのはあなた自身/,
  ar: /أمامك.*بدأت هذا بنفسك؟/,
  'pt-BR': /na sua frente.*foi você quem começou isto\?/,
  'zh-Hans': /面前.*您自己发起/,
  ko: /눈앞에 있고, 직접 시작/,
  it: /davanti a te.*hai avviato tu questa richiesta\?/,
  nl: /voor u.*zelf mee begonnen\?/,
  pl: /przed Tobą.*to Ty zacząłeś\?/,
};
const SIGNED_IN_AS_YOU: Record<Code, RegExp> = {
  en: /sign them in as you/,
  de: /diese Person in Ihrem Namen angemeldet/,
  fr: /cette personne se connecter à votre place/,
  es: /esa persona entraría como si fuera usted/,
  ja: /その人があなたとしてサインイン/,
  ar: /سيدخل ذلك الشخص باسمك/,
  'pt-BR': /essa pessoa entraria como se fosse você/,
  'zh-Hans': /对方就会以您的身份登录/,
  ko: /그 사람이 회원님으로 로그인/,
  it: /quella persona accederebbe al posto tuo/,
  nl: /die persoon als u zijn ingelogd/,
  pl: /ta osoba zalogowałaby się jako Ty/,
};
const PRAISE: Record<Code, RegExp> = {
  en: /Thank you for checking/,
  de: /Danke, dass/,
  fr: /Merci/,
  es: /Gracias/,
  ja: /ありがとうございます/,
  ar: /شكرًا/,
  'pt-BR': /Obrigado/,
  'zh-Hans': /感谢/,
  ko: /감사합니다/,
  it: /Grazie/,
  nl: /Bedankt/,
  pl: /Dziękujemy/,
};
/** Words that were here once and that native speakers stumble over. */
const STUMBLED: Record<Code, RegExp> = {
  en: /told about you|It may\b|Asked|You are$|For how long|Until you end|at most \d|You came here|Real set-ups|by mail|Go on only|before you say so|being typed|runs? out|ran out|does not work|may not (connect|approve)|told so|Well done|looks after|taken? (it )?back|Nobody else may|act for (you|\{)|End this|by itself|name for it|was not taken|holds already|a picture|no such page|too much|begun|the network that you are on/,
  de: /Sie darf$|erfährt über Sie|als Sie handeln|Wie lange|Angefragt von|nehmen Sie den neuen|Konto nehmen|per Mail/,
  fr: /apprend de|reprise|march(e|é)\b|identifié chez|Combien de temps|par mail|\{\{count\}\} (jour|heure|minute)/,
  es: /avisado|Pedido|falsos|viejo|cuida de|[Pp]etición/,
  ja: /あなたとして動|あなたではありませんか|名乗り|依頼|本当の/,
  ar: /بالبريد(?! الإلكتروني)|^سماح$|حروف|(يعمل|تعمل) باسم/,
  'pt-BR': /autentica(r|ção)|requisição/,
  'zh-Hans': /帐户|授权/,
  ko: /당신/,
  it: /\blog-?in\b/i,
  nl: /\bapparaten? van u\b/,
  pl: /uwierzytelni/,
};
/** The lure's own vocabulary: who reads it on a real page will believe it on a false one. */
const LURE: Record<Code, RegExp> = {
  en: /\bverif(y|ication)\b|confirm your|security check|act now|urgent/i,
  de: /verifizier|bestätigen Sie (Ihr|bitte)|Sicherheitsprüfung|sofort|dringend/i,
  fr: /vérifiez|vérification|confirmez votre|urgent/i,
  es: /verifi(que|car|cación)|confirme su|urgente/i,
  ja: /アカウントを(確認|認証)|本人確認|至急/,
  ar: /تحقق من|تأكيد حساب|أكّد حساب|عاجل/,
  'pt-BR': /verifi(que|car|cação)|confirme s(ua|eu)|urgente/i,
  'zh-Hans': /验证(您的)?账户|紧急|立即/,
  ko: /본인 ?인증|계정(을)? 확인|긴급|즉시/,
  it: /verific(a|are|hi)|conferma il tuo|urgente/i,
  nl: /verifi|bevestig uw|dringend|onmiddellijk/i,
  pl: /zweryfikuj|weryfikac|potwierdź sw|piln(e|ie)/i,
};

describe.each(every)('the wording rules in %s', (code, { t }) => {
  const texts = textsOf(code);

  it('put the consequence first', () => {
    expect(t('confirm.title')).toMatch(CONSEQUENCE[code]);
    // The first line goes on: who could do what, and as whom. It repeats no word of the title.
    const lead = t('confirm.consequence', { client: 'C', account: 'A' });
    expect(lead).toMatch(/C.*A|A.*C/);
    expect(lead).not.toMatch(CONSEQUENCE[code]);
  });

  it('ask the one decisive question, on the stop page too', () => {
    expect(t('confirm.question')).toMatch(IN_FRONT[code]);
    expect(t('stop.question')).toMatch(IN_FRONT[code]);
  });

  it('say what a code that was sent would do, and name the button to press', () => {
    for (const key of ['enter_code.stop', 'confirm.stop']) expect(t(key)).toMatch(SIGNED_IN_AS_YOU[code]);
    const advice = ['other_network', 'open_elsewhere', 'campaign'].map((warning) => `confirm.advice.${warning}`);
    const naming = ['confirm.stop', ...advice, 'refused.campaign.next'];
    for (const key of naming) expect(t(key)).toContain(t('confirm.deny'));
    expect(t('refused.deny')).toBe(t('confirm.deny'));
    expect(t('confirm.approve').length).toBeLessThan(12);
  });

  it('praise who denied', () => {
    for (const key of ['done.denied.next', 'done.reported.next']) expect(t(key)).toMatch(PRAISE[code]);
  });

  it('never use the words of a lure', () => {
    for (const [key, text] of texts) expect(text, key).not.toMatch(LURE[code]);
  });

  it('are free of words that people stumbled over', () => {
    for (const [key, text] of texts) expect(text, key).not.toMatch(STUMBLED[code]);
  });

  it('keep sentences short', () => {
    for (const [key, text] of texts) {
      for (const sentence of text.split(/(?<=[.!?؟。:;；])\s*/)) {
        const size = ['ja', 'zh-Hans', 'ko'].includes(code) ? sentence.length / 2.5 : sentence.split(/\s+/).length;
        expect(size, `${key}: ${sentence}`).toBeLessThanOrEqual(32);
      }
    }
  });
});

/** Flesch and Kincaid's grade; syllables by groups of vowels. */
function grade(text: string): number {
  const sentences = text.split(/[.!?:;]+\s/).filter((part) => /\w/.test(part)).length;
  const words = text.match(/[A-Za-z'’-]+/g) ?? [];
  const syllables = words.reduce((sum, word) => {
    const groups =
      word
        .toLowerCase()
        .replace(/e$/, '')
        .match(/[aeiouy]+/g) ?? [];
    return sum + Math.max(1, groups.length);
  }, 0);
  return 0.39 * (words.length / sentences) + 11.8 * (syllables / words.length) - 15.59;
}

describe('the reading grade of the English pages', () => {
  it.each(['enter_code', 'sign_in', 'confirm', 'stop', 'refused', 'done', 'problem', 'sessions'])(
    'is at most 8: %s',
    (part) => {
      const all = [...textsOf('en')].filter(([key]) => key.startsWith(`${part}.`)).map(([, text]) => text);
      const text = all.map((one) => (/[.!?]$/.test(one) ? one : `${one}.`)).join(' ');
      expect(grade(text.replace(/\{\{\w+\}\}/g, 'it'))).toBeLessThanOrEqual(8);
    },
  );
});

/** The main pages as a person sees them, in one language. */
async function pagesIn(code: string): Promise<Map<string, VisitedPage>> {
  const harness = openPageHarness({
    settings: { title: '・', languages: [code], theme: {} },
    client: { safeguards: { arrival: 'warn', sameNetwork: 'warn', reverseCode: 'supported' } },
  });
  const visitor = harness.newVisitor();
  const pages = new Map<string, VisitedPage>();
  const { userCode } = await harness.start({ deviceLabel: 'build-07', confirmation: 'supported' });
  const stop = await visitor.get('/device', { 'sec-fetch-site': 'cross-site', referer: 'https://evil.example/' });
  const form = await visitor.open(stop.links[0]?.href ?? '');
  const way = await visitor.submit(form, { user_code: userCode });
  const confirm = await visitor.open(callbackOf(await visitor.get(way.links[0]?.href ?? '')));
  pages.set('stop', stop).set('form', form).set('sign in', way).set('confirm', confirm);
  pages.set('wrong code', await visitor.submit(form, { user_code: 'BBBB-BBBB' }));
  pages.set('done', await visitor.submit(confirm, { decision: 'approve' }));
  pages.set('not found', await visitor.open('/nowhere'));
  pages.set('sessions', await visitor.open('/sessions'));
  return pages;
}

describe.each(every)('the pages in %s', (code, { t }) => {
  it('lead from the consequence over the facts to the question, Deny, Approve', async () => {
    const confirm = (await pagesIn(code)).get('confirm')?.text ?? '';
    const names = { client: 'Build CLI', account: 'alice@example.com' };
    const order = [
      `<h1>${t('confirm.title')}`,
      t('confirm.consequence', names),
      t('confirm.code', { time: '|' }).split('|')[0] ?? '',
      t('confirm.not_you'),
      `<dt>${t('confirm.asked')}`,
      '203.0.113.7',
      t('confirm.unverified'),
      t('confirm.duration'),
      t('confirm.stop'),
      t('confirm.question'),
      `>${t('confirm.deny')}<`,
      `>${t('confirm.approve')}<`,
      t('confirm.report'),
    ].map((part) => [part, confirm.indexOf(part)] as const);
    for (const [part, at] of order) expect(at, part).toBeGreaterThan(0);
    expect(order.map(([, at]) => at)).toEqual(order.map(([, at]) => at).sort((one, other) => one - other));
    expect(confirm).not.toMatch(/http-equiv="refresh"|checked|type="checkbox"/);
  });
});

describe('text that is in no file', () => {
  it.each(['ja', 'ar'])('would be seen on a page in %s, among letters that are none of its own', async (code) => {
    const names =
      /Build CLI|alice@example\.com|Example (Corp|Labs)|[A-Z]{4}-[A-Z]{4}|openid|packages:read|department|email|groups|Read packages|build-07|evil\.example|reference123|UTC|QR/g;
    for (const [name, { words }] of await pagesIn(code)) {
      expect(words.replace(names, '').match(/[A-Za-z]{2,}/g) ?? [], name).toEqual([]);
    }
  });
});

describe('a device that is called by its client and day', () => {
  it('has the two apart from each other where one reads to the left and the other may not', () => {
    const at = Date.UTC(2026, 10, 28);
    for (const [code, one] of every) {
      const called = one.t('sessions.by_date', { client: 'Build CLI', date: one.date(at) });
      const apart = ['Build CLI', one.date(at)].map((part) => (code === 'ar' ? `\u2068${part}\u2069` : part));
      for (const part of apart) expect(called, code).toContain(part);
    }
  });
});

describe('times', () => {
  it('are told as the language tells them, in digits that can be compared with the device’s', () => {
    const at = Date.UTC(2026, 10, 21, 8, 5, 9);
    const told = Object.fromEntries(every.map(([code, one]) => [code, [one.ago(38_000), one.date(at)]]));
    expect(told).toMatchObject({
      en: ['38 seconds ago', 'Nov 21, 2026'],
      de: ['vor 38 Sekunden', '21.11.2026'],
      ja: ['38 秒前', '2026/11/21'],
    });
    for (const [code, { moment, ago }] of every) {
      expect(moment(at), code).toMatch(/08\D{1,2}0?5\D{1,2}0?9/);
      expect(moment(at), code).toContain('UTC');
      expect(ago(120_000), code).not.toMatch(/[٠-٩]/);
    }
  });
});

import { describe, expect, it } from 'vitest';
import { openPageHarness } from '../../support/browser/page-harness.ts';

describe('Accept-Language', () => {
  const languageFor = async (accepted: string) => {
    const page = await openPageHarness({ settings: { languages: ['en', 'de'] } })
      .newVisitor()
      .get('/device', { 'accept-language': accepted });
    return /<html lang="(\w+)"/.exec(page.text)?.[1];
  };
  const others = (characters: number) => 'xx,'.repeat(Math.floor(characters / 3));

  it.each([
    ['is read as people who speak many send it', `${others(400)}de`, 'de'],
    ['is read no further than that: each name costs a comparison with all that are offered', `${others(600)}de`, 'en'],
    ['is read in whole names: half a name is another', `${others(508)}dezzz`, 'en'],
    ['is nobody’s where one name is longer than all of that', 'd'.repeat(15_000), 'en'],
  ])('%s', async (_, accepted, language) => expect(await languageFor(accepted)).toBe(language));
});

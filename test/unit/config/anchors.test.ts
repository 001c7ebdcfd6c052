import { describe, expect, it } from 'vitest';
import { leastFile, MARK, problemsOf, read, unmarked } from './written.ts';

const base =
  'x-usual: &usual\n  interval: 7s\n  claims: &claims [email]\nx-other: &other { interval: 9s, tokens: relay }';

describe('x-… keys at the top', () => {
  it('hold anchors, and are not read themselves', () => {
    const { clients } = read(leastFile({ client: '<<: *usual\ntokens: mint', top: '' }).replace(/^/, `${base}\n`));
    expect(clients[0]).toMatchObject({ intervalSeconds: 7, claims: { idToken: ['email'] } });
  });

  it('are unknown keys everywhere else', () => {
    const { text, line, column } = unmarked(leastFile({ client: `${MARK}x-note: hello` }));
    expect(problemsOf(text)).toEqual([expect.objectContaining({ line, column, key: 'clients.cli.x-note' })]);
  });

  it('may be used as often as there are clients', () => {
    const clients = Array.from({ length: 500 }, (_, n) => `  c${n}: { <<: *usual, name: C, claims: *claims }`);
    const text = `${base}\n${leastFile()}\n${clients.join('\n')}`;
    expect(read(text).clients).toHaveLength(501);
  });

  it('of several that are merged give way to the earlier, and all of them to what stands there', () => {
    const text = `${base}\n${leastFile({ client: '<<: [*other, *usual]\ntokens: mint' })}`;
    expect(read(text).clients[0]).toMatchObject({ intervalSeconds: 9, tokens: 'mint', claims: { idToken: ['email'] } });
  });
});

describe('a problem in what is merged', () => {
  it.each([
    ['in the section that is merged', `x-a: &a { interval: ${MARK}5 }`, '<<: *a'],
    ['in the earlier of two', `x-a: &a { interval: ${MARK}5 }\nx-b: &b { interval: 5s }`, '<<: [*a, *b]'],
    ['in what wins over it', 'x-a: &a { interval: 5s }', `<<: *a\ninterval: ${MARK}5`],
    ['in what wins over it from above', 'x-a: &a { interval: 5s }', `interval: ${MARK}5\n<<: *a`],
    ['in a value that is an alias', 'x-a: &a 5', `interval: ${MARK}*a`],
  ])('is named where it is written: %s', (_, top, client) => {
    const { text, line, column } = unmarked(`${top}\n${leastFile({ client })}`);
    expect(problemsOf(text)).toEqual([expect.objectContaining({ line, column, key: 'clients.cli.interval' })]);
  });
});

describe('an alias that cannot be followed', () => {
  it.each([
    ['to nothing', '', `<<: ${MARK}*nobody`, /\*nobody stands for nothing: no &nobody comes before it/],
    ['to what comes later', '', `claims: ${MARK}*later\norigins: &later []`, /\*later stands for nothing/],
    ['within itself', '', `approvers: &own\n  groups: [${MARK}*own]`, /\*own stands within what it stands for/],
    ['merged and no section', 'x-list: &list [a]', `<<: [${MARK}5]`, /<< takes a section over, and this is none/],
    ['merged, a list of texts', 'x-text: &text a', `<<: ${MARK}*text`, /<< takes a section over, and this is none/],
  ])('is told where it stands: %s', (_, top, client, words) => {
    const { text, line, column } = unmarked(`${top === '' ? '' : `${top}\n`}${leastFile({ client })}`);
    expect(problemsOf(text)).toEqual([expect.objectContaining({ line, column, key: '(file)' })]);
    expect(problemsOf(text)[0]?.text).toMatch(words);
  });

  it('is told where it stands, where it multiplies what it stands for', () => {
    const levels = ['x-0: &l0 [1,1,1,1,1,1,1,1,1,1]'];
    for (let level = 1; level < 7; level += 1) levels.push(`x-${level}: &l${level} [${`*l${level - 1}, `.repeat(20)}]`);
    const problems = problemsOf(`${levels.join('\n')}\n${leastFile()}`);
    expect(problems).toEqual([
      expect.objectContaining({ line: 6, key: '(file)', text: expect.stringMatching(/more than/) }),
    ]);
  });

  it.each(['[1, 2]: x', '{ a: b }: x', '? [1]\n: x'])('a key that is no text is told too: %j', (client) => {
    expect(problemsOf(leastFile({ client }))).toEqual([
      expect.objectContaining({ line: 9, text: expect.stringMatching(/a section or a list cannot be a key/) }),
    ]);
  });
});

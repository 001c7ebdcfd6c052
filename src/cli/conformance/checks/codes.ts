import { type Check, cannotBeSeen, fails, holds } from '../check.ts';

/** RFC 6749 §10.10: of what people do not handle, a guess must be right with at most this chance. */
const DEVICE_CODE_BITS = 128;
/** RFC 8628 §6.1: its own example, eight of twenty letters. */
const EXAMPLE_BITS = 8 * Math.log2(20);
/** Ours, the text gives none: four digits. */
const TOO_FEW_BITS = 4 * Math.log2(10);
/** RFC 8628 §6.1 names these. */
const CONFUSABLE = [
  ['0', 'O'],
  ['1', 'I', 'l'],
];

export const codesUnique: Check = {
  id: 'codes.unique',
  title: 'no code is given twice while it lives',
  requirement: 'R10, RFC 8628 §3.2',
  level: 'must',
  async run(server) {
    const codes = await server.codes();
    for (const name of ['deviceCode', 'userCode'] as const) {
      const different = new Set(codes.map((code) => code[name])).size;
      if (different < codes.length) return fails(`${codes.length} starts have ${different} different ${name}s`);
    }
    return holds(`${codes.length} starts`);
  },
};

export const deviceCodeEntropy: Check = {
  id: 'codes.device-entropy',
  title: 'nobody guesses a device code',
  requirement: 'R34, RFC 8628 §5.2 and RFC 6749 §10.10',
  level: 'must',
  async run(server) {
    const codes = (await server.codes()).map(({ deviceCode }) => deviceCode);
    const bits = mostBits(codes);
    if (bits < DEVICE_CODE_BITS) {
      return fails(`at most ${bits.toFixed(0)} bits by ${codes.length} of them, expected 128`);
    }
    return holds(`at most ${bits.toFixed(0)} bits by the looks of ${codes.length}; how they are drawn cannot be seen`);
  },
};

export const userCodeEntropy: Check = {
  id: 'codes.user-entropy',
  title: 'user codes are many enough for a limit on guesses to protect them',
  requirement: 'R33, RFC 8628 §5.1',
  level: 'should',
  async run(server) {
    const bits = mostBits((await server.codes()).map(({ userCode }) => userCode));
    const words = `at most ${bits.toFixed(1)} bits`;
    if (bits < TOO_FEW_BITS) return fails(words);
    if (bits >= EXAMPLE_BITS - 0.05) return holds(`${words}; the standard’s example has ${EXAMPLE_BITS.toFixed(1)}`);
    return cannotBeSeen(
      `${words}: it depends on how many guesses are let through, and this does not guess at people’s codes`,
    );
  },
};

export const userCodeReadable: Check = {
  id: 'codes.readable',
  title: 'no two characters of user codes are easily confused, and case is not one of them',
  requirement: 'R39, RFC 8628 §6.1 (RECOMMENDED)',
  level: 'should',
  async run(server) {
    const seen = new Set((await server.codes()).flatMap(({ userCode }) => Array.from(userCode)));
    const confused = CONFUSABLE.map((alike) => alike.filter((one) => seen.has(one))).filter(
      (alike) => alike.length > 1,
    );
    const cases = [...seen].filter((one) => /[a-z]/.test(one) && seen.has(one.toUpperCase()));
    const words = [
      ...confused.map((alike) => alike.join(' and ')),
      ...(cases.length === 0 ? [] : ['letters of both cases']),
    ];
    return words.length === 0 ? holds() : fails(`there are ${words.join(', ')}`);
  },
};

/**
 * What codes of this look can have at most: places where all are the same tell nothing, and each other one as much as the
 * characters that were seen. Less may be behind it; more cannot.
 */
function mostBits(codes: readonly string[]): number {
  const [first = ''] = codes;
  const length = Math.min(...codes.map((code) => code.length));
  const places = Array.from({ length }, (_, at) => at).filter((at) => codes.some((code) => code[at] !== first[at]));
  const characters = new Set(codes.flatMap((code) => places.map((at) => code[at])));
  return characters.size < 2 ? 0 : places.length * Math.log2(characters.size);
}

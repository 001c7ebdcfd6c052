import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/cli/read-arguments.ts';
import { endTable } from '../../../src/cli/tables/end-table.ts';
import { explainTable } from '../../../src/cli/tables/explain-table.ts';
import { sessionsTable } from '../../../src/cli/tables/sessions-table.ts';

/** Those of sixteen random bytes, whole or their beginning, of which one in 64 begins with a dash. */
const id = fc
  .tuple(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.boolean())
  .map(([bytes, isWhole]) => `-${Buffer.from(bytes).toString('base64url')}`.slice(0, isWhole ? 22 : 8))
  .filter((text) => !text.startsWith('--'));

describe('an id that begins with a dash', () => {
  it('is the value of the option before it, and the word that a command takes', () => {
    fc.assert(
      fc.property(id, (text) => {
        expect(readArguments(endTable, ['--session', text, '--yes']).values).toEqual({ session: text, yes: true });
        expect(readArguments(endTable, ['--yes', `--session=${text}`]).values).toEqual({ session: text, yes: true });
        expect(readArguments(sessionsTable, ['show', text]).operands).toEqual([text]);
        expect(readArguments(sessionsTable, ['show', '--json', '--', text]).operands).toEqual([text]);
        const told = readArguments(explainTable, [text, '--log', text]);
        expect([told.operands, told.values]).toEqual([[text], { log: [text] }]);
      }),
    );
  });

  it.each([
    [['--session', '--dry-run'], /--session/],
    [['--session', '--dryrun'], /--session/],
    [['--session', '-json'], /./],
    [['--session'], /--session/],
    [['-abc'], /there is no option -a/],
    [['--sesion', 'x'], /did you mean --session/],
  ])('%j is complained about as before', (args, words) => {
    expect(() => readArguments(endTable, args)).toThrow(words);
  });
});

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { createCheckReport } from '../../../../src/cli/check/check-report.ts';
import { complaint, usageComplaint } from '../../../../src/cli/complain.ts';
import { openAsker } from '../../../../src/cli/init/asker.ts';
import { assertIssuer } from '../../../../src/cli/login/login-metadata.ts';
import { shellWord } from '../../../../src/cli/terminal/shell-word.ts';

/** Clears the screen, turns the reading direction, and asks the terminal to answer. */
const HOSTILE = 'a\u001b[2J\u202eb\u0007\r\u009bc\nnext line';
/** What a shell reads otherwise than it is written. */
const SPECIAL = 'a\'"$`\\;&|<> *?#~!(){}=%'.split('');
const MOVES = /[\p{Cf}\p{Co}]|(?!\n)\p{Cc}/u;

afterEach(() => {
  vi.restoreAllMocks();
});

it.each([
  ['a complaint', complaint('init', HOSTILE)],
  ['a complaint of usage', usageComplaint('token', HOSTILE)],
])('%s has lines, and nothing that moves the cursor', (_, text) => {
  expect(text).not.toMatch(MOVES);
  expect(text).toContain('\nnext line');
});

it('a report of check has neither, whatever a provider or a file says', () => {
  let written = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((text) => {
      written += String(text);
      return true;
    });
  }
  const report = createCheckReport({ isJson: false });
  report.finding({ about: HOSTILE, level: 'wrong', text: HOSTILE });
  report.problems([{ file: 'a', line: 1, column: 1, key: HOSTILE, text: HOSTILE } as never]);
  report.warnings([{ file: 'a', line: 1, column: 1, key: 'x', text: HOSTILE } as never]);
  report.describe([HOSTILE]);
  vi.restoreAllMocks();
  expect(written).toContain('next line');
  expect(written).not.toMatch(MOVES);
});

it('nor has what a person is asked', async () => {
  const { PassThrough } = await import('node:stream');
  const input = new PassThrough();
  let written = '';
  const write = (text: string) => {
    written += text;
    return true;
  };
  const asker = openAsker(input as never, { write } as never);
  input.write('1\n2\n');
  asker.say(HOSTILE);
  let judged = 0;
  const judge = () => (judged++ === 0 ? HOSTILE : undefined);
  await asker.ask({ words: HOSTILE, fallback: HOSTILE, judge });
  asker.close();
  expect(written).toContain('next line');
  expect(written).not.toMatch(MOVES);
});

it('another issuer of a server is suggested as one word', () => {
  const found = 'https://evil.example/;rm$IFS-rf';
  expect(() => assertIssuer(found, new URL('https://login.example.com'))).toThrow(`--issuer '${found}'`);
});

it('a word is one word to a shell, and the same', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...SPECIAL), minLength: 1 }), (word) => {
      const read = execFileSync('/bin/sh', ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' });
      expect(read).toBe(word);
    }),
    { numRuns: 50 },
  );
});

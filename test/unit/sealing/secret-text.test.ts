import { describe, expect, it } from 'vitest';
import { formatProblem } from '../../../src/config/config-error.ts';
import { leastFile, problemsOf, read } from '../config/written.ts';

const yaml = leastFile({ upstream: 'client_secret: { file: secret.txt }' });

describe('the file of a secret', () => {
  it.each<[string, string | Buffer, RegExp]>([
    ['a byte order mark', '\ufeffhunter2', /begins with a byte order mark/],
    ['a byte order mark before a document', '\ufeff{"keys":[]}', /begins with a byte order mark/],
    ['a CR within', 'hunter2\rhunter2', /has a carriage return/],
    ['a CR at its end', 'hunter2\r', /has a carriage return/],
    ['CRs before the newline', 'hunter2\r\r\n', /has a carriage return/],
    ['a NUL', 'hunter2\0', /has NUL characters.*UTF-16/],
    ['UTF-16, as PowerShell writes it', Buffer.from('\ufeffhunter2\r\n', 'utf16le'), /has NUL characters.*UTF-16/],
    ['a second newline', 'hunter2\n\n', /has more than one line/],
    ['a second line', 'hunter2\nhunter3\n', /has more than one line/],
    ['a line before', '\nhunter2', /has more than one line/],
    ['bytes that are no text', Buffer.from([0xff, 0x41, 0xfe]), /has bytes that are not UTF-8/],
    ['nothing', '', /is empty/],
    ['a newline alone', '\n', /is empty/],
  ])('is refused with %s, by line and column and without the value', (_, content, words) => {
    const problems = problemsOf(yaml, { files: { 'secret.txt': content } });
    expect(problems).toEqual([
      { file: expect.any(String), line: 6, column: 20, key: 'upstreams.corp.client_secret', text: expect.any(String) },
    ]);
    expect(problems[0]?.text).toMatch(words);
    expect(problems[0]?.text).not.toContain('hunter');
  });

  it.each([
    [' hunter2', /begins or ends with a space/],
    ['hunter2\t', /begins or ends with a space/],
    ['hunter2\u00a0', /begins or ends with a space/],
    ['"hunter2"', /is in quotes/],
    ["'hunter2'", /is in quotes/],
  ])('is taken as it is with %j, and asked about', (content, words) => {
    const { upstreams, warnings } = read(yaml, { files: { 'secret.txt': `${content}\n` } });
    expect(upstreams[0]?.clientSecret?.reveal()).toBe(content);
    const said = warnings.map(formatProblem).filter((line) => line.includes('client_secret'));
    expect(said).toEqual([
      expect.stringMatching(/gatehouse\.yaml:6:20 upstreams\.corp\.client_secret: file secret\.txt/),
    ]);
    expect(said[0]).toMatch(words);
    expect(said[0]).not.toContain('hunter');
  });

  it('may have spaces and quotes within', () => {
    const { warnings } = read(yaml, { files: { 'secret.txt': `correct "horse' battery` } });
    expect(warnings.filter(({ key }) => key.startsWith('upstreams'))).toEqual([]);
  });
});

it('the variable of a secret is judged in the same way', () => {
  const text = leastFile({ upstream: 'client_secret: { env: S }' });
  expect(problemsOf(text, { environment: { S: 'hunter2\r' } })[0]?.text).toMatch(
    /^environment variable S has a carriage/,
  );
  expect(problemsOf(text, { environment: { S: 'a\nb' } })[0]?.text).toMatch(
    /^environment variable S has more than one/,
  );
  const { warnings } = read(text, { environment: { S: '"hunter2"' } });
  expect(warnings.map(({ text: words }) => words)).toContainEqual(
    expect.stringMatching(/^environment variable S is in quotes/),
  );
});
